"""Write data/subgroups.npz: the translationengleiche subgroups of all 230 space groups.

The maximal t-subgroups and their transformations are those of pyxtal's tables (MIT licence), in the settings of
data/wyckoff.npz; chains of them reach every index. Each transformation is verified here: the subgroup's operations,
carried into the parent's axes, must be operations of the parent, with the same translations. A group's subgroups are
listed once for each class of conjugate subgroups, smallest index first. Run from the repository root:

    python -m scripts.make_subgroups
"""

import json
from pathlib import Path

import numpy as np
import pyxtal

from legocryst.crystal.wyckoff import N_GROUPS, wyckoff

OUT = Path(__file__).resolve().parents[1] / "data" / "subgroups.npz"
TABLE = Path(pyxtal.__file__).parent / "database" / "t_subgroup.json"

Operations = frozenset[tuple[int, ...]]
Link = tuple[int, np.ndarray, np.ndarray]  # subgroup, P, p


# I422 > F222 of International Tables A1, which pyxtal's table lacks.
LACKING: dict[int, Link] = {97: (22, np.array([[1.0, 1, 0], [-1, 1, 0], [0, 0, 1]]), np.zeros(3))}


def operation_set(rotation: np.ndarray, translation: np.ndarray) -> Operations:
    """Operations modulo integer translations, as integers."""
    numbers = np.concatenate([rotation.reshape(-1, 9), np.rint(translation * 24) % 24], axis=1)
    return frozenset(map(tuple, np.rint(numbers).astype(int).tolist()))


def in_parent(group: int, matrix: np.ndarray, origin: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """General positions of `group` in the parent's axes, x = P x' + p, with the lattice vectors between them."""
    rotation, translation = wyckoff().general(group)
    steps = np.stack(np.meshgrid(*[np.arange(-1, 2)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    rotation = np.repeat(matrix @ rotation @ np.linalg.inv(matrix), len(steps), axis=0)
    translation = (translation[:, None] + steps).reshape(-1, 3)
    return rotation, translation @ matrix.T + origin - rotation @ origin


def verified(parent: int, link: Link) -> bool:
    """Whether the subgroup's operations are the parent's, with all its translations, in right-handed axes."""
    rotation, translation = in_parent(*link)
    if np.linalg.det(link[1]) <= 0 or np.abs(rotation - np.rint(rotation)).max() > 1e-6:
        return False
    if np.abs(translation * 24 - np.rint(translation * 24)).max() > 1e-4:
        return False
    own, parents = operation_set(rotation, translation), operation_set(*wyckoff().general(parent))
    unit = tuple(np.eye(3, dtype=int).ravel())
    return own <= parents and {t for t in own if t[:9] == unit} == {t for t in parents if t[:9] == unit}


class PointGroup:
    """The rotations of a space group, and their products and conjugates as tables of numbers."""

    def __init__(self, group: int) -> None:
        self.rotations = np.unique(np.rint(wyckoff().general(group)[0]).astype(int), axis=0)
        self.number = {tuple(r.ravel().tolist()): k for k, r in enumerate(self.rotations)}
        self.order = len(self.rotations)
        self.product = np.array([[self.find(a @ b) for b in self.rotations] for a in self.rotations])
        inverse = np.argmax(self.product == self.find(np.eye(3)), axis=1)
        self.conjugate = np.array([self.product[self.product[g], inverse[g]] for g in range(self.order)])

    def find(self, rotation: np.ndarray) -> int:
        """Number of a rotation."""
        return self.number[tuple(np.rint(rotation).astype(int).ravel().tolist())]

    def name(self, subgroup: list[int]) -> tuple[int, ...]:
        """A name that conjugate subgroups share. A t-subgroup is known by its rotations."""
        return min(map(tuple, np.sort(self.conjugate[:, sorted(subgroup)], axis=1).tolist()))

    def classes(self) -> set[tuple[int, ...]]:
        """Names of all subgroups, found by adding one element at a time."""
        queue = [frozenset([self.find(np.eye(3))])]
        seen = set(queue)
        while queue:
            subgroup = queue.pop()
            for extra in set(range(self.order)) - subgroup:
                closed, new = set(subgroup), {extra}
                while new:
                    closed |= new
                    members = sorted(closed)
                    new = set(self.product[np.ix_(members, members)].ravel().tolist()) - closed
                if frozenset(closed) not in seen:
                    seen.add(frozenset(closed))
                    queue.append(frozenset(closed))
        return {self.name(list(subgroup)) for subgroup in seen}


def maximal_links() -> tuple[dict[int, list[Link]], int, int]:
    """Verified maximal t-subgroups of each group, the number read and the number refused."""
    table, refused, read = json.loads(TABLE.read_text()), 0, 0
    links: dict[int, list[Link]] = {}
    for parent in range(1, N_GROUPS + 1):
        entry, links[parent] = table[str(parent)], []
        for kind, group, transformation in zip(entry["type"], entry["subgroup"], entry["transformation"], strict=True):
            if kind != "t":
                continue
            numbers = np.rint(np.array(transformation["data"]) * 24) / 24  # 0.33333333 is a third
            link = (int(group), numbers[:, :3], numbers[:, 3])
            read += 1
            if verified(parent, link):
                links[parent].append(link)
            else:
                refused += 1
                print(f"refused: {parent} > {group} {numbers.tolist()}")
        if parent in LACKING and verified(parent, LACKING[parent]):
            links[parent].append(LACKING[parent])
    return links, read, refused


def chained(parent: int, links: dict[int, list[Link]]) -> tuple[list[tuple[int, Link]], int]:
    """Index and link of each t-subgroup, one a conjugacy class; and how many classes no chain reaches."""
    group = PointGroup(parent)
    names, found = {group.name(list(range(group.order)))}, []
    queue: list[Link] = [(parent, np.eye(3), np.zeros(3))]
    while queue:
        number, matrix, origin = queue.pop(0)
        for subgroup, step, shift in links[number]:
            link = (subgroup, matrix @ step, matrix @ shift + origin)
            rotations = np.unique(np.rint(in_parent(*link)[0]).astype(int), axis=0)
            name = group.name([group.find(rotation) for rotation in rotations])
            if name not in names:
                assert verified(parent, link), (parent, link)
                names.add(name)
                found.append((group.order // len(rotations), link))
                queue.append(link)
    lacking = group.classes() - names
    for name in lacking:
        print(f"no chain from {parent} to a subgroup of index {group.order // len(name)}")
    return sorted(found, key=lambda entry: entry[0]), len(lacking)


def main() -> None:
    """Make and write the file."""
    links, read, refused = maximal_links()
    print(f"{read} maximal t-subgroups read, {refused} refused")
    rows, missing = [], 0
    for parent in range(1, N_GROUPS + 1):
        found, lacking = chained(parent, links)
        missing += lacking
        rows += [(parent, group, index, matrix, origin % 1.0) for index, (group, matrix, origin) in found]
    parents, groups, indices, matrices, origins = zip(*rows, strict=True)
    np.savez_compressed(
        OUT,
        parent=np.array(parents, np.int16),
        group=np.array(groups, np.int16),
        index=np.array(indices, np.int16),
        matrix=np.array(matrices),
        origin=np.array(origins),
    )
    print(f"{len(parents)} classes of t-subgroups, {missing} missing -> {OUT} ({OUT.stat().st_size / 1e3:.0f} kB)")


if __name__ == "__main__":
    main()
