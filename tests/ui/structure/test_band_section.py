"""Figures of bands, density of states and charge."""

import numpy as np
import pytest

from legocryst.electronic.bands import bands
from legocryst.environment.target_library import target
from legocryst.ui.structure.band_section import bands_figure, charge_figure, dos_figure, on_box, words

SP2 = target("sp2-carbon")

LATTICE = np.array([[2.0, 0.0, 0.0], [1.0, 3.0, 0.0], [0.5, -0.4, 2.5]])


def wave(places: np.ndarray) -> np.ndarray:
    """A function with the period of the lattice, at places (..., 3) in angstrom."""
    x, y, z = np.moveaxis(2 * np.pi * places @ np.linalg.inv(LATTICE), -1, 0)
    return np.asarray(1 + np.cos(x) * np.sin(y) + 0.5 * np.cos(z))


def test_bands_break_where_the_path_jumps_and_points_have_their_names() -> None:
    result = bands(SP2.reference.crystals(), SP2)
    path = result.path
    figure = bands_figure(path.distance, path.branch, path.ticks, result.levels)
    assert len(figure.data) == 4  # graphite has four p orbitals in a cell, all bands near the Fermi level
    jumps = int(path.branch.max())
    assert all(int(np.isnan(np.array(trace.y, float)).sum()) == jumps == 2 for trace in figure.data)
    assert list(figure.layout.xaxis.ticktext)[:3] == ["Γ", "M", "K"]
    shown = dos_figure(result.dos_energy, result.dos)
    assert np.trapezoid(shown.data[0].x, shown.data[0].y) == pytest.approx(2, rel=0.01)  # both spins of an orbital


def test_density_in_a_box_is_the_periodic_one() -> None:
    grid = np.stack(np.meshgrid(*(np.arange(30) / 30,) * 3, indexing="ij"), axis=-1) @ LATTICE
    low, size, values = on_box(wave(grid), LATTICE)
    np.testing.assert_allclose(low, [0, -0.4, 0])
    np.testing.assert_allclose(size, [3.5, 3.4, 2.5])
    share = np.stack(np.meshgrid(*(np.linspace(0, 1, n) for n in values.shape), indexing="ij"), axis=-1)
    np.testing.assert_allclose(values, wave(low + share * size), atol=2e-3)


def test_charge_has_surfaces_atoms_and_the_edges_of_the_cell() -> None:
    density = np.random.default_rng(0).random((6, 6, 6))
    charge = {"lattice": LATTICE.tolist(), "fractional": [[0, 0, 0]], "species": [6], "density": density.tolist()}
    surface, atoms, edges = charge_figure(charge).data
    assert surface.type == "isosurface" and len(surface.value) == len(surface.x)
    assert len(atoms.x) >= 8 and len(edges.x) == 36  # the corners of the cell at least; twelve edges


def test_words() -> None:
    assert words("semiconductor", 1.234, 0, True) == "Semiconductor with a direct gap of 1.23 eV"
    assert words("semimetal", 0, 0, True) == "Semimetal: bands touch"
    assert words("metal", 0, 2.5, False) == "Metal: bands overlap by 2.50 eV"
