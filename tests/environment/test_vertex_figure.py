"""The fit to a vertex figure against brute force over all matchings, and the shapes that METHOD's limits tell apart."""

from itertools import permutations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from legocryst.environment.vertex_figure import OCTAHEDRON, fit

SHAPES = {
    "pair": np.array([[0, 0, 1.0], [0, np.sin(2.5), np.cos(2.5)]]),
    "line": np.array([[0, 0, 1.0], [0, 0, -1]]),
    "triangle": np.array([[np.cos(a), np.sin(a), 0] for a in np.radians([0, 120, 240])]),
    "tetrahedron": np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / np.sqrt(3),
    "square": np.array([[1.0, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]]),
    "octahedron": OCTAHEDRON,
    "prism": np.array([[np.cos(a), np.sin(a), z] for a in np.radians([0, 120, 240]) for z in (0.75, -0.75)]) / 1.25,
    "cube": np.array([[x, y, z] for x in (1, -1) for y in (1, -1) for z in (1, -1)]) / np.sqrt(3),
}


def brute_force(unit: np.ndarray, figure: np.ndarray) -> float:
    best = np.inf
    for order in permutations(range(len(figure))):
        trace = np.linalg.svd(figure.T @ unit[list(order)])[1].sum()  # of the best orthogonal matrix
        best = min(best, 2 - 2 * trace / len(figure))
    return float(np.sqrt(max(best, 0)))


@pytest.mark.parametrize("name", SHAPES)
def test_turned_mirrored_reordered_and_stretched_it_is_the_same_shape(name: str) -> None:
    figure, rng = SHAPES[name], np.random.default_rng(1)
    for turn in Rotation.random(20, rng=rng):
        bonds = turn.apply(figure)[rng.permutation(len(figure))] * rng.uniform(1, 3, (len(figure), 1))
        result = fit(np.stack([bonds, -bonds]), figure)
        assert (result.rmsd < 1e-6).all() and (result.angle < 1e-4).all()


@pytest.mark.parametrize("name", [name for name in SHAPES if len(SHAPES[name]) <= 6])
def test_rmsd_of_distorted_shapes_is_that_of_the_best_of_all_matchings(name: str) -> None:
    figure, rng = SHAPES[name], np.random.default_rng(2)
    bonds = figure + 0.12 * rng.normal(size=(25, *figure.shape))
    unit = bonds / np.linalg.norm(bonds, axis=-1, keepdims=True)
    assert fit(bonds, figure).rmsd == pytest.approx([brute_force(one, figure) for one in unit], abs=1e-9)


def test_one_bond_has_no_shape_and_the_largest_angle_is_in_degrees() -> None:
    assert fit(np.array([[[0, 3.0, 4]]]), np.array([[1.0, 0, 0]])).rmsd[0] == pytest.approx(0, abs=1e-7)
    bent = SHAPES["line"].copy()
    bent[0] = [np.sin(0.4), 0, np.cos(0.4)]
    assert fit(bent[None], SHAPES["line"]).angle[0] == pytest.approx(np.degrees(0.2), rel=1e-6)


def test_shapes_that_counts_and_angles_take_for_each_other() -> None:
    """A tetrahedron for a square has 0.61; a prism for an octahedron is beyond an octahedron's limit of 0.28."""
    assert fit(SHAPES["tetrahedron"][None], SHAPES["square"]).rmsd[0] == pytest.approx(0.61, abs=0.01)
    assert 0.28 < fit(SHAPES["prism"][None], OCTAHEDRON).rmsd[0] < 0.6
