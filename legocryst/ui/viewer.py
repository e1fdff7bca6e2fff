"""The 3D view of a crystal: a component of the page, thumbnails of many, and one file that works offline."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from legocryst import ROOT
from legocryst.ui.scene import Scene

SCRIPT = ROOT / "static" / "vendor" / "3dmol" / "3Dmol-min.js"
WAYS = ("Ball and stick", "Sticks", "Space filling")
_HERE = Path(__file__).parent
_HTML = '<div class="legocryst-view" role="img"></div><p class="legocryst-note"></p>'
_CSS = """
.legocryst-view {
  position: relative; width: 100%; box-sizing: border-box; overflow: hidden;
  border: 1px solid var(--st-border-color); border-radius: 4px;
}
.legocryst-note { margin: 0; }
"""
_GALLERY_HTML = '<div class="legocryst-gallery"></div><p class="legocryst-note"></p>'
_GALLERY_CSS = """
.legocryst-gallery { display: grid; gap: 8px; }
.legocryst-tile {
  display: flex; flex-direction: column; align-items: stretch; padding: 0 0 4px; overflow: hidden; cursor: pointer;
  font: inherit; font-size: 0.8rem; text-align: center; color: inherit; background: none;
  border: 1px solid var(--st-border-color); border-radius: 4px;
}
.legocryst-tile:hover, .legocryst-tile:focus-visible, .legocryst-tile[aria-pressed=true] {
  border-color: var(--st-primary-color); outline: 1px solid var(--st-primary-color);
}
.legocryst-tile img { width: 100%; aspect-ratio: 4 / 3; object-fit: contain; }
.legocryst-tile b { font-weight: 600; }
.legocryst-tile span { opacity: 0.75; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.legocryst-note { margin: 0; }
"""
_ADDRESS = "app/static/vendor/3dmol/3Dmol-min.js"


@cache
def _component() -> Any:
    return _registered("viewer", _HTML, _CSS)


@cache
def _gallery() -> Any:
    return _registered("gallery", _GALLERY_HTML, _GALLERY_CSS)


def _registered(name: str, html: str, css: str) -> Any:
    code = (_HERE / "viewer.js").read_text(encoding="utf-8")
    return st.components.v2.component(f"legocryst_{name}", html=html, css=css, js=code, isolate_styles=False)


def view(
    scene: Scene,
    *,
    name: str,
    way: str = WAYS[0],
    cell: bool = True,
    perspective: bool = True,
    height: int = 460,
    key: str = "viewer",
) -> None:
    """Draw a scene. The camera is kept while `name`, what is looked at, stays the same; each view has its own `key`."""
    shown = _data(scene, name=name, way=way, cell=cell, perspective=perspective, height=height)
    _component()(data=shown | {"script": _ADDRESS}, key=key)


@dataclass(frozen=True, slots=True)
class Tile:
    """One crystal of a gallery."""

    name: str  # by which it is picked; the same name is the same picture
    scene: Scene
    title: str
    text: str = ""


def gallery(tiles: Sequence[Tile], *, picked: str = "", columns: int = 4, key: str = "gallery") -> str:
    """Thumbnails of crystals, the `picked` one framed; returns the name of the one that was clicked just now, or "".

    One viewer draws them all, one after another, since browsers keep no more than 16 in memory.
    """
    listed = [
        {
            **_data(tile.scene, name=tile.name, way=WAYS[1], cell=True, perspective=True, height=150),
            **{"title": tile.title, "text": tile.text, "picked": tile.name == picked},
        }
        for tile in tiles
    ]
    data = {"tiles": listed, "columns": columns, "script": _ADDRESS}
    result = _gallery()(data=data, key=key, on_picked_change=lambda: None)
    return str(result.get("picked") or "")


def _data(scene: Scene, *, name: str, way: str, cell: bool, perspective: bool, height: int) -> dict[str, Any]:
    look = {"way": way, "cell": cell, "perspective": perspective, "height": height}
    return {"scene": scene.to_dict(), "camera": name, **look}


def standalone(scene: Scene, *, title: str) -> str:
    """A page with the drawing alone; the viewer's script is inside, so that it needs no network."""
    import py3Dmol

    viewer = py3Dmol.view(width="100%", height="90vh", js="")
    viewer.addModel(_xyz(scene), "xyz", {"assignBonds": False})
    viewer.setStyle({"sphere": {"radius": 0.3, "colorscheme": "Jmol"}})
    for ends, radius in ((scene.positions[scene.bonds], 0.12), (scene.edges, 0.03)):
        for start, end in np.round(ends, 4).tolist():
            viewer.addCylinder({"start": _point(start), "end": _point(end), "radius": radius, "color": "#4a5560"})
    viewer.zoomTo()
    ready = "<script>var $3Dmolpromise = Promise.resolve();</script>"  # py3Dmol then loads nothing
    script = f"<script>{SCRIPT.read_text(encoding='utf-8')}</script>\n{ready}"
    safe = html.escape(title)
    head = f'<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{safe}</title></head>'
    return f"{head}\n<body>\n<h1>{safe}</h1>\n{script}\n{viewer.write_html()}\n</body>\n</html>\n"


def _point(xyz: list[float]) -> dict[str, float]:
    return dict(zip("xyz", xyz, strict=True))


def _xyz(scene: Scene) -> str:
    atoms = zip(scene.symbols, scene.positions, scene.inside, strict=True)
    lines = [f"{symbol} {x:.4f} {y:.4f} {z:.4f}" for symbol, (x, y, z), inside in atoms if inside]
    return "\n".join([str(len(lines)), "", *lines])
