import json
from pathlib import Path

import numpy as np
import pytest
import pyxtal
from pymatgen.analysis.structure_matcher import StructureMatcher

from legocryst.crystal.files import to_structure
from legocryst.crystal.representation import Crystals
from legocryst.crystal.subgroups import Subgroup, prove, split, subgroups, transform
from legocryst.crystal.wyckoff import N_GROUPS, wyckoff
from tests.crystal.by_spglib import operation_set
from tests.crystals_at_random import random_crystals, separated_crystal

RIGHT, HEX = np.pi / 2, 2 * np.pi / 3
GRAPHITE = Crystals.build([194], [[2.46, 2.46, 6.7, RIGHT, RIGHT, HEX]],
                          [[(6, 10, (0, 0, 0.25)), (6, 9, (1 / 3, 2 / 3, 0.25))]])  # fmt: skip


def between(parent: int, group: int) -> list[Subgroup]:
    return [s for s in subgroups(parent) if s.group == group]


def test_every_group_has_itself_first_and_p1_last() -> None:
    for group in range(1, N_GROUPS + 1):
        own = subgroups(group)
        assert own[0].group == group and own[0].index == 1 and own[-1].group == 1
        assert [s.index for s in own] == sorted(s.index for s in own)
        point_group = np.unique(wyckoff().general(group)[0], axis=0)
        assert own[-1].index == len(point_group)


def test_operations_of_each_subgroup_are_operations_of_its_parent() -> None:
    for parent in range(1, N_GROUPS + 1, 3):
        parents = operation_set(*wyckoff().general(parent))
        for s in subgroups(parent):
            rotation, translation = wyckoff().general(s.group)
            turned = s.P @ rotation @ np.linalg.inv(s.P)
            assert operation_set(turned, translation @ s.P.T + s.p - turned @ s.p) <= parents


def test_how_many_classes_there_are() -> None:
    # Subgroups of the point group up to conjugation: m-3m has 33, 6/mmm 32 with its two settings, -1 two, 1 one.
    assert [len(subgroups(g)) for g in (1, 2, 221, 225, 230)] == [1, 2, 33, 33, 33]


def test_positions_split_as_in_pyxtals_tables() -> None:
    table = json.loads((Path(pyxtal.__file__).parent / "database" / "t_subgroup.json").read_text())
    compared = 0
    for parent in range(2, N_GROUPS + 1, 4):
        entry = table[str(parent)]
        for s in subgroups(parent)[1:]:
            for group, relations, given in zip(
                entry["subgroup"], entry["relations"], entry["transformation"], strict=True
            ):
                matrix = np.array(given["data"])
                if group == s.group and np.allclose(matrix[:, :3], s.P) and np.allclose(matrix[:, 3] % 1, s.p):
                    for position_id, theirs in zip(reversed(wyckoff().positions(parent)), relations, strict=True):
                        ids = split(position_id, s).position_id
                        ours = [f"{wyckoff().multiplicity[k]}{wyckoff().letter[k]}" for k in ids]
                        assert sorted(ours) == sorted(theirs), (parent, group, wyckoff().letter[position_id])
                        compared += 1
    assert compared > 500


def test_diamond_becomes_zincblende() -> None:
    diamond = Crystals.build([227], [[3.567] * 3 + [RIGHT] * 3], [[(6, 8, (0.125, 0.125, 0.125))]])
    (zincblende,) = between(227, 216)
    written = transform(diamond, 0, zincblende)
    assert zincblende.index == 2 and written.group[0] == 216
    assert written.multiplicity.tolist() == [4, 4] and written.cell[0] == pytest.approx(diamond.cell[0])


def test_graphite_in_orthorhombic_axes() -> None:
    matcher, original = StructureMatcher(scale=False), to_structure(GRAPHITE)
    (cmcm,) = between(194, 63)
    written = transform(GRAPHITE, 0, cmcm)
    assert sorted(written.cell[0, :3]) == pytest.approx(sorted([2.46, 2.46 * 3**0.5, 6.7]))
    assert written.atom_count[0] == 8 and matcher.fit(original, to_structure(written))


def test_crystals_in_subgroups_are_the_same_by_structure_matcher() -> None:
    matcher, matched = StructureMatcher(scale=False), 0
    for group in range(3, N_GROUPS + 1, 9):
        crystals = separated_crystal(group, max_atoms=24)
        own = subgroups(group)
        for s in (own[len(own) // 2], own[-1]):
            written = transform(crystals, 0, s)
            assert written.atom_count[0] == pytest.approx(crystals.atom_count[0] * np.linalg.det(s.P))
            matched += matcher.fit(to_structure(crystals), to_structure(written))
    assert matched == 2 * len(range(3, N_GROUPS + 1, 9))


def test_all_positions_of_many_groups_transform() -> None:
    # `transform` proves that the atoms are the same, or raises.
    done = 0
    for group in range(1, N_GROUPS + 1, 5):
        crystals = random_crystals(1, seed=group, groups=[group], max_sites=3, max_atoms=300)
        for s in subgroups(group):
            done += len(transform(crystals, 0, s))
    assert done > 400


def test_another_groups_subgroup_is_refused() -> None:
    with pytest.raises(ValueError, match="one of group 227, and the crystal has 194"):
        transform(GRAPHITE, 0, subgroups(227)[1])


@pytest.mark.parametrize("what", ["coordinates", "cell", "species", "shift"])
def test_what_is_not_the_source_is_noticed(what: str) -> None:
    from dataclasses import replace

    s = between(194, 63)[0]
    written, shift = transform(GRAPHITE, 0, s), np.zeros((1, 3))
    prove(GRAPHITE, s, written, shift)
    if what == "coordinates":
        free = wyckoff().free[written.position_id]
        written = replace(written, coordinates=written.coordinates + 1e-3 * free)
    elif what == "shift":
        shift[0, 2] = 0.01
    else:
        changed = {"cell": written.cell * 1.001, "species": written.species + np.arange(len(written.species))}
        written = replace(written, **{what: changed[what]})
    with pytest.raises(ValueError, match="is not its source"):
        prove(GRAPHITE, s, written, shift)
