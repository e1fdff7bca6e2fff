"""Crystals as data: Wyckoff positions, cells, the irreducible representation, subgroups and files."""
