"""The command `view`: pages of crystals in files and of a workspace's, and one sentence for what cannot be drawn."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from legocryst.crystal.io.structures import to_cif
from legocryst.crystal.io.table import encode
from legocryst.environment.target_library import target
from legocryst.infra.files import write_parquet
from tests.workspaces import tiny_job

Call = Callable[..., dict[str, Any]]
GRAPHITE = target("sp2-carbon").reference.crystals()


def drawn(result: dict[str, Any]) -> dict[str, Any]:
    """What the page of a result draws."""
    content = re.search(r'"\.legocryst-panel"\), (\{.*\})\)$', Path(result["view"]).read_text(), re.MULTILINE)
    assert content is not None
    return dict(json.loads(content[1]))


def test_views_of_files(tmp_path: Path, call: Call) -> None:
    (tmp_path / "graphite.cif").write_text(to_cif(GRAPHITE))
    flags = ("--out", tmp_path / "out", "--colours", "ring-size", "--cells", 2, 2, 1, "--labels", "--no-cell")
    good, missing = call("view", tmp_path / "graphite.cif", tmp_path / "none.cif", *flags)["results"]
    assert "error" in missing and set(missing) == {"file", "error"}
    assert Path(good["view"]) == tmp_path / "out" / "graphite.html" and good["colours"] == {"6": "rings: 6"}
    data = drawn(good)
    assert len(data["scene"]["positions"]) >= good["atoms"] >= 16 and data["labels"] and not data["cell"]
    assert np.allclose(np.linalg.norm(data["scene"]["axes"], axis=1), GRAPHITE.cell[0, :3], atol=1e-3)
    (bare,) = call("view", tmp_path / "graphite.cif", "--out", tmp_path, "--cutoff", 1.0)["results"]
    assert bare["bonds"] == 0 and drawn(bare)["way"] == "Ball and stick"


def test_views_of_a_workspace(tmp_path: Path, call: Call) -> None:
    job = tiny_job(tmp_path)
    row = {"row": 0, "status": "valid", "reason": "", "net_key": "n", "net_name": "gra", "kind": "layers", "loss": 0.5}
    lost = {"row": 1, "status": "undecodable", "reason": "no sites"}
    both = pd.concat([pd.concat([encode(GRAPHITE), pd.DataFrame([row])], axis=1), pd.DataFrame([lost])])
    write_parquet(both.assign(published=False), job.shards / "crystals-00000.parquet")
    names = [f"{job.id}-0", f"{job.id}-1", "nobody"]
    results = call("view", *names, "--workspace", tmp_path / "w", "--out", tmp_path / "out")["results"]
    assert [result["crystal"] for result in results] == names
    page = Path(results[0]["view"]).read_text()
    assert "<dt>Net</dt><dd>gra</dd>" in page and "<dt>Loss</dt><dd>0.5</dd>" in page
    assert "<dt>Sizes of rings</dt><dd>6</dd>" in page
    assert "no sites" in results[1]["error"] and "there is no crystal 'nobody'" in results[2]["error"]


def test_wrong_options(tmp_path: Path, refused: Callable[..., str]) -> None:
    out = ("--out", tmp_path)
    assert "--cutoff must be above 0" in refused("view", "x.cif", *out, "--cutoff", "-1")
    assert "'0' is not a whole number above 0" in refused("view", "x.cif", *out, "--cells", "0", "1", "1")
    assert "invalid choice: 'mood'" in refused("view", "x.cif", *out, "--colours", "mood")
