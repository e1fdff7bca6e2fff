"""Crystals from and to files and tables."""
