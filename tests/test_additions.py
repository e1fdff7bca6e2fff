"""A stage, a target and a page are added to a copy of the program as docs/how-to says, in how many files, and work.

That a generator and a potential are one file each is tested in tests/vocabulary/test_registry.py.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from legocryst import ROOT

PARTS = ("legocryst", "pages", "data", "static", "scripts", ".streamlit")


@dataclass(frozen=True)
class Copy:
    """A copy of the program in a folder of its own."""

    root: Path

    def changed(self) -> list[str]:
        """Files that the program does not have or has otherwise."""
        paths = [path for part in PARTS for path in (self.root / part).rglob("*") if path.is_file()]
        names = [path.relative_to(self.root) for path in paths if "__pycache__" not in path.parts]
        return sorted(str(name) for name in names if not _same(ROOT / name, self.root / name))

    def run(self, *arguments: object, code: int = 0) -> str:
        """What Python writes with these arguments."""
        done = subprocess.run(
            [sys.executable, *map(str, arguments)], cwd=self.root, env=os.environ, capture_output=True, text=True
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def smoke(self, *options: object) -> dict[str, object]:
        """The result of a demonstration without energies and gaps, drawn at random."""
        common = ("--preset", "smoke", "--model", "random", "--workspace", self.root / "w", "--threads", 1, "--json")
        said = self.run("-m", "legocryst", "run", *common, "--rank-energies", "no", "--bands-bands", "no", *options)
        result: dict[str, object] = json.loads(said.splitlines()[-1])
        return result

    def insert(self, name: str, before: str, text: str) -> None:
        """Write a text into a file, before the one place where another stands."""
        content = (self.root / name).read_text(encoding="utf-8")
        assert content.count(before) == 1
        (self.root / name).write_text(content.replace(before, text + before), encoding="utf-8")


def _same(one: Path, other: Path) -> bool:
    return one.is_file() and one.read_bytes() == other.read_bytes()


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    """What a page or a command needs, with the compiled code, which belongs to the places of its sources."""
    from numba.core.caching import _CacheLocator

    root = tmp_path / "copy"
    for part in PARTS:
        shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "app.py", root)
    (root / "docs").mkdir()
    for folder in (ROOT / "legocryst" / "__pycache__").glob("numba-*"):
        for path in (root / "legocryst").rglob("*.py"):
            old = _CacheLocator.get_suitable_cache_subpath(str(ROOT / path.relative_to(root)))
            new = _CacheLocator.get_suitable_cache_subpath(str(path))
            if (folder / old).is_dir():
                place = root / "legocryst" / "__pycache__" / folder.name / new
                shutil.copytree(folder / old, place, dirs_exist_ok=True)
    return Copy(root)


def examples(page: str, language: str = "python") -> list[str]:
    """The examples of a how-to."""
    text = (ROOT / "docs" / "how-to" / page).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def steps(job: Path) -> list[dict[str, object]]:
    """What a job reported."""
    return [json.loads(line) for line in (job / "progress.jsonl").read_text(encoding="utf-8").splitlines()]


ASKED = """
import contextlib, io, json, sys
from legocryst.cli import main
from legocryst.ui.shell import forms, live
from scripts.make_docs import page

def said(command, *arguments):
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.suppress(SystemExit):
        main([command, *arguments])
    return out.getvalue()

workspace, job = ("--workspace", sys.argv[1]), sys.argv[2]
print(json.dumps({
    "methods": said("methods", *workspace, "--job", job),
    "sql": said("sql", "SELECT dense FROM densities", *workspace, "--json"),
    "times": said("times", *workspace, "--json"),
    "help": said("run", "--help"),
    "ui": [live.title("density"), forms.further()],
    "docs": page(),
}))
"""
"""What commands, pages and documents say of a job with the new stage."""


def test_a_stage_takes_two_files(copy: Copy) -> None:
    stage, settings = examples("add-a-stage.md")
    (copy.root / "legocryst" / "stages" / "density.py").write_text(stage, encoding="utf-8")
    copy.insert("legocryst/settings/run.py", "class RunSettings(", f"{settings}\n\n")
    copy.insert(
        "legocryst/settings/run.py", "    dft: DftSettings", "    density: DensitySettings = DensitySettings()\n"
    )
    assert copy.changed() == ["legocryst/settings/run.py", "legocryst/stages/density.py"]

    result = copy.smoke("--density-least", 1.5)
    dense = result["dense"]
    assert isinstance(dense, int) and 0 < dense <= int(str(result["new"]))
    assert "density" in result["cpu_seconds"]  # type: ignore[operator]
    job = copy.root / "w" / "jobs" / str(result["job"])
    assert steps(job)[-1]["stage"] == "density" and steps(job)[-1]["complete"]
    said = json.loads(copy.run("-c", ASKED, copy.root / "w", job.name))
    assert f"{dense} have 1.5 g/cm3 or more." in said["methods"]
    assert json.loads(said["sql"])["table"]["data"] == [[dense]]
    assert "density" in json.loads(said["times"])["presets"]["smoke"]["stages"]
    assert "--density-least FLOAT" in said["help"]
    assert said["ui"] == ["Compare densities", {"density": "Compare densities"}]
    assert (
        "## Density" in said["docs"]
        and "| `least` | 2 |" in said["docs"]
        and "| `dense` | Dense crystals |" in said["docs"]
    )

    (job / "shards" / "densities.parquet").unlink()
    (job / "state.json").unlink()
    again = copy.run("-m", "legocryst", "run", "--resume", job.name, "--workspace", copy.root / "w", "--json")
    assert json.loads(again.splitlines()[-1])["dense"] == dense
    assert {step["stage"] for step in steps(job) if step["attempt"] == 2} == {"density"}


def test_a_target_takes_one_file(copy: Copy) -> None:
    (target,) = examples("add-a-target.md", "json")
    (copy.root / "data" / "targets" / "silicon.json").write_text(target, encoding="utf-8")
    assert copy.changed() == ["data/targets/silicon.json"]
    result = copy.smoke("--target", "silicon", "--samples", 300)
    assert result["seeds"] == 1 and int(str(result["new"])) > 0


PAGE = """
import sys
from streamlit.testing.v1 import AppTest
from legocryst.ui.shell import shell
shell.link = lambda *_, **__: None  # AppTest has one page only
test = AppTest.from_file("pages/kinds.py", default_timeout=60)
test.session_state["routed"] = True
test.run()
assert not test.exception, test.exception
print([title.value for title in test.title], [info.value for info in test.info], len(test.dataframe))
"""


def test_a_page_takes_two_files(copy: Copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page, line = examples("add-a-page.md")
    (copy.root / "pages" / "kinds.py").write_text(page, encoding="utf-8")
    copy.insert("legocryst/ui/shell/shell.py", '    "jobs": Page(', line)
    assert copy.changed() == ["legocryst/ui/shell/shell.py", "pages/kinds.py"]
    monkeypatch.setenv("LEGOCRYST_WORKSPACE", str(tmp_path / "empty"))
    assert copy.run("-c", PAGE).split("\n")[-2] == "['Kinds'] ['There are no new crystals yet: generate some.'] 0"
