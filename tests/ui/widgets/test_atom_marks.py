"""Marks of atoms: sites, bonds and rings of crystals where they are known, and of the shipped ones by their nets."""

import numpy as np
import pytest

from legocryst.crystal.io.structures import to_structure
from legocryst.crystal.io.table import decode
from legocryst.environment.target_library import target
from legocryst.stages.curate import shipped
from legocryst.topology.symbols import topology
from legocryst.ui.widgets.atom_marks import COLORS, KINDS, marks
from legocryst.ui.widgets.scene import scene

GRAPHITE = target("sp2-carbon").reference.crystals()
DIAMOND = target("sp3-carbon").reference.crystals()


def test_known_crystals() -> None:
    sites = marks(GRAPHITE, kind="Site", cutoff=1.7)
    assert sites.short == ("1", "2") and sorted(np.bincount(sites.of)) == [2, 2]
    assert all(words.startswith("C at 2") for words in sites.words)
    for crystal, cutoff, bonds in ((GRAPHITE, 1.7, "3"), (DIAMOND, 1.75, "4")):
        assert marks(crystal, kind="Coordination", cutoff=cutoff).words == (f"{bonds} bonds",)
        assert marks(crystal, kind="Ring size", cutoff=cutoff).words == ("rings: 6",)
        assert marks(crystal, kind="Element", cutoff=cutoff).legend() == [{"short": "C", "words": "C", "color": ""}]
    assert marks(GRAPHITE, kind="Coordination", cutoff=1.0).words == ("0 bonds",)
    assert marks(GRAPHITE, kind="Ring size", cutoff=1.0).short == ("none",)


def test_marks_of_shipped_crystals() -> None:
    """Bonds as pymatgen counts them, rings as the topology says, a mark for every atom that is drawn."""
    table = shipped("sp2-carbon")
    crystals = decode(table[table["atoms"] <= 48].iloc[::20], element=6).crystals
    several = 0
    for i in range(len(crystals)):
        longer = 2.6  # so that atoms differ
        bonds = marks(crystals, i, kind="Coordination", cutoff=longer)
        atoms = to_structure(crystals, i)
        assert [int(bonds.short[k]) for k in bonds.of] == [len(one) for one in atoms.get_all_neighbors(longer)]
        assert list(bonds.short) == sorted(bonds.short, key=int)
        rings = marks(crystals, i, kind="Ring size", cutoff=1.7)
        described = {int(size) for text in rings.short if text != "none" for size in text.split()}
        assert described == {size for size in topology(crystals, i, cutoff=1.7).net.rings if size}
        drawn = scene(crystals, i, cutoff=1.7)
        assert len(drawn.atoms) == len(drawn.positions)
        shift = drawn.positions - (crystals.take([i]).atoms().fractional @ drawn.axes)[drawn.atoms]
        steps = shift @ np.linalg.inv(drawn.axes)
        assert np.allclose(steps, np.rint(steps), atol=1e-6)
        several += len(bonds.short) > 1
    assert several


def test_colors_and_kinds() -> None:
    assert len(set(COLORS)) == len(COLORS) == 8
    assert [mark["color"] for mark in marks(GRAPHITE, kind="Site", cutoff=1.7).legend()] == list(COLORS[:2])
    with pytest.raises(ValueError, match="choose one of Element, Site, Coordination, Ring size"):
        marks(GRAPHITE, kind=KINDS[0].lower(), cutoff=1.7)
