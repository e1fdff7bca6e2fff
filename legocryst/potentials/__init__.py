"""Energies by learned potentials, and relaxation in them."""
