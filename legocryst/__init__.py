"""LEGO-Cryst: generate crystals whose every atom has the local environment of a target."""

from pathlib import Path

__version__ = "0.2.0"

_BUNDLE = Path(__file__).resolve().parent / "_bundle"
ROOT = _BUNDLE if _BUNDLE.is_dir() else _BUNDLE.parents[1]
"""Folder of `app.py`, `pages/`, `data/` and `static/`: the checkout, or what the wheel carries along."""
DATA = ROOT / "data"
