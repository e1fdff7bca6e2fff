"""The 3D view as a file of its own, and the vendored script."""

import json
import re
from typing import Any

import pytest

from legocryst.environment.targets import target
from legocryst.ui import viewer
from legocryst.ui.scene import Scene, scene
from legocryst.ui.viewer import SCRIPT, WAYS, Tile, _data, gallery, standalone


@pytest.fixture(scope="module")
def graphite() -> Scene:
    return scene(target().reference.crystals(), cutoff=1.7)


def test_standalone_page_holds_the_script_and_names_no_host(graphite: Scene) -> None:
    page = standalone(graphite, title="<graphite> & more")
    script = SCRIPT.read_text(encoding="utf-8")
    assert script in page
    rest = page.replace(script, "")
    assert not re.search(r"https?://", rest)
    assert "&lt;graphite&gt; &amp; more" in rest and "<graphite>" not in rest
    assert rest.count("addCylinder") == len(graphite.bonds) + len(graphite.edges)
    assert f'"{int(graphite.inside.sum())}\\n' in rest


def test_scene_travels_as_json(graphite: Scene) -> None:
    data = _data(graphite, name="x", way=WAYS[0], cell=True, perspective=True, height=400)
    again = json.loads(json.dumps(data))["scene"]
    assert len(again["positions"]) == len(again["symbols"]) == len(again["inside"])
    assert set(again["symbols"]) == {"C"}


def test_gallery_sends_every_tile_and_frames_the_picked(graphite: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: dict[str, Any] = {}

    def component(**given: Any) -> dict[str, Any]:
        sent.update(given)
        return {"picked": "b"}

    monkeypatch.setattr(viewer, "_gallery", lambda: component)
    tiles = [Tile(name, graphite, f"<{name}>", "194, 4 atoms") for name in "ab"]
    assert gallery(tiles, picked="a") == "b"
    shown = json.loads(json.dumps(sent["data"]))["tiles"]
    assert [(tile["camera"], tile["title"], tile["picked"]) for tile in shown] == [
        ("a", "<a>", True),
        ("b", "<b>", False),
    ]
    assert all(len(tile["scene"]["positions"]) == len(graphite.positions) for tile in shown)
