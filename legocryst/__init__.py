"""LEGO-Cryst: generate crystals whose every atom has a wanted local environment."""

from pathlib import Path

__version__ = "0.1.0"

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "data"
