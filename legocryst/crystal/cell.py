"""Cells: lattice matrices, volumes, and what each crystal system leaves free."""

import numpy as np

SYSTEMS = ("triclinic", "monoclinic", "orthorhombic", "tetragonal", "trigonal", "hexagonal", "cubic")
_LAST_GROUP = np.array([2, 15, 74, 142, 167, 194, 230])

RIGHT = np.pi / 2
HEXAGONAL = 2 * np.pi / 3


def system_index(group: np.ndarray | int) -> np.ndarray:
    """Index into `SYSTEMS` of each space group."""
    return np.searchsorted(_LAST_GROUP, group)


def crystal_system(group: int) -> str:
    """Return crystal system of a space group; trigonal groups stand on hexagonal axes."""
    return SYSTEMS[int(system_index(group))]


def free_parameters(group: np.ndarray | int) -> np.ndarray:
    """Return how many of a, b, c, alpha, beta, gamma each space group leaves free."""
    return np.array([6, 4, 3, 2, 2, 2, 1])[system_index(group)]


def lattice(cell: np.ndarray) -> np.ndarray:
    """Return lattice matrices (..., 3, 3), rows a, b, c in angstrom, of cells (..., 6) in angstrom and radians.

    a lies along x and b in the xy plane. An impossible cell gives NaN.
    """
    cell = np.asarray(cell, float)
    a, b, c = cell[..., 0], cell[..., 1], cell[..., 2]
    cos_alpha, cos_beta, cos_gamma = np.cos(cell[..., 3]), np.cos(cell[..., 4]), np.cos(cell[..., 5])
    sin_gamma = np.sin(cell[..., 5])
    out = np.zeros((*cell.shape[:-1], 3, 3))
    out[..., 0, 0] = a
    out[..., 1, 0] = b * cos_gamma
    out[..., 1, 1] = b * sin_gamma
    out[..., 2, 0] = c * cos_beta
    with np.errstate(invalid="ignore", divide="ignore"):
        y = (cos_alpha - cos_beta * cos_gamma) / sin_gamma
        out[..., 2, 1] = c * y
        out[..., 2, 2] = c * np.sqrt(1 - cos_beta**2 - y**2)
    out[np.abs(out) < 1e-12] = 0.0
    return out


def cell_of(lattice_matrix: np.ndarray) -> np.ndarray:
    """Return cells (..., 6), angstrom and radians, of lattice matrices (..., 3, 3).

    Inverts `lattice` up to rotation.
    """
    m = np.asarray(lattice_matrix, float)
    length = np.linalg.norm(m, axis=-1)

    def angle(i: int, j: int) -> np.ndarray:
        cosine = np.sum(m[..., i, :] * m[..., j, :], axis=-1) / (length[..., i] * length[..., j])
        return np.arccos(np.clip(cosine, -1, 1))

    return np.concatenate([length, np.stack([angle(1, 2), angle(0, 2), angle(0, 1)], axis=-1)], axis=-1)


def volume(cell: np.ndarray) -> np.ndarray:
    """Return volumes in cubic angstrom; NaN for an impossible cell."""
    return np.prod(np.diagonal(lattice(cell), axis1=-2, axis2=-1), axis=-1)


def symmetrized(group: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Return cells (n, 6) with what the crystal system fixes put right: means of equal lengths, fixed angles."""
    cell = np.array(cell, float)
    system = system_index(group)
    cubic, paired = system == 6, np.isin(system, (3, 4, 5))
    cell[cubic, :3] = cell[cubic, :3].mean(axis=1, keepdims=True)
    cell[paired, :2] = cell[paired, :2].mean(axis=1, keepdims=True)
    right = system >= 2
    cell[right, 3:] = RIGHT
    cell[np.ix_(system == 1, (3, 5))] = RIGHT
    cell[np.isin(system, (4, 5)), 5] = HEXAGONAL
    return cell
