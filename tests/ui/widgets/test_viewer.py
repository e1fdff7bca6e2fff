"""The 3D view as a file of its own, and the vendored script."""

import json
import re
from typing import Any

import numpy as np
import pytest

from legocryst.environment.target_library import target
from legocryst.ui.widgets import viewer
from legocryst.ui.widgets.atom_marks import marks
from legocryst.ui.widgets.scene import Scene, scene
from legocryst.ui.widgets.viewer import SCRIPT, WAYS, Look, Tile, _data, gallery, standalone


@pytest.fixture(scope="module")
def graphite() -> Scene:
    return scene(target("sp2-carbon").reference.crystals(), cutoff=1.7)


def test_standalone_page_holds_all_and_names_no_host(graphite: Scene) -> None:
    crystals = target("sp2-carbon").reference.crystals()
    look = Look(way=WAYS[1], marks=marks(crystals, kind="Site", cutoff=1.7), labels=True)
    page = standalone(graphite, title="<graphite> & more", look=look, facts={"Density": "<2.2> g/cm3"})
    script = SCRIPT.read_text(encoding="utf-8")
    assert script in page
    rest = page.replace(script, "")
    assert not re.search(r"https?://|//[a-z]+\.|\bimport\b|<link|src\s*=\s*\"", rest)
    assert "&lt;graphite&gt; &amp; more" in rest and "<graphite>" not in rest and "&lt;2.2&gt; g/cm3" in rest
    content = re.search(r'^panel\(document.querySelector\("\.legocryst-panel"\), (\{.*\})\)$', rest, re.MULTILINE)
    assert content is not None
    data = json.loads(content[1])
    assert np.allclose(data["scene"]["positions"], graphite.positions, atol=1e-4)
    assert data["scene"]["bonds"] == graphite.bonds.tolist() and data["labels"] and data["way"] == "Sticks"
    assert [mark["short"] for mark in data["legend"]] == ["1", "2"] and set(data["marks"]) == {0, 1}


def test_scene_travels_as_json(graphite: Scene) -> None:
    data = _data(graphite, name="x", look=Look(), height=400)
    again = json.loads(json.dumps(data))
    assert len(again["scene"]["positions"]) == len(again["scene"]["symbols"]) == len(again["scene"]["inside"])
    assert set(again["scene"]["symbols"]) == {"C"} and "marks" not in again


def test_gallery_sends_every_tile_and_frames_the_picked(graphite: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: dict[str, Any] = {}

    monkeypatch.setattr(viewer, "_gallery", lambda: sent.update)
    monkeypatch.setattr(viewer.st, "session_state", {"gallery": {"picked": "b"}})
    clicked: list[str] = []
    tiles = [Tile(name, graphite, f"<{name}>", "194, 4 atoms") for name in "ab"]
    gallery(tiles, on_pick=clicked.append, picked="a")
    sent["on_picked_change"]()
    assert clicked == ["b"]
    shown = json.loads(json.dumps(sent["data"]))["tiles"]
    assert [(tile["camera"], tile["title"], tile["picked"]) for tile in shown] == [
        ("a", "<a>", True),
        ("b", "<b>", False),
    ]
    assert all(len(tile["scene"]["positions"]) == len(graphite.positions) for tile in shown)
