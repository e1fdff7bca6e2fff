"""Energies that are predicted: features, the regression, and which crystals are computed next."""
