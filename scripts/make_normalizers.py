"""Write data/normalizers.npz: the other ways to set the axes and the origin of each space group's standard setting.

A way (W, w), x = W x' + w, is kept when the group's operations, written in x', are again those of the group, or of its
enantiomorphic partner. W is one of the 48 signed permutations of the axes, or of the 24 operations of the hexagonal
lattice for trigonal and hexagonal groups: the Euclidean normaliser at the most special metric that the frame allows
(International Tables A, 15.2). Along polar axes, where w is arbitrary, it is 0. Ways that differ by an operation of the
group count once. Triclinic and monoclinic groups also have shears, with which a cell is reduced. Run from the root:

    python -m scripts.make_normalizers
"""

from itertools import permutations, product
from pathlib import Path

import numpy as np

from legocryst.crystal.cell import system_index
from legocryst.crystal.symmetry.wyckoff import N_GROUPS, wyckoff

OUT = Path(__file__).resolve().parents[1] / "data" / "normalizers.npz"
WHOLE = 24
"""Origins are sought on a grid of 1/24."""

Way = tuple[int, np.ndarray, np.ndarray]  # the group that results, W, w in 24ths


def partner(group: int) -> int:
    """Return the other one of an enantiomorphic pair of space groups, else the group itself."""
    screws = {76: 78, 91: 95, 92: 96, 144: 145, 151: 153, 152: 154, 169: 170, 171: 172, 178: 179, 180: 181, 212: 213}
    return (screws | {b: a for a, b in screws.items()}).get(group, group)


def frame(group: int) -> np.ndarray:
    """Return the lattice operations (n, 3, 3) of the group's axes, those that keep the hand first, identity first."""
    if system_index(group) in (4, 5):
        six, two = np.array([[1, -1, 0], [1, 0, 0], [0, 0, 1]]), np.array([[0, 1, 0], [1, 0, 0], [0, 0, -1]])
        turns = [np.linalg.matrix_power(six, k) @ np.linalg.matrix_power(two, m) for m in (0, 1) for k in range(6)]
        return np.array(turns + [-turn for turn in turns])
    unit = np.eye(3, dtype=int)
    all_of = [unit[list(p)] * np.array(s) for p in permutations(range(3)) for s in product((1, -1), repeat=3)]
    return np.array(sorted(all_of, key=lambda turn: -round(np.linalg.det(turn))))


def shears(group: int) -> np.ndarray:
    """Return (n, 3, 3) changes of one axis by another that a metric of the group's crystal system allows."""
    pairs = {0: list(permutations(range(3), 2)), 1: [(0, 2), (2, 0)]}.get(int(system_index(group)), [])
    out = []
    for (i, j), n in product(pairs, (1, -1, 2, -2)):
        out.append(np.eye(3, dtype=int))
        out[-1][i, j] = n
    return np.array(out, int).reshape(-1, 3, 3)


def origins(group: int, target: int, turn: np.ndarray) -> np.ndarray:
    """(k, 3) all w in 24ths, modulo the lattice, for which (turn, w) leads from the operations of one group to those
    of the other.
    """
    rotation, translation = _whole(group)
    aim, shift = _whole(target)
    unit = np.abs(rotation - np.eye(3, dtype=int)).max(axis=(1, 2)) == 0
    centring = translation[unit]
    inverse = np.rint(np.linalg.inv(turn)).astype(int)
    aimed = {r.tobytes(): t for r, t in zip(aim, shift, strict=True)}
    grid = [np.zeros(1, int) if polar else np.arange(WHOLE) for polar in _polar(group)]
    w = np.array(list(product(*grid)))
    # centring first: a lattice that does not fit leaves nothing to try
    own = {tuple(c) for c in (centring @ inverse.T % WHOLE).tolist()}
    if own != {tuple(t) for t in shift[np.abs(aim - np.eye(3, dtype=int)).max(axis=(1, 2)) == 0].tolist()}:
        return w[:0]
    for r, t in zip(rotation, translation, strict=True):
        index = aimed.get((inverse @ r @ turn).tobytes())
        if index is None:
            return w[:0]
        off = (w @ (r - np.eye(3, dtype=int)).T + t - turn @ index) % WHOLE
        w = w[(off[:, None] == centring).all(axis=2).any(axis=1)]
    equal = (w[:, None] + np.where(_polar(group), 0, centring)) % WHOLE
    keys = equal @ np.array([WHOLE**2, WHOLE, 1])
    return w[np.unique(keys.min(axis=1), return_index=True)[1]]


def ways(group: int) -> list[Way]:
    """Find every way to set the group again, one for each coset of the group itself; the group as it is comes first."""
    rotations = np.unique(_whole(group)[0], axis=0)
    listed: list[Way] = []
    covered: set[bytes] = set()
    for turn in frame(group):
        if turn.tobytes() in covered:
            continue
        target = group if np.linalg.det(turn) > 0 else partner(group)
        if len(w := origins(group, target, turn)):
            covered |= {(r @ turn).tobytes() for r in rotations}
            listed += [(target, turn, origin) for origin in w]
    return listed


def _whole(group: int) -> tuple[np.ndarray, np.ndarray]:
    rotation, translation = wyckoff().general(group)
    return np.rint(rotation).astype(int), np.rint(translation * WHOLE).astype(int) % WHOLE


def _polar(group: int) -> np.ndarray:
    return np.abs(wyckoff().general(group)[0].mean(axis=0)).max(axis=1) > 1e-6


def arrays(rows: list[tuple[int, int, np.ndarray, np.ndarray]]) -> tuple[np.ndarray, ...]:
    """Return group, target, W and w of ways as arrays."""
    group, target, matrix, origin = zip(*rows, strict=True)
    small = (np.array(group, np.uint8), np.array(target, np.uint8))
    return *small, np.array(matrix, np.int8), np.array(origin, np.int8)


def main() -> None:
    """Make and write the file."""
    settings = [(group, *way) for group in range(1, N_GROUPS + 1) for way in ways(group)]
    sheared = [
        (group, group, turn, w[0])
        for group in range(1, N_GROUPS + 1)
        for turn in shears(group)
        if len(w := origins(group, group, turn))
    ]
    group, target, matrix, origin = arrays(settings)
    shear_group, shear_target, shear_matrix, shear_origin = arrays(sheared)
    np.savez_compressed(
        OUT,
        group=group,
        target=target,
        matrix=matrix,
        origin24=origin,
        shear_group=shear_group,
        shear_target=shear_target,
        shear_matrix=shear_matrix,
        shear_origin24=shear_origin,
    )
    size = OUT.stat().st_size / 1e3
    print(f"{len(settings)} settings of the groups, {len(sheared)} shears -> {OUT} ({size:.0f} kB)")


if __name__ == "__main__":
    main()
