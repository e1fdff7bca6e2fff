import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyxtal
from pymatgen.symmetry.settings import JonesFaithfulTransformation

from legocryst.crystal.cell import symmetrized
from legocryst.crystal.crystals import Crystals
from legocryst.crystal.symmetry.redescription import written
from legocryst.crystal.symmetry.subgroups import CELLS, Subgroups, basis_of, basis_text, indices, reduced, subgroups
from legocryst.crystal.symmetry.wyckoff import N_GROUPS, primitive, wyckoff
from legocryst.topology.graphs import lattice_basis
from tests.crystal.by_spglib import operation_set

Transformation = tuple[int, np.ndarray, np.ndarray]


def published(parent: int, kind: str) -> Iterator[tuple[Transformation, int, list[list[str]]]]:
    """Maximal subgroups of International Tables A1 in pyxtal's tables: with the index, and how positions split."""
    entry: Any = _tables()[kind][str(parent)]
    columns = (entry[name] for name in ("type", "subgroup", "index", "transformation", "relations"))
    for subgroup, group, index, operations, relations in zip(*columns, strict=True):
        if subgroup == kind:
            numbers = np.rint(np.array(operations["data"]) * 24) / 24  # 0.33333333 is a third
            yield (int(group), numbers[:, :3], numbers[:, 3]), int(index), relations


def _tables() -> dict[str, Any]:
    if not _READ:
        folder = Path(pyxtal.__file__).parent / "database"
        _READ.update({kind: json.loads((folder / f"{kind}_subgroup.json").read_text()) for kind in "tk"})
    return _READ


_READ: dict[str, Any] = {}


def operations(link: Transformation) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rotations, translations and a basis (rows) of the lattice of a subgroup, in the axes of its parent."""
    group, matrix, origin = link
    rotation, translation = wyckoff().general(group)
    rotation, which = np.unique(rotation, axis=0, return_index=True)
    turned = matrix @ rotation @ np.linalg.inv(matrix)
    return turned, translation[which] @ matrix.T + origin - turned @ origin, (matrix @ primitive(group)).T


def name(rotation: np.ndarray, translation: np.ndarray, lattice: np.ndarray) -> tuple[tuple[int, ...], ...]:
    """A name that equal subgroups share, whatever their settings: translations in 48ths, modulo the lattice."""
    rows = lattice_basis(np.rint(48 * lattice).astype(int))
    rest = np.rint(48 * translation).astype(int)
    for i in range(3):
        rest -= (rest[:, i] // rows[i, i])[:, None] * rows[i]
    return (
        *sorted(map(tuple, np.c_[np.rint(rotation).reshape(-1, 9), rest].astype(int).tolist())),
        tuple(rows.ravel()),
    )


def conjugates(parent: int, link: Transformation) -> set[tuple[tuple[int, ...], ...]]:
    """Names of all subgroups conjugate to one in its parent."""
    rotation, translation, lattice = operations(link)
    results = {name(rotation, translation, lattice)}
    queue = [(rotation, translation, lattice)]
    acting = [*zip(*wyckoff().general(parent), strict=True)] + [(np.eye(3), step) for step in primitive(parent).T]
    while queue:
        rotation, translation, lattice = queue.pop()
        for turn, shift in acting:
            moved = turn @ rotation @ np.linalg.inv(turn)
            there = shift + translation @ turn.T - moved @ shift
            if (new := name(moved, there, lattice @ turn.T)) not in results:
                results.add(new)
                queue.append((moved, there, lattice @ turn.T))
    return results


def links(table: Subgroups) -> list[Transformation]:
    return list(zip(table.group.tolist(), table.P, table.p, strict=True))


def test_every_group_has_itself_first_and_all_indices_rise() -> None:
    for group in range(1, N_GROUPS + 1):
        own = subgroups(group)
        assert own.group[0] == group and np.array_equal(own.P[0], np.eye(3)) and not own.p[0].any()
        assert (np.diff(own.index) >= 0).all() and own.k_index.max() == CELLS
        assert own.t_index.max() == len(np.unique(wyckoff().general(group)[0], axis=0))
        t_index, k_index = indices(np.full(len(own), group), own.group, own.P)
        assert np.array_equal(t_index, own.t_index) and np.array_equal(k_index, own.k_index)


def test_operations_of_each_subgroup_are_operations_of_its_parent() -> None:
    for parent in range(1, N_GROUPS + 1, 9):
        parents = operation_set(*wyckoff().general(parent))
        for group, P, p in links(subgroups(parent)):
            rotation, translation = wyckoff().general(group)
            turned = P @ rotation @ np.linalg.inv(P)
            assert operation_set(turned, translation @ P.T + p - turned @ p) <= parents
            assert np.linalg.det(P) > 0


def test_how_many_classes_there_are() -> None:
    # Subgroups of the point group up to conjugation: m-3m has 33, 6/mmm 32 with its two settings, -1 two, 1 one.
    assert [(subgroups(g).k_index == 1).sum() for g in (1, 2, 221, 225, 230)] == [1, 2, 33, 33, 33]
    # P1: the sublattices of index 2, 3, 4 (OEIS A001001). P-1: each has |L / (2L + T)| classes of origins besides.
    assert np.bincount(subgroups(1).k_index).tolist() == [0, 1, 7, 13, 35]
    own = subgroups(2)
    assert np.bincount(own.k_index[own.group == 2]).tolist() == [0, 1, 14, 13, 28 * 2 + 7 * 4]


@pytest.mark.parametrize("parent", [4, 15, 41, 62, 88, 123, 139, 148, 166, 180, 194, 205, 221, 227, 230])
def test_no_two_are_conjugate_and_all_of_international_tables_are_there(parent: int) -> None:
    own = subgroups(parent)
    keys = np.c_[own.group, own.t_index, own.k_index]
    results: dict[tuple[tuple[int, ...], ...], int] = {}
    for k in np.flatnonzero(own.index <= 4):
        names = conjugates(parent, links(own)[k])
        assert not names & results.keys(), f"{keys[k]} twice"
        results |= dict.fromkeys(names, int(k))
    compared = 0
    for kind in "tk":
        for link, index, _ in published(parent, kind):
            if index <= 4:
                ours = results[name(*operations(link))]
                assert keys[ours].tolist() == [link[0], index if kind == "t" else 1, index if kind == "k" else 1]
                compared += 1
    assert compared >= 2


@pytest.mark.parametrize("kind", ["t", "k"])
def test_positions_split_as_in_international_tables(kind: str) -> None:
    table, u, compared = wyckoff(), np.sqrt([0.0184, 0.0739, 0.1716]), 0
    for parent in range(17, N_GROUPS + 1, 6):
        # a monoclinic cell is reduced, which changes letters
        splittings = [
            (link, how) for link, _, how in published(parent, kind) if link[0] > 15 and np.linalg.det(link[1]) > 0
        ]
        if not splittings:
            continue
        group, P, p = (np.array(part) for part in zip(*(link for link, _ in splittings), strict=True))
        result = Subgroups(parent, group, np.ones_like(group), np.ones_like(group), P, p)
        cell = symmetrized(np.array([parent]), np.array([[4.0, 5, 6, 1.5, 1.6, 1.7]]))
        for k, position_id in enumerate(table.positions(parent)):
            op = table.op_first[position_id]
            point = table.rotation[op] @ u + table.translation[op]
            crystal = Crystals.build([parent], cell, [[(6, k, point.tolist())]])
            ours, _ = written(crystal, result, max_sites=99, max_atoms=10**4)
            names = np.char.add(ours.multiplicity.astype(str), ours.letters)
            for i, (link, relations) in enumerate(splittings):
                split = names[ours.first_site[i] : ours.first_site[i + 1]].tolist()
                assert sorted(split) == sorted(relations[-1 - k]), (parent, link, table.letter[position_id])
                compared += 1
    assert compared > 1000


def test_basis_text_is_that_of_the_field() -> None:
    assert basis_text(np.array([[1, 1, 0], [-1, 1, 0], [0, 0, 2]])) == "a-b,a+b,2c"
    for parent in (1, 62, 166, 227):
        for P in subgroups(parent).P[::40]:
            text = basis_text(P)
            assert np.allclose(basis_of(text), P, atol=1e-12)
            theirs, _ = JonesFaithfulTransformation.parse_transformation_string(f"{text};0,0,0")
            assert np.allclose(theirs, P, atol=1e-9)


@pytest.mark.parametrize("text", ["", "a,b", "a,b,c,a", "a,b,d", "a,b,c+", "a,,c", "a, b, c", "a,b,2"])
def test_what_is_no_basis_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no basis"):
        basis_of(text)


def test_reduced_cells_are_short_and_of_the_same_subgroup() -> None:
    lattice = np.diag([3.0, 4.0, 5.0])
    own = subgroups(47)
    low = own.take((own.group <= 15) & (own.index <= 16))
    short = reduced(low, lattice)
    size, before = (np.linalg.norm(result.P.swapaxes(1, 2) @ lattice, axis=2).sum(axis=1) for result in (short, low))
    assert (size <= before + 1e-9).all() and (size < before - 0.1).any()
    for one, other in zip(links(low), links(short), strict=True):
        assert name(*operations(one)) == name(*operations(other))
