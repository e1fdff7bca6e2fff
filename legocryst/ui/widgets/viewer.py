"""The 3D view of a crystal: a component of the page, thumbnails of many, and one file that works offline."""

import html
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from legocryst import ROOT
from legocryst.ui.widgets.atom_marks import Marks
from legocryst.ui.widgets.scene import Scene

SCRIPT = ROOT / "static" / "vendor" / "3dmol" / "3Dmol-min.js"
WAYS = ("Ball and stick", "Sticks", "Space filling")
MAX_LABELS = 1000
"""More words on atoms make a browser slow, and nobody reads them."""
_HERE = Path(__file__).parent
_HTML = '<div class="legocryst-panel"></div>'
_GALLERY_HTML = '<div class="legocryst-gallery"></div><p class="legocryst-note"></p>'
_ADDRESS = "app/static/vendor/3dmol/3Dmol-min.js"


@cache
def _component() -> Any:
    return _registered("viewer", _HTML)


@cache
def _gallery() -> Any:
    return _registered("gallery", _GALLERY_HTML)


def _registered(name: str, html: str) -> Any:
    return st.components.v2.component(
        f"legocryst_{name}", html=html, css=_own("viewer.css"), js=_own("viewer.js"), isolate_styles=False
    )


def _own(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Look:
    """How a scene is drawn."""

    way: str = WAYS[0]
    cell: bool = True
    perspective: bool = True
    marks: Marks | None = None  # of the atoms, else elements
    labels: bool = False  # each atom's mark is written on it


def view(scene: Scene, *, name: str, look: Look | None = None, height: int = 460, key: str = "viewer") -> None:
    """Draw a scene. The camera is kept while `name`, what is looked at, stays the same; each view has its own `key`."""
    shown = _data(scene, name=name, look=look or Look(), height=height)
    _component()(data=shown | {"script": _ADDRESS}, key=key)


@dataclass(frozen=True, slots=True)
class Tile:
    """One crystal of a gallery."""

    name: str  # by which it is picked; the same name is the same picture
    scene: Scene
    title: str
    text: str = ""


def gallery(
    tiles: Sequence[Tile], *, on_pick: Callable[[str], None], picked: str = "", columns: int = 4, key: str = "gallery"
) -> None:
    """Show thumbnails of crystals, the `picked` one framed; the callback `on_pick` gets a clicked one's name.

    One viewer draws them all, one after another, since browsers keep no more than 16 in memory.
    """
    listed = [
        {
            **_data(tile.scene, name=tile.name, look=Look(way=WAYS[1]), height=150),
            **{"title": tile.title, "text": tile.text, "picked": tile.name == picked},
        }
        for tile in tiles
    ]

    def pick() -> None:
        if name := st.session_state[key].get("picked"):
            on_pick(str(name))

    _gallery()(data={"tiles": listed, "columns": columns, "script": _ADDRESS}, key=key, on_picked_change=pick)


def _data(scene: Scene, *, name: str, look: Look, height: int) -> dict[str, Any]:
    drawn = {"way": look.way, "cell": look.cell, "perspective": look.perspective, "height": height}
    marked: dict[str, Any] = {"labels": look.labels}
    if look.marks is not None:
        mark = look.marks.of[scene.atoms]
        marked |= {"marks": mark.tolist(), "legend": look.marks.legend(), "legend_title": look.marks.title}
    return {"scene": scene.to_dict(), "camera": name, **drawn, **marked}


def standalone(scene: Scene, *, title: str, look: Look | None = None, facts: Mapping[str, str] | None = None) -> str:
    """Make a page of the drawing, its legend and `facts` alone; both scripts are inside: it needs no network."""
    data = _data(scene, name=title, look=look or Look(), height=560)
    content = json.dumps(data).replace("<", "\\u003c")  # so that nothing in it ends the script
    listed = "".join(f"<dt>{html.escape(k)}</dt><dd>{html.escape(v)}</dd>" for k, v in (facts or {}).items())
    safe = html.escape(title)
    return f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{safe}</title>
<style>{_own("viewer.css")}{_own("standalone.css")}</style></head>
<body>
<main>
<h1>{safe}</h1>
<dl>{listed}</dl>
{_HTML}
</main>
<script>{SCRIPT.read_text(encoding="utf-8")}</script>
<script type="module">
{_own("viewer.js")}
panel(document.querySelector(".legocryst-panel"), {content})
</script>
</body>
</html>
"""
