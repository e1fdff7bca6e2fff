"""Point symbols of RCSR, rings and interpenetration."""

import numpy as np
import pytest

from legocryst.crystal.crystals import Crystals
from legocryst.crystal.io.table import decode
from legocryst.crystal.symmetry.wyckoff import wyckoff
from legocryst.environment.target_library import target
from legocryst.stages.curate import shipped
from legocryst.topology.graphs import PeriodicGraph, Quotient
from legocryst.topology.symbols import topology

CUTOFF = target("sp2-carbon").bond_window[1]
RCSR = {  # point symbol, coordination sequence to 10 shells of the first vertex where there is one kind
    "srs": ("{10^3}", (3, 6, 12, 24, 35, 48, 69, 86, 108, 138)),
    "ths": ("{10^3}", (3, 6, 12, 24, 38, 56, 77, 102, 129, 160)),
    "hcb": ("{6^3}", (3, 6, 9, 12, 15, 18, 21, 24, 27, 30)),
    "fes": ("{4.8^2}", (3, 5, 8, 11, 13, 16, 19, 21, 24, 27)),
    "lig": ("{8^2.10}", (3, 6, 12, 22, 35, 50, 69, 92, 116, 142)),
}


@pytest.mark.parametrize("name", RCSR)
def test_point_symbols_and_sequences(name: str) -> None:
    table = shipped("sp2-carbon")
    described = topology(decode(table[table["name"] == name].reset_index(drop=True), element=6).crystals, cutoff=CUTOFF)
    entry = described.entry()
    assert (entry["net"], entry["point_symbol"], tuple(entry["coordination_sequence"][0][:10])) == (name, *RCSR[name])
    assert sum(entry["vertices"]) == 1 and entry["interpenetration"] == (entry["periodicity"] == 3)


def grid(*extra: tuple[int, ...]) -> Quotient:
    """One vertex in a square or cubic net."""
    return Quotient(1, np.array([(0, 0, 1, 0, 0), (0, 0, 0, 1, 0), *extra]))


def test_cycles_are_no_rings() -> None:
    """Straight angles have cycles, but no rings: sql is 4^4.6^2, pcu 4^12.6^3."""
    square, cubic = grid(), grid((0, 0, 0, 0, 1))
    assert PeriodicGraph(square).cycles(0) == (4,) * 4 + (6,) * 2
    assert PeriodicGraph(cubic).cycles(0) == (4,) * 12 + (6,) * 3
    assert [size for size, _ in PeriodicGraph(square).angles(0)].count(0) == 2


def test_angles_of_chains_have_no_cycle() -> None:
    assert PeriodicGraph(Quotient(1, np.array([(0, 0, 1, 0, 0)]))).cycles(0) == (0,)


def test_two_frameworks_that_do_not_touch() -> None:
    """srs of both hands: 16b of Ia-3d."""
    letters = list(wyckoff().letter[list(wyckoff().positions(230))])
    edge = 1.42 * 8**0.5
    cell = np.array([[edge] * 3 + [np.pi / 2] * 3])
    pair = Crystals.build([230], cell, [[(6, letters.index("b"), (0.125, 0.125, 0.125))]])
    described = topology(pair, cutoff=1.6)
    assert described.net.kind == "interpenetrated" and described.interpenetration == 2
    assert described.point_symbol == "{10^3}" and described.net.components[0].name == "srs"


def test_mixtures_have_the_symbols_of_all_parts() -> None:
    one, other = [(6, 0, (0.0, 0.0, 0.0)), (6, 0, (1 / 3, 2 / 3, 0.0))], [(6, 0, (0.0, 0.0, 0.5))]
    sheet = Crystals.build([1], np.array([[2.46, 2.46, 8.0, np.pi / 2, np.pi / 2, 2 * np.pi / 3]]), [[*one, *other]])
    described = topology(sheet, cutoff=CUTOFF)
    assert (
        described.net.kind == "mixture" and described.point_symbol == "{6^3} + {}" and described.interpenetration == 0
    )
