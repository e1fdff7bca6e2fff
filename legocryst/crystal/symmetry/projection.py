"""Nearest points on Wyckoff positions: where a point that stands almost on a position belongs."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from legocryst.crystal.cell import system_index
from legocryst.crystal.symmetry.wyckoff import wyckoff

_TIE = 1e-9  # square angstrom: among equally near points the first operation's is taken
_CHUNK = 2_000_000  # distances held in memory at one time


@dataclass(frozen=True, slots=True)
class Parallel:
    """The distinct points, lines or planes of one position that are parallel to each other."""

    normal: np.ndarray  # (3, 3) fractional projector on what is perpendicular to the free directions
    points: np.ndarray  # (k, 3) a point on each
    images: np.ndarray  # (m, 3) projected lattice vectors among which the nearest image is sought
    back_rotation: np.ndarray  # (k, 3, 3) with back_translation: symmetry operation to the position's first operation
    back_translation: np.ndarray  # (k, 3)


def group_of_position(position_id: int) -> int:
    """Return space group to which a position belongs."""
    return int(np.searchsorted(wyckoff().first[1:], position_id, side="right"))


@cache
def parallels(position_id: int) -> tuple[Parallel, ...]:
    """Return the affine subspaces of a position, modulo the lattice, each once; the first holds the first operation.

    The projector on the free directions is the mean of the site symmetry's rotations, orthogonal in every metric that
    the group allows, hence the same for all cells.
    """
    table, group = wyckoff(), group_of_position(position_id)
    rotation, translation = table.general(group)
    ops = table.operations(position_id)
    frozen, point = table.rotation[ops], table.translation[ops]
    maps_rotation = np.einsum("gij,jk->gik", rotation, frozen[0])
    maps_point = rotation @ point[0] + translation

    def carriers(k: int) -> np.ndarray:
        """Return general operations that carry the first operation onto the k-th."""
        offset = maps_point - point[k]
        same = np.abs(maps_rotation - frozen[k]).max(axis=(1, 2)) < 1e-6
        return np.flatnonzero(same & (np.abs(offset - np.rint(offset)).max(axis=1) < 1e-6))

    stabilizer = carriers(0)
    normal = np.eye(3) - rotation[stabilizer].mean(axis=0)
    lines: dict[tuple, dict] = {}
    for k in range(len(point)):
        carrier = carriers(k)[0]
        inverse = np.linalg.inv(rotation[carrier])
        carried = rotation[carrier] @ normal @ inverse
        bundle = lines.setdefault(
            tuple(np.rint(carried * 12).astype(int).ravel()),
            # Rows of I - P, with P the integer projector on the subspace, span all integer vectors normal to it.
            {"normal": carried, "dual": np.eye(3) - rotation[carrier] @ frozen[0] @ inverse, "members": {}},
        )
        phase = tuple(np.rint((bundle["dual"] @ point[k]) * 24).astype(int) % 24)
        bundle["members"].setdefault(phase, (point[k], inverse, -inverse @ translation[carrier]))
    return tuple(_parallel(group, bundle["normal"], list(bundle["members"].values())) for bundle in lines.values())


def _parallel(group: int, normal: np.ndarray, members: list[tuple]) -> Parallel:
    system = int(system_index(group))
    upright = system in (2, 3, 6) and np.allclose(normal, np.diag(np.diagonal(normal)))
    reach = 0 if upright else 2 if system < 2 else 1
    steps = np.arange(-reach, reach + 1)
    shifts = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 3) @ normal.T
    points, back_rotation, back_translation = (np.array(column) for column in zip(*members, strict=True))
    images = np.unique(np.rint(shifts * 12), axis=0) / 12
    return Parallel(normal, points, images, back_rotation, back_translation)


def project(position_id: np.ndarray, coordinates: np.ndarray, lattice: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Move points to the nearest point of their Wyckoff position, over all its operations and periodic images.

    `position_id` (s,) into the arrays of `wyckoff()`, `coordinates` (s, 3) fractional, `lattice` (s, 3, 3) rows a, b, c
    in angstrom, with the metric that the group asks for. Returns the coordinates (s, 3) in [0, 1) on the position's
    first operation, and the displacements (s, 3), fractional, perpendicular to the free directions, from the nearest
    point to the point given.
    """
    table = wyckoff()
    coordinates = np.asarray(coordinates, float)
    metric = lattice @ np.swapaxes(lattice, -1, -2)
    on_first, displacement = coordinates.copy(), np.zeros_like(coordinates)
    special = np.flatnonzero(~_is_general(position_id))
    special = special[np.argsort(position_id[special], kind="stable")]
    ids, start = np.unique(position_id[special], return_index=True)
    for identity, which in zip(ids, np.split(special, start[1:]), strict=False):
        widest = max(len(p.points) * len(p.images) for p in parallels(int(identity)))
        for rows in np.array_split(which, 1 + len(which) * widest // _CHUNK):
            on_first[rows], displacement[rows] = _project_one(int(identity), coordinates[rows], metric[rows])
    op = table.op_first[position_id]
    on_first = np.einsum("sij,sj->si", table.rotation[op], on_first) + table.translation[op]
    return wrapped(on_first), displacement


def wrapped(coordinates: np.ndarray) -> np.ndarray:
    """Return fractional coordinates in [0, 1); the second remainder sends -1e-17 to 0, not 1."""
    return coordinates % 1.0 % 1.0


def _is_general(position_id: np.ndarray) -> np.ndarray:
    general = np.zeros(len(wyckoff().multiplicity), bool)
    general[wyckoff().first[1:-1]] = True
    return general[position_id]


def _project_one(identity: int, coordinates: np.ndarray, metric: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return points on the first operation (not wrapped) and displacements, for sites of one position."""
    n = len(coordinates)
    nearest = np.full(n, np.inf)
    on_first, displacement = np.empty((n, 3)), np.empty((n, 3))
    for bundle in parallels(identity):
        offset = coordinates[:, None] - bundle.points
        offset = (offset - np.rint(offset)) @ bundle.normal.T
        pulled = offset @ metric
        squared = bundle.images[:, :, None] * bundle.images[:, None, :]
        distance = (
            np.sum(offset * pulled, axis=-1)[:, :, None]
            + 2 * pulled @ bundle.images.T
            + (metric.reshape(n, 9) @ squared.reshape(-1, 9).T)[:, None, :]
        ).reshape(n, -1)
        first = np.argmax(distance <= distance.min(axis=1, keepdims=True) + _TIE, axis=1)
        best = distance[np.arange(n), first]
        better = np.flatnonzero(best < nearest - _TIE)
        which, image = np.divmod(first[better], len(bundle.images))
        moved = offset[better, which] + bundle.images[image]
        nearest[better], displacement[better] = best[better], moved
        on_first[better] = (
            np.einsum("sij,sj->si", bundle.back_rotation[which], coordinates[better] - moved)
            + bundle.back_translation[which]
        )
    return on_first, displacement
