"""The methods paragraph: every number is the job's, every reference is cited and listed, BibTeX can be read."""

import re
from pathlib import Path

import pytest

from legocryst import __version__
from legocryst.cli.crystal_files import read_one
from legocryst.environment.derive import derive
from legocryst.environment.target_library import save
from legocryst.jobs.create import create
from legocryst.jobs.methods import methods
from legocryst.settings import RunSettings, preset
from legocryst.vocabulary.references import REFERENCES, bibtex
from legocryst.vocabulary.registry import GENERATORS
from tests.other_elements import cif_of
from tests.workspaces import few_training_crystals, finished, tiny_job


def paragraph(folder: Path, **changes: dict[str, object]) -> str:
    values = preset("smoke").model_dump()
    for name, own in changes.items():
        values[name] |= own
    result = methods(finished(folder, RunSettings.model_validate(values)))
    cited = [int(number) for group in re.findall(r"\[([\d, ]+)\]", result.text) for number in group.split(",")]
    assert list(dict.fromkeys(cited)) == list(range(1, len(result.references) + 1))  # in order, none left out
    assert result.listed.splitlines()[-1].startswith(f"[{len(result.references)}] ")
    return result.text


def test_numbers_are_those_of_the_job(tmp_path: Path) -> None:
    text = paragraph(tmp_path, sample={"samples": 200}, train={"learning_rate": 0.002}, curate={"max_strain": 0.2})
    for part in (
        f"LEGO-Cryst {__version__}",
        "10 known crystals shipped with the program",
        "3 bonds of 1.22 to 1.7 Å",
        "a strain of at most 0.2",
        "gave 1,000 rows",
        "in 4 epochs, with",
        "after each epoch fresh samples",
        "learning rate of 0.002",
        "200 rows were drawn",
        "Of 200 rows, 20 could not be decoded, 80 did not become valid",
        "20 have a known net, 20 repeat a net, and 60 are new",
        "Energies above graphite of 3 new crystals",
        "2 crystals of the lowest, of frameworks and of others, were relaxed with 7net-0",
        "are 1.",
        "seed 0",
        "12 CPU-s on 1 core",
    ):
        assert part in text, part
    assert text.count("(") == text.count(")")


@pytest.mark.parametrize("model", GENERATORS.names())
def test_each_model_is_told(model: str, tmp_path: Path) -> None:
    text = paragraph(tmp_path, train={"model": model})
    assert (GENERATORS[model].title if GENERATORS[model].learns else "drawn at random") in text
    assert ("Gaussians" in text) == (model in ("vae", "gan"))  # the others see no features
    assert ("the last weights were kept" in text) == (model == "transformer")


def test_guidance_is_told_of_a_transformer_that_was_asked_for_low_energies(tmp_path: Path) -> None:
    for model, share, said in (("transformer", 0.25, True), ("transformer", 1.0, False), ("cvae", 0.25, False)):
        requested: dict[str, object] = {"lowest_energies": share, "guidance": 3}
        text = paragraph(tmp_path / f"{model}{share}", train={"model": model}, sample=requested)
        assert ("asked for low energy with a guidance of 3 [" in text) == said


def test_what_was_not_done_is_not_told(tmp_path: Path) -> None:
    assert "density functional" not in paragraph(tmp_path)
    assert "tight-binding" not in paragraph(tmp_path, bands={"bands": False})
    assert "started again up to 2 times" in paragraph(tmp_path, relax={"restarts": 2})


def test_own_crystals_are_not_called_shipped(tmp_path: Path) -> None:
    job = finished(tmp_path, preset("smoke"))
    own = create(tmp_path, "run", preset("smoke"), training=[few_training_crystals(tmp_path)], threads=1)
    for name in ("state.json", "progress.jsonl", "shards/training.parquet"):
        (own.folder / name).write_bytes((job.folder / name).read_bytes())
    text = methods(own).text
    assert "read from 1 file" in text and "shipped" not in text


def test_a_derived_target_has_its_shape_and_its_own_crystal(tmp_path: Path) -> None:
    crystal = read_one(cif_of("Si", tmp_path), element=14, max_atoms=8)
    assert not isinstance(crystal, str)
    save(derive(crystal, 1, name="silicon"), tmp_path / "w")
    text = paragraph(tmp_path / "w", curate={"target": "silicon"})
    assert "that the target is made from, each with another net, in which every atom has 4 bonds of" in text
    assert "and bonds in directions within 0.15 (RMSD) of the target's." in text and "shipped" not in text


def test_job_that_has_not_finished_has_no_methods(tmp_path: Path) -> None:
    job = tiny_job(tmp_path)
    with pytest.raises(ValueError, match="is queued: its methods can be written when it has finished"):
        methods(job)


def test_bibtex_is_well_formed() -> None:
    entries = bibtex(list(REFERENCES.values())).split("\n\n")
    assert len(entries) == len(REFERENCES)
    for entry, reference in zip(entries, REFERENCES.values(), strict=True):
        lines = entry.strip().splitlines()
        assert lines[0] == f"@{reference.kind}{{{reference.key}," and lines[-1] == "}"
        fields = dict(re.fullmatch(r"  (\w+) = \{(.*)\},?", line).groups() for line in lines[1:-1])  # type: ignore[union-attr,misc]
        assert {"author", "title", "year"} <= set(fields) and fields["year"] == str(reference.year)
        assert entry.count("{") == entry.count("}") and entry.isascii()
        assert "&" not in entry.replace(r"\&", "")
