"""Periodic graphs: connected parts, coordination sequences, rings."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations, islice, product

import numpy as np

SHELLS = 12
"""Length of a coordination sequence."""
MAX_RING, MAX_PATHS = 24, 1000
"""Larger rings are not looked for, nor those of angles where more than so many shortest paths would be followed."""

Path = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Quotient:
    """A periodic graph: n vertices in the cell and m undirected edges, each once.

    A row i, j, n1, n2, n3 of `edges` joins vertex i in cell 0 with vertex j in cell (n1, n2, n3).
    """

    n: int
    edges: np.ndarray  # (m, 5) int


class PeriodicGraph:
    """Walks on a periodic graph.

    A vertex is one whole number: v + n (x + b y + b^2 z) is vertex v of the quotient in cell (x, y, z).
    """

    def __init__(self, quotient: Quotient) -> None:
        n, edges = quotient.n, quotient.edges
        # b is so large that no two vertices within the distances walked here share a number
        b = 1 + 4 * max(SHELLS, MAX_RING) * int(np.abs(edges[:, 2:]).max(initial=1))
        self.n = n
        self.steps: list[set[int]] = [set() for _ in range(n)]
        for i, j, x, y, z in edges.tolist():
            step = n * (x + b * (y + b * z)) + j - i
            self.steps[i].add(step)
            self.steps[j].add(-step)
        self._balls: dict[tuple[int, int], set[int]] = {}

    def shells(self, vertex: int) -> Iterator[set[int]]:
        """The vertices 0, 1, 2, ... edges away, without end."""
        n, steps = self.n, self.steps
        before: set[int] = set()
        shell = {vertex}
        while True:
            yield shell
            after = {point + step for point in shell for step in steps[point % n]}
            after -= shell
            after -= before
            before, shell = shell, after

    def coordination_sequence(self, vertex: int) -> tuple[int, ...]:
        """Numbers of vertices 1 to SHELLS edges away."""
        return tuple(len(shell) for shell in islice(self.shells(vertex), 1, SHELLS + 1))

    def near(self, point: int, other: int, radius: int) -> bool:
        """Whether two vertices are at most `radius` edges apart."""
        vertex = point % self.n
        if (vertex, radius) not in self._balls:
            self._balls[vertex, radius] = set().union(*islice(self.shells(vertex), radius + 1))
        return other - point + vertex in self._balls[vertex, radius]

    def angles(self, vertex: int) -> tuple[tuple[int, int], ...]:
        """Sorted (size, number) of the shortest rings at each angle of a vertex; (0, 0) where none is found.

        A ring is a cycle without shortcut: vertices opposite in it are no nearer in the graph than along the ring.
        """
        shells = islice(self.shells(vertex), 1, None)
        paths: dict[int, list[Path]] = {point: [(vertex, point)] for point in next(shells)}
        open_angles = set(combinations(sorted(paths), 2))
        found: list[tuple[int, int]] = []
        for size in range(2, MAX_RING + 1):
            if size % 2 == 0 and size > 2:
                paths = self._longer(paths, next(shells))
            if not open_angles or not paths or sum(map(len, paths.values())) > MAX_PATHS:
                break
            rings: Counter[tuple[int, int]] = Counter()
            for one, other in self._meeting(paths) if size % 2 == 0 else self._facing(paths):
                angle = (one[1], other[1]) if one[1] < other[1] else (other[1], one[1])
                if angle in open_angles and self._is_ring(one + other[:0:-1]):
                    rings[angle] += 1
            found += [(size, count) for count in rings.values()]
            open_angles -= rings.keys()
        return tuple(sorted(found + [(0, 0)] * len(open_angles)))

    def _longer(self, paths: dict[int, list[Path]], shell: set[int]) -> dict[int, list[Path]]:
        """All shortest paths from a vertex to its next shell, by their ends, of those to the shell before."""
        longer: dict[int, list[Path]] = {}
        for end, ways in paths.items():
            for step in self.steps[end % self.n]:
                if end + step in shell:
                    longer.setdefault(end + step, []).extend((*way, end + step) for way in ways)
        return longer

    def _meeting(self, paths: dict[int, list[Path]]) -> Iterator[tuple[Path, Path]]:
        """Pairs of paths with the same end, which the second of them leaves out."""
        for ways in paths.values():
            for one, other in combinations(ways, 2):
                yield one, other[:-1]

    def _facing(self, paths: dict[int, list[Path]]) -> Iterator[tuple[Path, Path]]:
        """Pairs of paths whose ends are joined by an edge."""
        for end, ways in paths.items():
            for step in self.steps[end % self.n]:
                if step > 0 and end + step in paths:
                    yield from product(ways, paths[end + step])

    def _is_ring(self, cycle: Path) -> bool:
        half = len(cycle) // 2
        return not any(self.near(cycle[i], cycle[i - half], half - 1) for i in range(len(cycle)))


def connected_parts(quotient: Quotient) -> Iterator[tuple[list[int], int, int]]:
    """Connected parts of the quotient: their vertices, their periodicity, and into how many copies each falls.

    The translations that lead from a vertex along edges to itself span a lattice. Its rank is the periodicity, and
    its index in the lattice of the crystal, if the rank is 3, the number of copies that do not touch (else 1).
    """
    joined: list[list[tuple[int, np.ndarray]]] = [[] for _ in range(quotient.n)]
    for i, j, *image in quotient.edges.tolist():
        joined[i].append((j, np.array(image)))
        joined[j].append((i, -np.array(image)))
    cell: dict[int, np.ndarray] = {}
    for root in range(quotient.n):
        if root in cell:
            continue
        cell[root] = np.zeros(3, int)
        members, loops = [root], set()
        for vertex in members:
            for other, image in joined[vertex]:
                there = cell[vertex] + image
                if other not in cell:
                    cell[other] = there
                    members.append(other)
                loops.add(tuple((there - cell[other]).tolist()))
        basis = lattice_basis(loops)
        yield members, len(basis), round(abs(np.linalg.det(basis))) if len(basis) == 3 else 1


def lattice_basis(vectors: Iterable[tuple[int, int, int]]) -> list[list[int]]:
    """A basis, in echelon form, of all whole-number combinations of vectors."""
    rows = [list(vector) for vector in vectors]
    basis = []
    for axis in range(3):
        while len(live := [row for row in rows if row[axis]]) > 1:
            least = min(live, key=lambda row: abs(row[axis]))
            for row in live:
                if row is not least:
                    factor = row[axis] // least[axis]
                    row[:] = [a - factor * b for a, b in zip(row, least, strict=True)]
        if live:
            basis.append(live[0])
            rows = [row for row in rows if row is not live[0]]
    return basis
