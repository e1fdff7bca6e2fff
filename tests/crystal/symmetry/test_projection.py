import numpy as np

from legocryst.crystal import cell as cells
from legocryst.crystal.cell import lattice, symmetrized
from legocryst.crystal.symmetry.projection import group_of_position, parallels, project, wrapped
from legocryst.crystal.symmetry.wyckoff import wyckoff


def brute_force(position_id: int, point: np.ndarray, lattice: np.ndarray) -> float:
    """Least distance to any operation's subspace and any of 125 images, by least squares."""
    table, nearest = wyckoff(), np.inf
    images = np.stack(np.meshgrid(*[np.arange(-2, 3)] * 3), axis=-1).reshape(-1, 3)
    ops = table.operations(position_id)
    for rotation, translation in zip(table.rotation[ops], table.translation[ops], strict=True):
        directions = lattice.T @ rotation
        across = np.eye(3) - directions @ np.linalg.pinv(directions)
        nearest = min(nearest, np.linalg.norm((point - translation - images) @ lattice @ across.T, axis=1).min())
    return nearest


def test_nearest_points_are_the_nearest_and_belong_to_the_orbit() -> None:
    table, rng = wyckoff(), np.random.default_rng(7)
    ids = rng.choice(1731, 400, replace=False)
    group = np.array([group_of_position(k) for k in ids])
    raw = np.c_[rng.uniform(3, 12, (len(ids), 3)), np.radians(rng.uniform(60, 120, (len(ids), 3)))]
    lattice, points = cells.lattice(cells.symmetrized(group, raw)), rng.uniform(-1, 2, (len(ids), 3))
    first, displacement = project(ids, points, lattice)
    for k, identity in enumerate(ids):
        shift = np.linalg.norm(displacement[k] @ lattice[k])
        assert abs(shift - brute_force(identity, points[k], lattice[k])) < 1e-6, (group[k], table.letter[identity])
        ops = table.operations(identity)
        orbit = table.rotation[ops] @ first[k] + table.translation[ops]
        offset = orbit - (points[k] - displacement[k])
        assert np.abs(offset - np.rint(offset)).max(axis=1).min() < 1e-9
    assert first.min() >= 0 and first.max() < 1


def test_every_operation_of_every_position_is_on_one_of_its_subspaces() -> None:
    table, u = wyckoff(), np.sqrt([0.02, 0.07, 0.17])
    for identity in range(0, 1731, 7):
        ops = table.operations(identity)
        points = table.rotation[ops] @ u + table.translation[ops]
        cell = symmetrized(np.array([group_of_position(identity)]), np.array([[4.0, 5, 6, 1.5, 1.6, 1.7]]))
        back, displacement = project(np.full(len(points), identity), points, np.repeat(lattice(cell), len(points), 0))
        assert np.abs(displacement).max() < 1e-9
        form = back @ table.rotation[ops.start].T + table.translation[ops.start]
        assert np.abs((back - form) - np.rint(back - form)).max() < 1e-9


def test_subspaces_are_listed_once() -> None:
    # 4a..4d of Fm-3m are points; 32f (x, x, x) is four directions of lines through each of the centring points.
    ids = {str(wyckoff().letter[k]): k for k in wyckoff().positions(225)}
    assert [len(p.points) for p in parallels(ids["a"])] == [4]
    assert sorted(len(p.points) for p in parallels(ids["f"])) == [4, 4, 4, 4]
    assert sum(len(p.points) for p in parallels(ids["l"])) == 1


def test_wrapped_sends_a_tiny_negative_number_to_zero() -> None:
    assert wrapped(np.array([-1e-17, 1.0, -0.25])).tolist() == [0.0, 0.0, 0.75]
