"""Relaxation: objectives, minimisers and the driver."""

from legocryst.relax.driver import Relaxed, relax

__all__ = ["Relaxed", "relax"]
