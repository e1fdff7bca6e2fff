"""Figures show the numbers they were given, with units on their axes."""

import json

import numpy as np
import pandas as pd
import pytest

from legocryst.counts import count
from legocryst.ui import figures, tables


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


def test_histogram_counts_every_value_and_names_the_unit() -> None:
    bins = tables.binned(np.array([1.0, 2.0, 2.5, np.nan, 9.0]))
    figure = figures.histogram(bins, x="density")
    assert sum(figure.data[0].y) == 4
    assert figure.layout.xaxis.title.text == "Density (g/cm3)"


def test_mixture_has_the_area_of_the_bars() -> None:
    values = np.random.default_rng(0).normal(5, 0.5, 4000)
    bins = tables.binned(values)
    figure = figures.mixture(bins, json.dumps([{"mean": 5, "std": 0.5, "weight": 1}]), x="a")
    total = figure.data[-1]
    width = (bins["high"] - bins["low"]).iloc[0]
    assert np.trapezoid(total.y, total.x) == pytest.approx(len(values) * width, rel=0.02)


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
