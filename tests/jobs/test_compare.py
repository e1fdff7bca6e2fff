"""Past jobs: what differs, their counts, their size; the commands that tell it."""

import json
from pathlib import Path

import pytest

from legocryst.cli import main
from legocryst.jobs.compare import differing, meaning, numbers, size, spoken
from legocryst.jobs.create import create
from legocryst.jobs.record import jobs
from legocryst.settings import RunSettings, preset
from tests.workspaces import finished


def changed() -> RunSettings:
    values = preset("smoke").model_dump()
    values["sample"] |= {"samples": 200}
    values["train"] |= {"epochs": 8}
    values["seed"] = 3
    return RunSettings.model_validate(values)


def test_only_what_differs_is_told(tmp_path: Path) -> None:
    one, two = finished(tmp_path, preset("smoke")), finished(tmp_path, changed())
    assert differing(one, one) == []
    assert set(differing(one, two)) == {
        ("run", "seed", 0, 3),
        ("train", "epochs", 4, 8),
        ("sample", "samples", 100, 200),
    }
    counts = numbers(two)
    trained = create(tmp_path, "train", changed(), threads=1)
    assert differing(one, trained) == [("run", "seed", 0, 3), ("train", "epochs", 4, 8)]  # it drew no samples
    assert (
        counts["Sampled rows"]
        == 200
        == sum(counts[name] for name in ("Undecodable", "Invalid", "Known", "Duplicates", "New"))
    )


def test_settings_have_their_meaning() -> None:
    assert meaning("sample", "samples") == ("Samples", "Number of rows drawn from the model.")
    assert meaning("sample", "system")[0] == "Crystal system" and meaning("run", "seed")[1].startswith("One seed")
    assert meaning("no", "such") == ("such", "") and meaning("train", "no") == ("no", "")


def test_sizes_add_up(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_bytes(b"x" * 1500)
    (tmp_path / "c").write_bytes(b"x" * 500)
    assert size(tmp_path) == 2000 and size(tmp_path / "c") == 500 and size(tmp_path / "nothing") == 0
    assert [spoken(n) for n in (20, 2000, 12_100_000, 3_000_000_000)] == ["1 kB", "2 kB", "12.1 MB", "3.0 GB"]


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    assert main([*arguments, "--json"]) == 0
    return dict(json.loads(capsys.readouterr().out.splitlines()[-1]))


def test_commands_tell_and_delete(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, two = finished(tmp_path, preset("smoke")), finished(tmp_path, changed())
    workspace = ("--workspace", str(tmp_path))
    result = printed(capsys, "compare", one.id, two.id, *workspace)
    assert result["settings"]["sample.samples"] == [100, 200]  # type: ignore[index]
    text = printed(capsys, "methods", "--job", two.id, *workspace)["text"]
    assert isinstance(text, str) and "Of 200 rows" in text
    assert main(["methods", "--job", two.id, "--bibtex", *workspace]) == 0
    assert capsys.readouterr().out.startswith("@misc{legocryst,")
    presets = printed(capsys, "times", *workspace)["presets"]
    assert isinstance(presets, dict) and presets["smoke"]["seconds"] < presets["thorough"]["seconds"]
    listed = printed(capsys, "jobs", "--delete", one.id, *workspace)["jobs"]
    assert isinstance(listed, list) and [entry["job"] for entry in listed] == [two.id] == [j.id for j in jobs(tmp_path)]
    assert main(["jobs", "--delete", one.id, *workspace]) == 2
