"""The vertex figure of an atom: the directions of its bonds, and how far another atom's are from them.

Counts, lengths and a smallest angle do not fix a shape: four bonds with angles above 60 degrees may be a square or a
tetrahedron. The unit vectors of an atom's bonds are compared with those of the figure after the proper or improper
rotation, and the matching of vectors to vectors, that bring them nearest.
"""

from dataclasses import dataclass

import numpy as np

OCTAHEDRON = np.concatenate([np.eye(3), -np.eye(3)])
COLLINEAR = 0.05
"""Sine of the angle between two directions up to which they do not fix a rotation."""


@dataclass(frozen=True, slots=True)
class Fit:
    """How n atoms fit a figure; inf where an atom has too odd a shape for any matching."""

    rmsd: np.ndarray  # (n,) root mean square distance of matched unit vectors
    angle: np.ndarray  # (n,) largest angle between matched directions, degrees


def fit(vectors: np.ndarray, figure: np.ndarray) -> Fit:
    """Fit bonds (n, k, 3) of n atoms, of any lengths, to a figure of k unit vectors (k, 3).

    Two directions of the figure, those nearest to a right angle, are laid on each ordered pair of bonds, as they are
    and mirrored; each other direction is then matched to the bond nearest to it, where that is a matching one to one.
    Of these matchings the one with the smallest RMSD counts, after the best rotation (Kabsch, Acta Cryst. A 32, 922,
    1976, improper rotations allowed).
    """
    n, k = len(vectors), len(figure)
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
    best = Fit(np.full(n, np.inf), np.full(n, np.inf))
    for order in _matchings(unit, figure) if k > 2 else _all_orders(n, k):
        matched = np.take_along_axis(unit, np.maximum(order, 0)[:, :, None], axis=1)
        result = _rotated(matched, figure)
        better = (order[:, 0] >= 0) & (result.rmsd < best.rmsd)
        best.rmsd[better], best.angle[better] = result.rmsd[better], result.angle[better]
    return best


def _all_orders(n: int, k: int) -> list[np.ndarray]:
    """Return both ways, or the one, in which one or two bonds match as many directions."""
    return [np.tile(order, (n, 1)) for order in ([[0]] if k == 1 else [[0, 1], [1, 0]])]


def _matchings(unit: np.ndarray, figure: np.ndarray) -> list[np.ndarray]:
    """Give for each trial the bond (n, k) that matches each direction, -1 where the trial gives an atom no matching."""
    k = len(figure)
    i, j = _most_upright(figure)
    reference = _frame(figure[i], figure[j])
    if reference is None:  # all directions on one line
        return []
    out = []
    for p in range(k):
        for q in range(k):
            if p == q:
                continue
            frame = _frame(unit[:, p], unit[:, q])
            assert frame is not None
            for sign in (1.0, -1.0):
                mirrored = frame * np.array([1.0, 1.0, sign])
                turned = np.einsum("nab,cb,kc->nka", mirrored, reference, figure)
                order = np.einsum("nka,nla->nkl", turned, unit).argmax(axis=2)
                one_to_one = (np.sort(order, axis=1) == np.arange(k)).all(axis=1)
                out.append(np.where(one_to_one[:, None], order, -1))
    return out


def _most_upright(figure: np.ndarray) -> tuple[int, int]:
    """Return the two directions whose angle is nearest to a right one."""
    cosine = np.abs(figure @ figure.T) + 2 * np.eye(len(figure))
    i, j = np.unravel_index(int(cosine.argmin()), cosine.shape)
    return int(i), int(j)


def _frame(a: np.ndarray, b: np.ndarray) -> np.ndarray | None:
    """Return orthonormal axes (..., 3, 3), in columns, of two directions; None where two single ones are collinear."""
    normal = np.cross(a, b)
    length = np.linalg.norm(normal, axis=-1, keepdims=True)
    if normal.ndim == 1 and length[0] < COLLINEAR:
        return None
    normal = normal / np.maximum(length, 1e-12)
    return np.stack([a, np.cross(normal, a), normal], axis=-1)


def _rotated(matched: np.ndarray, figure: np.ndarray) -> Fit:
    """Return RMSD and largest angle of matched unit vectors (n, k, 3) after the best rotation, proper or not."""
    left, _, right = np.linalg.svd(np.einsum("ka,nkb->nab", figure, matched))
    turned = np.einsum("ka,nab->nkb", figure, left @ right)
    off = np.linalg.norm(turned - matched, axis=-1)
    angle = 2 * np.degrees(np.arcsin(np.clip(off / 2, 0, 1)))
    return Fit(np.sqrt((off**2).mean(axis=1)), angle.max(axis=1))
