"""Relaxation: objectives, minimisers and the batch driver."""

from legocryst.relax.driver import Relaxed, relax

__all__ = ["Relaxed", "relax"]
