"""The figure of powder patterns, and point symbols as the page writes them."""

import numpy as np
import pytest

from legocryst.comparison.powder import Peak, likeness, powder
from legocryst.environment.target_library import target
from legocryst.ui.structure.net_section import _raised
from legocryst.ui.structure.powder_section import LABELS, ROOM, pattern_figure

LIMITS = (5.0, 90.0)


def test_two_patterns_point_away_from_each_other() -> None:
    one = powder(target("sp2-carbon").reference.crystals())
    other = powder(target("sp3-carbon").reference.crystals())
    figure = pattern_figure([("graphite", one), ("diamond", other)], limits=LIMITS)
    up, down = figure.data
    assert (up.name, down.name) == ("graphite", "diamond")
    assert np.nanmin(up.y) == np.nanmax(down.y) == 0
    assert [np.nanmax(up.y), np.nanmin(down.y)] == pytest.approx([100, -100])
    assert "002 at 26.61°, d = 3.350 Å, 100.0 %" in up.text
    labels = [(note.text, round(note.y)) for note in figure.layout.annotations]
    assert ("002", 100) in labels and ("111", -100) in labels
    assert likeness(one, one) == pytest.approx(1) and likeness(one, other) < 0.2 and likeness(one, []) == 0


def test_labels_leave_room() -> None:
    angles = np.linspace(10, 80, 200)
    peaks = [Peak(float(x), float(100 - k / 3), 1.0, ((1, 0, -2),), 6) for k, x in enumerate(angles)]
    notes = pattern_figure([("one", peaks)], limits=LIMITS).layout.annotations
    at = np.sort([note.x for note in notes])
    assert len(at) == LABELS and np.diff(at).min() >= ROOM
    assert notes[0].text == "102\u0305" and max(note.y for note in notes) == 100
    assert len(pattern_figure([("none", [])], limits=LIMITS).data[0].x) == 0


def test_point_symbols() -> None:
    assert _raised("{4.6^2}2{6^12}10") == "{4.6²}₂{6¹²}₁₀" and _raised("{4^4.*^2}") == "{4⁴.∞²}"
