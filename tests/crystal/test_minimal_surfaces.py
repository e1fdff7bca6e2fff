"""Minimal surfaces: areas that are known, groups that are known, atoms that lie on them."""

from itertools import product

import numpy as np
import pytest

from legocryst.crystal.cell import crystal_system, lattice
from legocryst.crystal.minimal_surfaces import FRAMES, ORIGINS, SURFACES, area, level, origins, slope, surface_crystals


@pytest.mark.parametrize(("surface", "published"), [("P", 2.3451), ("G", 3.0915), ("D", 3.8378), ("I-WP", 3.4641)])
def test_areas_are_those_of_the_minimal_surfaces(surface: str, published: float) -> None:
    # Schwarz & Karcher's values; the nodal approximations are up to a few per cent larger
    assert area(surface) == pytest.approx(published, rel=0.06 if surface == "I-WP" else 0.015)


@pytest.mark.parametrize(("surface", "group"), [("P", 229), ("G", 230), ("D", 227), ("I-WP", 229)])
def test_full_groups_keep_their_surface_and_larger_ones_do_not(surface: str, group: int) -> None:
    assert len(origins(surface, group)) > 0
    assert len(origins("G", 229)) == 0 and len(origins("P", 230)) == 0
    assert len(ORIGINS) == 512


@pytest.mark.parametrize(
    ("surface", "group", "frames"),
    [
        *(("D", 141, [1]), ("D", 74, [1]), ("P", 69, [2]), ("G", 70, [2]), ("D", 70, [0])),
        *(("P", 166, [0, 2]), ("D", 166, [0, 1, 2]), ("I-WP", 160, [0, 2]), ("G", 167, [2]), ("G", 148, [0, 2])),
    ],
)
def test_groups_in_the_cells_of_their_chains(surface: str, group: int, frames: list[int]) -> None:
    # P, D, G and I-WP have Im-3m, Pn-3m (Fd-3m without exchange of sides), Ia-3d and Im-3m: their subgroups of index
    # 3 and 4 in International Tables A1, in the tetragonal or rhombohedral lattice of the same translations
    assert [k for k in range(3) if len(origins(surface, group, k))] == frames


def test_atoms_lie_on_a_surface_with_the_area_asked_for() -> None:
    crystals = surface_crystals(
        60, species=6, area_per_atom=2.62, atoms=(24, 200), sites=(1, 4), rng=np.random.default_rng(3)
    )
    assert ((crystals.atom_count >= 24) & (crystals.atom_count <= 200)).all()
    assert {crystal_system(group) for group in crystals.group.tolist()} == set(FRAMES)
    atoms, axes = crystals.atoms(), lattice(crystals.cell)
    for k, group in enumerate(crystals.group.tolist()):
        points = atoms.fractional[atoms.first[k] : atoms.first[k + 1]]
        fits = []
        for (number, frame), surface in product(enumerate(FRAMES[crystal_system(group)]), SURFACES):
            edge = np.linalg.norm(axes[k, 0]) / np.linalg.norm(frame[0])
            if (
                np.allclose(axes[k] @ axes[k].T, edge**2 * frame @ frame.T)
                and len(places := origins(surface, group, number))
                and min(np.abs(level(surface, points @ frame + place)).max() for place in places) < 0.01
            ):
                fits.append(area(surface) * np.linalg.det(frame) * edge**2 / crystals.atom_count[k])
        assert any(one == pytest.approx(2.62) for one in fits)


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
