"""Periodic graphs: connected parts, coordination sequences, rings."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, islice, product

import numpy as np

SHELLS = 12
"""Length of a coordination sequence."""
MAX_RING, MAX_PATHS = 24, 1000
"""Larger rings are not looked for, nor those of angles where more shortest paths than this would be followed."""

Path = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Quotient:
    """A periodic graph: n vertices in the cell and m undirected edges, each once.

    A row i, j, n1, ..., nd of `edges` joins vertex i in cell 0 with vertex j in cell (n1, ..., nd); a crystal's graph
    has d = 3.
    """

    n: int
    edges: np.ndarray  # (m, 2 + d) int


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
        """Yield the vertices 0, 1, 2, ... edges away, without end."""
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
        """Return numbers of vertices 1 to SHELLS edges away."""
        return tuple(len(shell) for shell in islice(self.shells(vertex), 1, SHELLS + 1))

    def near(self, point: int, other: int, radius: int) -> bool:
        """Say whether two vertices are at most `radius` edges apart."""
        vertex = point % self.n
        if (vertex, radius) not in self._balls:
            self._balls[vertex, radius] = set().union(*islice(self.shells(vertex), radius + 1))
        return other - point + vertex in self._balls[vertex, radius]

    def angles(self, vertex: int) -> tuple[tuple[int, int], ...]:
        """Return sorted (size, number) of the shortest rings at each angle of a vertex; (0, 0) where none is found.

        A ring is a cycle without shortcut: vertices opposite in it are no nearer in the graph than along the ring.
        """
        shells = islice(self.shells(vertex), 1, None)
        paths: dict[int, list[Path]] = {point: [(vertex, point)] for point in next(shells)}
        open_angles = set(combinations(sorted(paths), 2))
        rings_at: list[tuple[int, int]] = []
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
            rings_at += [(size, count) for count in rings.values()]
            open_angles -= rings.keys()
        return tuple(sorted(rings_at + [(0, 0)] * len(open_angles)))

    def cycles(self, vertex: int) -> tuple[int, ...]:
        """Find sizes of the shortest cycles, with shortcut or without, at each angle of a vertex, sorted; 0: none.

        After Blatov, O'Keeffe & Proserpio, CrystEngComm 12, 44 (2010): they make the point symbol.
        """
        ends = sorted(self.steps[vertex])
        sizes_of_all: list[int] = []
        for k, step in enumerate(ends[:-1]):
            goals = {vertex + other for other in ends[k + 1 :]}
            before, shell = {vertex}, {vertex + step}
            sizes = dict.fromkeys(goals, 0)
            for size in range(3, MAX_RING + 1):
                after = {point + step for point in shell for step in self.steps[point % self.n]} - before - shell
                before, shell = {vertex} | shell, after - {vertex}
                for end in goals & shell:
                    sizes[end] = sizes[end] or size
                goals -= shell
                if not goals or not shell:
                    break
            sizes_of_all += sizes.values()
        return tuple(sorted(sizes_of_all))

    def _longer(self, paths: dict[int, list[Path]], shell: set[int]) -> dict[int, list[Path]]:
        """Return all shortest paths from a vertex to its next shell, by their ends, of those to the shell before."""
        longer: dict[int, list[Path]] = {}
        for end, ways in paths.items():
            for step in self.steps[end % self.n]:
                if end + step in shell:
                    longer.setdefault(end + step, []).extend((*way, end + step) for way in ways)
        return longer

    def _meeting(self, paths: dict[int, list[Path]]) -> Iterator[tuple[Path, Path]]:
        """Yield pairs of paths with the same end, which the second of them leaves out."""
        for ways in paths.values():
            for one, other in combinations(ways, 2):
                yield one, other[:-1]

    def _facing(self, paths: dict[int, list[Path]]) -> Iterator[tuple[Path, Path]]:
        """Yield pairs of paths whose ends are joined by an edge."""
        for end, ways in paths.items():
            for step in self.steps[end % self.n]:
                if step > 0 and end + step in paths:
                    yield from product(ways, paths[end + step])

    def _is_ring(self, cycle: Path) -> bool:
        half = len(cycle) // 2
        return not any(self.near(cycle[i], cycle[i - half], half - 1) for i in range(len(cycle)))


@dataclass(frozen=True, slots=True)
class Part:
    """A connected part of a periodic graph, cut out with a lattice of its own."""

    members: list[int]  # its vertices in the whole, in the order of `quotient`'s
    quotient: Quotient  # cells are counted along its own translations: d columns for d independent ones
    copies: int  # parts that do not touch and that the whole's translations carry into each other; 1 where d < 3
    cell: np.ndarray  # (n, 3) cell of the whole that each member lies in, so that all are joined
    basis: np.ndarray  # (d, 3) its own translations, in those of the whole

    @property
    def periodicity(self) -> int:
        """Number of independent translations, 0 to 3."""
        return self.quotient.edges.shape[1] - 2


def connected_parts(quotient: Quotient) -> Iterator[Part]:
    """Yield connected parts of a periodic graph.

    The translations that lead from a vertex along edges to itself span a lattice, the part's own. Its index in the
    lattice of the whole, if its rank is 3, is the number of copies.
    """
    joined: list[list[tuple[int, int, int, int]]] = [[] for _ in range(quotient.n)]
    for i, j, x, y, z in quotient.edges.tolist():
        joined[i].append((j, x, y, z))
        joined[j].append((i, -x, -y, -z))
    cell: dict[int, tuple[int, int, int]] = {}
    place, root_of = np.empty(quotient.n, int), np.empty(quotient.n, int)
    parts = []
    for root in range(quotient.n):
        if root in cell:
            continue
        cell[root] = 0, 0, 0
        members = [root]
        for vertex in members:
            u, v, w = cell[vertex]
            for other, x, y, z in joined[vertex]:
                if other not in cell:
                    cell[other] = u + x, v + y, w + z
                    members.append(other)
        place[members], root_of[members] = range(len(members)), root
        parts.append(members)
    cells = np.array([cell[vertex] for vertex in range(quotient.n)])
    rows, ends = quotient.edges, quotient.edges[:, :2]
    shift = rows[:, 2:] + cells[rows[:, 0]] - cells[rows[:, 1]]
    for members in parts:
        of_part = root_of[rows[:, 0]] == members[0]
        basis = lattice_basis(shift[of_part])
        edges = np.column_stack([place[ends[of_part]], coordinates(shift[of_part], basis)])
        copies = int(np.prod(basis.diagonal())) if len(basis) == 3 else 1
        yield Part(members, Quotient(len(members), edges), copies, cells[members], basis)


def lattice_basis(vectors: np.ndarray) -> np.ndarray:
    """Return the basis (r, d) in Hermite normal form of all whole-number combinations of vectors (m, d).

    Its rows are in echelon form, the first number of each is positive, and numbers above it are smaller and not
    negative. There is one such basis only, whatever vectors span the lattice.
    """
    rows = [list(vector) for vector in set(map(tuple, vectors.tolist()))]
    basis: list[list[int]] = []
    for axis in range(vectors.shape[1]):
        while len(live := [row for row in rows if row[axis]]) > 1:
            least = min(live, key=lambda row: abs(row[axis]))
            for row in live:
                if row is not least:
                    _subtract(row, least, row[axis] // least[axis])
        if live:
            rows = [row for row in rows if row is not live[0]]
            pivot = live[0] if live[0][axis] > 0 else [-x for x in live[0]]
            for row in basis:
                _subtract(row, pivot, row[axis] // pivot[axis])
            basis.append(pivot)
    return np.array(basis, int).reshape(-1, vectors.shape[1])


def _subtract(row: list[int], other: list[int], factor: int) -> None:
    if factor:
        row[:] = [a - factor * b for a, b in zip(row, other, strict=True)]


def coordinates(vectors: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """Return whole-number coordinates (m, r) of vectors (m, d) of a lattice, given by its basis in echelon form."""
    left, whole = vectors.copy(), np.empty((len(vectors), len(basis)), int)
    for k, row in enumerate(basis):
        axis = (row != 0).argmax()
        whole[:, k] = left[:, axis] // row[axis]
        left -= whole[:, k, None] * row
    return whole


def one_direction(arcs: np.ndarray) -> np.ndarray:
    """Return, of rows (2m, 2 + d) i, j, n1, ..., nd of both directions of all edges, those of one."""
    image = arcs[:, 2:]
    leading = np.take_along_axis(image, (image != 0).argmax(axis=1)[:, None], axis=1)[:, 0]
    return arcs[(arcs[:, 0] < arcs[:, 1]) | ((arcs[:, 0] == arcs[:, 1]) & (leading > 0))]
