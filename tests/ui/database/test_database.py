"""What the tabs of the Database page are made of."""

import numpy as np
import pandas as pd
import pytest

from legocryst.crystal.io import table
from legocryst.database.filters import Filters
from legocryst.database.schema import COLUMNS
from legocryst.environment.validity import REASONS
from legocryst.ui.database import failures, filter_form, pictures, plots
from legocryst.vocabulary.quantities import CRYSTAL_COLUMNS, QUANTITIES


def test_every_column_is_a_filter_that_the_command_line_reads_too() -> None:
    assert set(filter_form.ORDERED) == set(COLUMNS) >= {"energy", "gap", "starred", "note", "wp0", *CRYSTAL_COLUMNS}
    for name in COLUMNS:
        quantity = QUANTITIES[name]
        good = "True" if quantity.kind == "truth" else "1"
        for key in filter_form.keys(name):
            assert Filters.parse(f"{key}={good}").text() == f"{key}={good}"


def test_every_reason_of_a_rejected_row_has_advice() -> None:
    ours = {table.IMPOSSIBLE_CELL, table.NO_SITES, table.TOO_MANY_ATOMS, table.FIXED_TWICE}
    assert set(failures.ADVICE) >= {*REASONS, *ours}


def test_selected_bars_and_boxes_become_ranges() -> None:
    bins = {"x": "density", "bins": [[1.0, 1.5], [1.5, 2.0], [2.0, 2.5]]}
    assert plots.ranges_of({"points": [{"x": 1.75}, {"x": 2.25}]}, bins) == {"density": (1.5, 2.5)}
    assert plots.ranges_of({"points": []}, bins) == {}
    both = {"x": "density", "y": "atoms"}
    box = {"points": [{"customdata": ["c-1"]}], "box": [{"x": [2.5, 1.0], "y": [8, 24.5]}]}
    assert plots.ranges_of(box, both) == {"density": (1.0, 2.5), "atoms": (8.0, 24.5)}
    assert plots.ranges_of({"points": [{"customdata": ["c-1"]}], "box": []}, both) == {}
    assert plots.names_of({"points": [{"customdata": ["c-1"]}, {"customdata": "c-2"}, {}]}) == ["c-1", "c-2"]


def test_the_picked_crystal_has_a_ring() -> None:
    points = pd.DataFrame({"id": ["c-1", "c-2"], "x": [1.0, 2.0], "y": [3.0, 4.0], "class": ["new", "known"]})
    assert [trace.name for trace in plots.dots(points, "density", "atoms").data] == ["known", "new"]
    ring = plots.dots(points, "density", "atoms", lit="c-2").data[-1]
    assert ring.name == "picked" and list(ring.x) == [2.0] and list(ring.y) == [4.0]


def test_differences_are_marked_in_words_and_unknown_quantities_left_out() -> None:
    rows = pd.DataFrame(
        {
            **{"id": ["c-1", "c-2"], "energy": [0.1, 0.2], "density": [2.0, 2.00001], "gap": [np.nan] * 2},
            **{"net_name": ["dia", ""], "atoms": [8, 8], "low_energy": [True, False], "loss": [1.0, np.nan]},
        }
    )
    result = pictures.differences(rows, ("energy", "density", "gap", "net_name", "atoms", "low_energy", "loss"))
    marks = dict(zip(result["Quantity"], result["Differs"], strict=True))
    headers = {str(name): QUANTITIES[str(name)].header for name in rows}
    assert headers["gap"] not in marks
    assert {name for name in headers if marks.get(headers[name])} == {"energy", "net_name", "low_energy", "loss"}
    assert list(result.loc[result["Quantity"] == headers["low_energy"], "c-1"]) == ["yes"]


@pytest.mark.parametrize(("value", "text"), [(0.123456, "0.1235"), (np.nan, ""), (None, "")])
def test_values_in_words(value: object, text: str) -> None:
    assert pictures.worded("energy", value) == text
