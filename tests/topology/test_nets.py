"""Nets: published coordination sequences and vertex symbols, and a key that knows only the net."""

from collections.abc import Callable

import numpy as np
import pytest

from legocryst.crystal import cell as cells
from legocryst.crystal.crystals import Crystals
from legocryst.crystal.io.table import decode
from legocryst.crystal.symmetry.wyckoff import wyckoff
from legocryst.environment.target_library import target
from legocryst.stages.curate import shipped
from legocryst.topology.graphs import lattice_basis
from legocryst.topology.nets import Net, Quotient, bond_graph, net, nets
from tests.crystals_at_random import random_crystals
from tests.descriptions import crystal_rewritten, larger_cell, unimodular

SP2 = target("sp2-carbon")

R = np.pi / 2
BOND = 1.42


Point = tuple[float, float, float]


def crystal(group: int, lengths: Point, *sites: tuple[str, Point]) -> Crystals:
    letters = wyckoff().letter[list(wyckoff().positions(group))].tolist()
    gamma = cells.HEXAGONAL if group > 142 and group < 195 else R
    return Crystals.build([group], [[*lengths, R, R, gamma]], [[(6, letters.index(k), x) for k, x in sites]])


def of(crystals: Crystals, cutoff: float = 1.1 * BOND) -> Net:
    return nets(crystals, cutoff=cutoff)[0]


def srs() -> Crystals:
    a = BOND * 8**0.5
    return crystal(214, (a, a, a), ("a", (1 / 8, 1 / 8, 1 / 8)))


def ths() -> Crystals:
    a, c = 1.88635 * BOND, 5.32920 * BOND
    return crystal(141, (a, a, c), ("e", (0, 0.25, -0.03118)))


def qtz() -> Crystals:
    a, c = 1.6330 * BOND, 1.7321 * BOND
    return crystal(180, (a, a, c), ("c", (0.5, 0, 0)))


def sod() -> Crystals:
    a = BOND * 8**0.5
    return crystal(229, (a, a, a), ("d", (0.25, 0, 0.5)))


def simple_cubic() -> Crystals:
    return crystal(221, (BOND, BOND, BOND), ("a", (0, 0, 0)))


# O'Keeffe, Peskov, Ramsden & Yaghi, Acc. Chem. Res. 41, 1782 (2008): the RCSR entries of these nets
PUBLISHED = [
    (srs, (3, 6, 12, 24, 35, 48, 69, 86, 108, 138), "10(5).10(5).10(5)"),
    (ths, (3, 6, 12, 24, 38, 56, 77, 102, 129, 160), "10(2).10(4).10(4)"),
    (qtz, (4, 12, 30, 52, 80, 116, 156, 204, 258, 318), "6.6.6(2).6(2).8(7).8(7)"),
    (sod, (4, 10, 20, 34, 52, 74, 100, 130, 164, 202), "4.4.6.6.6.6"),
    (simple_cubic, (6, 18, 38, 66, 102, 146, 198, 258, 326, 402), ".".join(["∞"] * 3 + ["4"] * 12)),
]


@pytest.mark.parametrize(("make", "sequence", "symbol"), PUBLISHED)
def test_published_nets(make: Callable[[], Crystals], sequence: tuple[int, ...], symbol: str) -> None:
    result = of(make())
    assert (result.kind, result.periodicity, len(result.components)) == ("framework", 3, 1)
    (vertex,) = result.components[0].vertices
    assert vertex.coordination_sequence[:10] == sequence
    assert vertex.symbol == symbol


def test_graphite_is_layers_of_hcb_and_diamond_a_framework() -> None:
    graphite = of(SP2.reference.crystals())
    assert (graphite.kind, graphite.periodicity, graphite.rings) == ("layers", 2, {6: 1})
    assert graphite.components[0].vertices[0].coordination_sequence == tuple(range(3, 39, 3))
    diamond = of(target("sp3-carbon").reference.crystals(), 1.7).components[0].vertices[0]
    assert diamond.coordination_sequence == (4, 12, 24, 42, 64, 92, 124, 162, 204, 252, 304, 362)
    assert diamond.symbol == ".".join(["6(2)"] * 6)


TRANSFORMS = [
    np.diag([2, 1, 1]),
    np.diag([1, 1, 3]),
    np.array([[1, 1, 0], [0, 1, 0], [0, 0, 1]]),
    np.array([[1, 0, 0], [2, 1, 0], [-1, 3, 1]]),
    np.array([[1, 1, 0], [-1, 1, 0], [0, 1, 2]]),
]


@pytest.mark.parametrize("transform", TRANSFORMS, ids=lambda m: str(m.tolist()))
@pytest.mark.parametrize("make", [srs, ths, lambda: SP2.reference.crystals()])
def test_key_does_not_depend_on_the_description(make: Callable[[], Crystals], transform: np.ndarray) -> None:
    one = make()
    a, b = of(one), of(crystal_rewritten(one, transform, np.random.default_rng(1), noise=0.02))
    assert (a.key, a.kind, a.rings) == (b.key, b.kind, b.rings)
    assert a.components == b.components


@pytest.mark.parametrize("row", range(5, 180, 35))
def test_key_of_a_shaken_crystal_in_random_cells(row: int) -> None:
    """20 cells of a shipped crystal, up to four times as large, atoms moved by 0.02 angstrom."""
    rng = np.random.default_rng(row)
    one = decode(shipped("sp2-carbon").iloc[[row]], element=6).crystals
    key = of(one, 1.7).key
    for k in range(20):
        other = crystal_rewritten(one, larger_cell(1 + k % 4, 3, rng), rng, noise=0.02)
        assert of(other, 1.7).key == key


def test_equivalent_vertices_are_taken_as_such() -> None:
    one = crystal(194, (2.46, 2.46, 6.7), ("b", (0, 0, 0.25)), ("c", (1 / 3, 2 / 3, 0.25)))
    assert net(bond_graph(one, 0, cutoff=1.6)) == of(one)


def test_different_nets_have_different_keys() -> None:
    results = [of(make()) for make, _, _ in PUBLISHED] + [of(SP2.reference.crystals())]
    assert len({one.key for one in results}) == len(results)


@pytest.mark.parametrize("seed", range(3))
def test_bonds_are_those_pymatgen_finds(seed: int) -> None:
    from legocryst.crystal.io.structures import to_structure

    batch = random_crystals(6, seed=seed, max_atoms=24)
    for i in range(len(batch)):
        quotient = bond_graph(batch, i, cutoff=2.2)
        pairs = to_structure(batch, i).get_neighbor_list(2.2, numerical_tol=1e-6)[0]
        assert 2 * len(quotient.edges) == len(pairs)
        degree = np.bincount(quotient.edges[:, :2].ravel(), minlength=quotient.n)
        assert sorted(degree) == sorted(np.bincount(pairs, minlength=quotient.n))


def test_cell_shorter_than_the_bonds_and_skewed() -> None:
    """One atom in a cell sheared until it is almost flat still has the six neighbours of the simple cubic net."""
    lattice = np.array([[1, 0, 0], [7, 1, 0], [-5, 6, 1]]) @ np.eye(3) * BOND
    one = Crystals.build([1], cells.cell_of(lattice)[None], [[(6, 0, (0.3, 0.9, 0.1))]])
    assert of(one).key == of(simple_cubic()).key
    assert len(bond_graph(one, 0, cutoff=2.01 * BOND).edges) == (6 + 12 + 8 + 6) // 2


def box(edges: Point, *parts: np.ndarray) -> Crystals:
    """Atoms at places in angstrom in a right-angled cell without symmetry."""
    points = np.concatenate(parts) / edges
    return Crystals.build([1], [[*edges, R, R, R]], [[(6, 0, point) for point in points]])


CUBE = BOND * np.stack(np.meshgrid(*[[0, 1]] * 3), axis=-1).reshape(-1, 3)
RUNG = BOND * np.array([[0, 0, 0], [1, 0, 0]])


def test_chains_cages_and_mixtures() -> None:
    ladder = of(box((12, 12, BOND), RUNG))
    assert (ladder.kind, ladder.periodicity) == ("chains", 1)
    assert ladder.components[0].vertices[0].coordination_sequence == (3,) + (4,) * 11
    cubes = of(box((12, 12, 12), CUBE, CUBE + 6))
    assert (cubes.kind, cubes.components[0].vertices[0].symbol) == ("cages", "4.4.4")
    assert cubes.key == of(box((9, 9, 9), CUBE - 1)).key
    rungs = [RUNG + np.array([6, 6, k * BOND]) for k in range(4)]
    mixed = of(box((12, 12, 4 * BOND), CUBE, *rungs))
    assert (mixed.kind, mixed.periodicity, mixed.rings) == ("mixture", 1, {0: 1, 4: 5})
    assert [part.key for part in mixed.components] == [ladder.key, cubes.key]
    assert [part.fraction for part in mixed.components] == [0.5, 0.5]
    assert mixed.key != of(box((12, 12, 8 * BOND), CUBE, *[RUNG + np.array([6, 6, k * BOND]) for k in range(8)])).key


def test_interpenetrating_copies_are_counted() -> None:
    """Translations multiplied by a matrix of determinant 3 leave three copies of the net that do not touch."""
    quotient = bond_graph(srs(), 0, cutoff=1.6)
    apart = quotient.edges.copy()
    apart[:, 2:] = apart[:, 2:] @ np.array([[1, 0, 0], [1, 3, 0], [0, 2, 1]])
    one, three = net(quotient), net(Quotient(quotient.n, apart))
    assert (three.kind, three.components[0].copies) == ("interpenetrated", 3)
    assert three.key == f"3x{one.key}"
    assert three.components[0].vertices == one.components[0].vertices


def test_atoms_without_bonds_are_cages_of_one() -> None:
    result = of(crystal(221, (5, 5, 5), ("a", (0, 0, 0))))
    assert (result.kind, result.periodicity, result.rings) == ("cages", 0, {})
    assert result.components[0].vertices[0].coordination_sequence == (0,) * 12


def test_a_net_without_vertices_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one vertex"):
        net(Quotient(0, np.zeros((0, 5), int)))


def test_lattice_basis_against_the_determinant() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        vectors = rng.integers(-4, 5, (3, 3))
        volume = round(abs(np.linalg.det(vectors)))
        basis = lattice_basis(vectors @ [[1, 2, 0], [0, 1, 5], [0, 0, 1]])
        assert len(basis) == np.linalg.matrix_rank(vectors)
        if volume:
            assert round(abs(np.linalg.det(basis))) == volume
        assert (lattice_basis(unimodular(3, rng) @ vectors) == lattice_basis(vectors)).all()


def test_progress_counts_crystals() -> None:
    batch = Crystals.concatenate([srs(), ths()] * 40)
    seen: list[tuple[int, int]] = []
    result = nets(batch, cutoff=1.6, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (80, 80) and len(result) == 80
    assert result[0].key == of(srs()).key and result[1].key == of(ths()).key
