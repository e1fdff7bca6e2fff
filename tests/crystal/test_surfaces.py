"""Minimal surfaces: areas that are known, groups that are known, atoms that lie on them."""

import numpy as np
import pytest

from legocryst.crystal.surfaces import ORIGINS, SURFACES, area, level, origins, slope, surface_crystals


@pytest.mark.parametrize(("surface", "published"), [("P", 2.3451), ("G", 3.0915), ("D", 3.8378), ("I-WP", 3.4641)])
def test_areas_are_those_of_the_minimal_surfaces(surface: str, published: float) -> None:
    # Schwarz & Karcher's values; the nodal approximations are up to a few per cent larger
    assert area(surface) == pytest.approx(published, rel=0.06 if surface == "I-WP" else 0.015)


@pytest.mark.parametrize(("surface", "group"), [("P", 229), ("G", 230), ("D", 227), ("I-WP", 229)])
def test_full_groups_keep_their_surface_and_larger_ones_do_not(surface: str, group: int) -> None:
    assert len(origins(surface, group)) > 0
    assert len(origins("G", 229)) == 0 and len(origins("P", 230)) == 0
    assert len(ORIGINS) == 512


def test_atoms_lie_on_a_surface_with_the_area_asked_for() -> None:
    crystals = surface_crystals(
        20, species=6, area_per_atom=2.62, atoms=(24, 200), sites=(1, 4), rng=np.random.default_rng(3)
    )
    assert ((crystals.atom_count >= 24) & (crystals.atom_count <= 200)).all()
    atoms, per_atom = crystals.atoms(), crystals.cell[:, 0] ** 2 / crystals.atom_count
    for k in range(20):
        points = atoms.fractional[atoms.first[k] : atoms.first[k + 1]]
        fits = [
            name
            for name in SURFACES
            if len(places := origins(name, int(crystals.group[k])))
            and min(np.abs(level(name, points + place)).max() for place in places) < 0.01
            and area(name) * per_atom[k] == pytest.approx(2.62)
        ]
        assert fits


def test_same_seed_same_crystals() -> None:
    one, other = (
        surface_crystals(5, species=6, area_per_atom=2.62, atoms=(24, 200), sites=(1, 4), rng=np.random.default_rng(3))
        for _ in range(2)
    )
    assert np.array_equal(one.coordinates, other.coordinates) and np.array_equal(one.cell, other.cell)


def test_slope_is_the_gradient() -> None:
    points = np.random.default_rng(0).random((50, 3))
    ahead = level("P", points + np.array([1e-4, 0, 0])) - level("P", points)
    assert np.allclose(slope("P", points)[:, 0], ahead / 1e-4, atol=5e-3)
    assert np.allclose(slope("P", points)[:, 0], -2 * np.pi * np.sin(2 * np.pi * points[:, 0]), atol=1e-6)
