"""Canonical forms: exact placement, the smallest cell, one form for one net however it is written."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from legocryst.crystal.io.table import decode
from legocryst.stages.curate import shipped
from legocryst.topology.canonical_form import canonical_form
from legocryst.topology.graphs import Quotient, connected_parts
from legocryst.topology.nets import bond_graph, net
from legocryst.topology.placement import PRIMES, eliminate, minimal_net, placement
from tests.descriptions import rewritten

SYSTRE = {
    "srs": "3 1 2 0 0 0 1 3 0 0 0 1 4 0 0 0 2 3 0 1 0 2 4 1 0 0 3 4 0 0 1",
    "hcb": "2 1 2 0 0 1 2 0 1 1 2 1 0",
}
"""Keys that the Systre program (19.6.0) prints; of nets as small as these ours are equal."""
ALIKE = (
    "3 1 1 0 1 0 1 1 1 0 0 1 2 0 0 0 1 2 0 0 1 2 2 1 -1 0 2 2 1 0 0",
    "3 1 1 0 1 0 1 1 1 0 0 1 2 0 0 0 1 3 0 0 0 2 2 1 -1 0 2 2 1 0 0 2 3 0 0 1 3 3 0 1 0 3 3 1 -1 0",
)
"""RCSR's sxb and sxc: layers of square nets, turned against each other, in stacks of two and of three."""


def of(text: str) -> Quotient:
    """The graph of a form; a layer lies across the third axis."""
    d, *numbers = map(int, text.split())
    rows = np.array(numbers).reshape(-1, 2 + d) - [1, 1, *[0] * d]
    return Quotient(int(rows[:, :2].max()) + 1, np.column_stack([rows, np.zeros((len(rows), 3 - d), int)]))


def part(quotient: Quotient) -> Quotient:
    (only,) = connected_parts(quotient)
    return only.quotient


def form(quotient: Quotient) -> str:
    return canonical_form(part(quotient), range(quotient.n))[0]


@pytest.fixture(scope="module")
def seeds() -> pd.DataFrame:
    return shipped("sp2-carbon")


def graphs(seeds: pd.DataFrame, *, step: int, largest: int) -> list[Quotient]:
    few = seeds[seeds["atoms"] <= largest].iloc[::step]
    crystals = decode(few, element=6).crystals
    return [bond_graph(crystals, k, cutoff=1.7) for k in range(len(few))]


@pytest.mark.parametrize("name", SYSTRE)
def test_forms_of_small_nets_are_systre_keys(name: str) -> None:
    assert form(of(SYSTRE[name])) == SYSTRE[name]
    assert net(of(SYSTRE[name])).name == name


def test_form_does_not_depend_on_the_description(seeds: pd.DataFrame) -> None:
    """20 random descriptions of each of some nets: labels, origins, cells and supercells up to four times as large."""
    rng = np.random.default_rng(0)
    for graph in graphs(seeds, step=12, largest=48):
        for piece in connected_parts(graph):
            expected, _ = canonical_form(piece.quotient, range(piece.quotient.n))
            for k in range(20):
                other = rewritten(piece.quotient, rng, cells=1 + k % 4)
                assert canonical_form(other, range(other.n))[0] == expected


def test_form_is_the_net(seeds: pd.DataFrame) -> None:
    """The graph that a form describes has the same net, vertex for vertex."""
    for graph in graphs(seeds, step=9, largest=96):
        result = net(graph)
        for component in result.components:
            again = net(of(component.form))
            assert again.components[0].form == component.form
            assert again.components[0].vertices == component.vertices
            assert again.key == component.key


def test_nets_with_equal_invariants_are_told_apart() -> None:
    one, other = (net(of(text)) for text in ALIKE)
    assert one.components[0].vertices == other.components[0].vertices
    assert one.key != other.key


def test_exchanged_ends_of_edges_make_another_net(seeds: pd.DataFrame) -> None:
    """Never with the same form and other invariants, and nearly always with another form."""
    rng = np.random.default_rng(2)
    different = []
    for graph in graphs(seeds, step=12, largest=48):
        edges = graph.edges.copy()
        a, b = rng.choice(len(edges), 2, replace=False)
        edges[[a, b], 1:] = edges[[b, a], 1:]
        one, other = net(graph), net(Quotient(graph.n, edges))
        different.append(one.key != other.key)
        assert different[-1] or one.components[0].vertices == other.components[0].vertices
    assert np.mean(different) > 0.7


def test_classes_are_those_of_the_symmetry(seeds: pd.DataFrame) -> None:
    """Sites of the crystal are classes of the net or parts of them, and knowing them beforehand changes no form."""
    crystals = decode(seeds[(seeds["atoms"] <= 60) & (seeds["kind"] == "framework")].iloc[::10], element=6).crystals
    atoms = crystals.atoms()
    for k in range(len(crystals)):
        (piece,) = connected_parts(bond_graph(crystals, k, cutoff=1.7))
        site = atoms.site[atoms.first[k] : atoms.first[k + 1]][piece.members].tolist()
        form, result = canonical_form(piece.quotient, range(len(site)))
        assert len(set(zip(result, site, strict=True))) == len(set(site))
        assert canonical_form(piece.quotient, site)[0] == form


def test_placement_against_fractions() -> None:
    """Every vertex is the mean of its neighbours: solved once more, in fractions."""
    graph = rewritten(of(SYSTRE["srs"]), np.random.default_rng(3), cells=3)
    places = solved(graph)
    placed = placement(graph)
    results = set()
    for source, target, shift, vector in zip(placed.source, placed.target, placed.shift, placed.vector, strict=True):
        expected = [b + int(s) - a for a, b, s in zip(places[source], places[target], shift, strict=True)]
        residue = [x.numerator * pow(x.denominator, -1, placed.prime) % placed.prime for x in expected]
        assert vector.tolist() == residue
        results.add(tuple(expected))
    assert len(results) == 12  # srs has six edges a cell, each in two directions


def solved(graph: Quotient) -> list[list[Fraction]]:
    n = graph.n
    rows = [[Fraction(0)] * (n + 3) for _ in range(n)]
    for i, j, *shift in graph.edges.tolist():
        for a, b, sign in ((i, j, 1), (j, i, -1)):
            rows[a][a] += 1
            rows[a][b] -= 1
            for axis in range(3):
                rows[a][n + axis] += sign * shift[axis]
    rows[0] = [Fraction(int(k == 0)) for k in range(n + 3)]
    for column in range(n):
        pivot = next(row for row in range(column, n) if rows[row][column])
        rows[column], rows[pivot] = rows[pivot], rows[column]
        rows[column] = [x / rows[column][column] for x in rows[column]]
        for row in range(n):
            if row != column:
                rows[row] = [x - rows[row][column] * y for x, y in zip(rows[row], rows[column], strict=True)]
    return [row[n:] for row in rows]


@pytest.mark.parametrize("cells", [1, 2, 3, 4, 6])
def test_supercells_are_reduced(cells: int) -> None:
    graph = rewritten(of(SYSTRE["srs"]), np.random.default_rng(cells), cells=cells)
    reduced = minimal_net(graph, placement(graph))
    assert reduced is not None
    smallest, stands_for = reduced
    assert smallest.n == 4 and len(smallest.edges) == 6
    assert np.bincount(stands_for).tolist() == [cells] * 4


def test_primes() -> None:
    small = np.arange(2, 46342)
    assert all((prime % small[small < prime]).all() and prime < 2**31 for prime in PRIMES)


def test_elimination_gives_rank_and_inverse() -> None:
    rng = np.random.default_rng(4)
    prime = PRIMES[0]
    matrix = rng.integers(0, prime, (7, 7))
    both = np.concatenate([matrix, np.eye(7, dtype=int)], axis=1)
    assert eliminate(both, 7, prime) == 7
    product = matrix.astype(object) @ both[:, 7:].astype(object) % prime
    assert (product == np.eye(7, dtype=int)).all()
    matrix[6] = (matrix[0] + 2 * matrix[1]) % prime
    assert eliminate(matrix, 7, prime) == 6


COLLISIONS = {
    # neighbours of a vertex at one place
    "2i": Quotient(4, np.array([[0, 1, 0, 0, 0], [0, 2, 0, 0, 0], [1, 3, 0, 0, 0], [2, 3, 0, 0, 0], [1, 2, 0, 0, 0],
                                [0, 3, 1, 0, 0], [0, 0, 0, 1, 0], [3, 3, 0, 1, 0]])),
    # a ladder: the exchange of its two sides keeps all vectors
    "1i": Quotient(2, np.array([[0, 1, 0, 0, 0], [0, 0, 0, 0, 1], [1, 1, 0, 0, 1]])),
    # a finite graph
    "0i": Quotient(2, np.array([[0, 1, 0, 0, 0]])),
}  # fmt: skip


@pytest.mark.parametrize("prefix", COLLISIONS)
def test_nets_without_form_have_a_key_of_invariants(prefix: str) -> None:
    graph = COLLISIONS[prefix]
    (component,) = net(graph).components
    assert component.form == "" and component.key.startswith(f"{prefix}-")
    if component.periodicity:
        for cells in (1, 2, 3):
            other = rewritten(part(graph), np.random.default_rng(cells), cells=cells)
            padding = np.zeros((len(other.edges), 3 - component.periodicity), int)
            assert net(Quotient(other.n, np.column_stack([other.edges, padding]))).key == component.key


def test_zigzag_chain_is_a_line() -> None:
    """Two vertices a cell where one would do, and both edges of one length."""
    chain = Quotient(2, np.array([[0, 1, 0, 0, 0], [0, 1, 0, 0, -1]]))
    assert net(chain).components[0].form == "1 1 1 1"
