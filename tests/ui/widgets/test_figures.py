"""Figures show the numbers they were given, with units on their axes."""

import json

import numpy as np
import pandas as pd
import pytest

from legocryst.database import queries
from legocryst.stages.counts import count
from legocryst.ui.widgets import figures


@pytest.fixture
def counts() -> dict[str, object]:
    rows = [("undecodable", "bad cell", 2), ("invalid", "too few bonds", 5), ("duplicate", "", 1)]
    rows += [("known", "", 3), ("new", "", 4)]
    table = pd.DataFrame(rows, columns=["class", "reason", "rows"]).assign(periodicity=3, kind="framework")
    return count(table)


def test_funnel_falls_from_sampled_to_new(counts: dict[str, object]) -> None:
    steps = list(figures.funnel_steps(counts).values())
    assert steps == [15, 13, 8, 7, 4]
    assert list(figures.funnel(counts).data[0].x) == steps


def test_funnel_tells_small_shares_apart_from_none(counts: dict[str, object]) -> None:
    texts = list(figures.funnel(counts | {"sampled": 1500, "low_energy": 6}).data[0].text)
    assert texts[-1] == "6 (0.4 %)" and texts[0] == "1,500 (100 %)"


def test_histogram_counts_every_value_and_names_the_unit() -> None:
    bins = queries.binned(np.array([1.0, 2.0, 2.5, np.nan, 9.0]))
    figure = figures.histogram(bins, x="density")
    assert sum(figure.data[0].y) == 4
    assert figure.layout.xaxis.title.text == "Density (g/cm3)"


def test_mixture_has_the_area_of_the_bars() -> None:
    values = np.random.default_rng(0).normal(5, 0.5, 4000)
    bins = queries.binned(values)
    figure = figures.mixture(bins, json.dumps([{"mean": 5, "std": 0.5, "weight": 1}]), x="a")
    total = figure.data[-1]
    width = (bins["high"] - bins["low"]).iloc[0]
    assert np.trapezoid(total.y, total.x) == pytest.approx(len(values) * width, rel=0.02)


def test_mixture_expects_what_the_bars_hold() -> None:
    """A component of one value is as high as its bar; that of unused sites is left out, and the others keep theirs."""
    values = np.r_[np.full(300, 0.5), np.linspace(0, 1, 700)]
    parts = [{"mean": -1, "std": 1e-8, "weight": 0.5}, {"mean": 0.5, "std": 1e-8, "weight": 0.15}]
    parts += [{"mean": 0.5, "std": 0.3, "weight": 0.35}]
    figure = figures.mixture(queries.binned(values, bins=20), json.dumps(parts), x="x0")
    components = figure.data[1:-1]
    assert len(components) == 2
    assert max(components[0].y) == pytest.approx(300)
    assert 30 < max(components[1].y) < 60


def test_what_filters_leave_out() -> None:
    rows = pd.DataFrame(
        [("strain above 0.1", 7, 3), ("same net as another", 0, 0)], columns=["reason", "alone", "only"]
    )
    figure = figures.filters(rows)
    assert [list(bar.x) for bar in figure.data] == [[7, 0], [3, 0]]
    assert len({bar.marker.pattern.shape for bar in figure.data}) == 2
    assert figure.layout.xaxis.range[0] == 0 and figures.filters(rows.tail(1)).layout.xaxis.range[1] > 0


def test_lines_and_columns_keep_their_values() -> None:
    x, series = np.arange(3), {"Graphite": np.array([9.0, 0.0, -1.0]), "srs": np.array([9.0, 1.0, 2.0])}
    for figure in (figures.lines(x, series, across="r", up="n"), figures.columns(x, series, across="l", up="n")):
        assert [list(part.y) for part in figure.data] == [list(values) for values in series.values()]
        assert [part.name for part in figure.data] == list(series)
    assert figure.layout.yaxis.range[0] < -1 and figure.layout.yaxis.range[1] > 9


def test_numbers_of_a_row_stand_in_their_places() -> None:
    row = pd.DataFrame({"start": [0, 3], "part": [2, 1], "scalar": [np.nan, 0.25], "label": ["Space group", "a (Å)"]})
    ones, scalars = figures.encoded(row, 6).data
    assert list(ones.x) == [1, 4] and list(scalars.x) == [3] and list(scalars.y) == [0.25]


def test_several_series_differ_by_more_than_colour() -> None:
    table = pd.DataFrame({"epoch": [1, 2, 1, 2], "quantity": ["loss", "loss", "held_out", "held_out"], "value": 1.0})
    lines = figures.curves(table, ["loss", "held_out", "absent"], y="Loss").data
    assert len({line.line.dash for line in lines}) == len({line.marker.symbol for line in lines}) == len(lines) == 2
    part = pd.DataFrame({"sites": [1, 1], "n": [3, 1], "set": ["a", "b"]})
    bars = figures.bars(part, x="sites", by="set", percent=True).data
    assert len({bar.marker.pattern.shape for bar in bars}) == 2
    assert [list(bar.y) for bar in bars] == [[100.0], [100.0]]


def test_ranked_bars_keep_the_sum() -> None:
    figure = figures.ranked({f"r{k}": k for k in range(1, 15)}, x="Rows", most=5)
    assert sum(figure.data[0].x) == sum(range(1, 15))
    assert list(figure.data[0].y) == ["r14", "r13", "r12", "r11", "r10", "others"]


def test_low_energies_are_counted_among_the_new_only() -> None:
    rows = [("new", True, 2), ("new", False, 3), ("known", True, 5), ("duplicate", True, 7), ("new", None, 1)]
    table = pd.DataFrame(rows, columns=["class", "low_energy", "rows"]).assign(
        reason="", periodicity=3, kind="framework"
    )
    assert count(table)["low_energy"] == 2
