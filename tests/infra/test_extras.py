"""What works without the optional packages, and what is said where one is missing."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from legocryst import ROOT
from legocryst.crystal.io.structures import to_cif
from legocryst.environment.target_library import target
from legocryst.infra import extras
from legocryst.infra.extras import EXTRAS, MissingExtra, missing, require
from legocryst.jobs.create import create
from legocryst.settings import RunSettings, preset
from tests.workspaces import few_training_crystals, tiny

CORE_ONLY = """
import sys
from legocryst.infra.extras import EXTRAS
sys.modules.update(dict.fromkeys(module for extra in EXTRAS.values() for module in extra.modules))
from legocryst.cli import main
sys.exit(main(sys.argv[1:]))
"""
"""The command line where no package of any extra can be imported."""


def core_only(folder: Path, command: str) -> "subprocess.CompletedProcess[str]":
    """Run a command, in a folder with `mine.cif` and `few.csv`, without the packages of all extras."""
    few_training_crystals(folder)
    (folder / "mine.cif").write_text(to_cif(target("sp2-carbon").reference.crystals()))
    arguments = [word if "/" in word or "." not in word else str(folder / word) for word in command.split()]
    program = [sys.executable, "-c", CORE_ONLY, *arguments, "--threads", "1"]
    return subprocess.run(program, cwd=ROOT, capture_output=True, text=True)


@pytest.mark.parametrize(
    "command",
    [
        "identify mine.cif",
        "relax few.csv --out out.parquet",
        "bands mine.cif",
        "run --preset smoke --workspace w.folder --seeds few.csv --model random --samples 20 --rank-energies no",
        "run --preset smoke --workspace w.folder --seeds few.csv --model cvae --samples 20 --rank-energies no",
    ],
)
def test_core_works_without_extras(tmp_path: Path, command: str) -> None:
    done = core_only(tmp_path, command)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("command", "named"),
    [
        ("app", "streamlit"),
        ("view mine.cif --out views.folder", "streamlit"),
        ("energy mine.cif", "sevenn"),
        ("bootstrap --out out.parquet", "sevenn"),
        ("dft mine.cif", "gpaw"),
        ("train few.csv --model gan --out model.folder", "ctgan"),
        ("run --preset smoke --workspace w.folder", "ctgan"),
    ],
)
def test_missing_extra_is_one_sentence(tmp_path: Path, command: str, named: str) -> None:
    done = core_only(tmp_path, command)
    assert done.returncode == 2 and done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("legocryst: packages are missing for ") and named in done.stderr
    assert not (tmp_path / "w.folder" / "jobs").exists()


def test_sentence_names_the_extra_or_in_a_checkout_the_target_of_make(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _without(monkeypatch, "gpaw", "ctgan")
    assert missing("dft") == "packages are missing for density functional theory (gpaw): run `make dft`"
    monkeypatch.setattr(extras, "ROOT", tmp_path)
    assert missing("gan", "dft").endswith("(gpaw): run `pip install 'legocryst[gan,dft]'`")
    with pytest.raises(MissingExtra, match=r"run `pip install 'legocryst\[gan\]'`"):
        require("gan")


@pytest.mark.parametrize(
    ("settings", "command", "choice"),
    [
        (preset("smoke"), "run", ", or choose another model without quality report and no energies"),
        (tiny(train={"model": "cvae"}), "run", ", or choose no quality report"),
        (tiny(train={"model": "vae"}), "train", ", or choose another model without quality report"),
        (tiny(rank={"energies": True}), "run", ", or choose no energies"),
        (RunSettings(), "featurize", "run `make app`"),
        (RunSettings(), "dft", "run `make dft`"),
    ],
)
def test_job_is_refused_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: RunSettings, command: str, choice: str
) -> None:
    _without(monkeypatch, *(module for extra in EXTRAS.values() for module in extra.modules))
    with pytest.raises(MissingExtra) as refused:
        create(tmp_path, command, settings, threads=1)
    assert str(refused.value).endswith(choice)
    assert not (tmp_path / "jobs").exists()


@pytest.mark.parametrize("model", ["random", "surfaces", "cvae", "transformer"])
def test_job_without_energies_and_quality_report_needs_no_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    _without(monkeypatch, *(module for extra in EXTRAS.values() for module in extra.modules))
    assert create(tmp_path, "run", tiny(train={"model": model, "quality": False}), threads=1).state == "queued"


def _without(monkeypatch: pytest.MonkeyPatch, *modules: str) -> None:
    """As if these modules were not installed."""
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name in modules else find_spec(name))
