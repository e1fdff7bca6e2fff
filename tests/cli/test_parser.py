from collections.abc import Callable

import pytest

from legocryst.cli.commands import _run_settings
from legocryst.cli.parser import parser
from legocryst.settings import RunSettings, preset

COMMANDS = ["seeds", "curate", "augment", "train", "sample", "relax", "rank", "run", "export", "rebuild", "app"]
COMMANDS += ["sql", "mark", "energy", "bands", "dft", "inputs"]


def help_of(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as end:
        parser().parse_args([command, "--help"])
    assert end.value.code == 0
    return " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_the_common_flags_and_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = help_of(command, capsys)
    for flag in ("--seed", "--threads", "--json"):
        assert flag in text


def test_run_has_a_flag_with_help_default_and_bounds_for_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    text = help_of("run", capsys).replace("- ", "-")  # argparse breaks lines at hyphens
    stages = {name: part for name, part in RunSettings.model_fields.items() if name != "dft"}
    for stage, part in stages.items():
        for name, field in getattr(part.annotation, "model_fields", {}).items():
            assert f"--{stage}-{name}".replace("_", "-") in text
            assert " ".join(str(field.description).split()).replace("- ", "-") in text
            default = "empty" if field.default in (None, "", ()) else field.default
            assert f"[default {default}" in text
    assert "--relax-max-step FLOAT Longest move of an atom in one step. [default 0.25 angstrom, > 0, <= 2]" in text


def test_flags_of_sets() -> None:
    line = "curate --periodicities 3,2 --crystal-systems cubic,hexagonal --space-groups 194,200-230 --out t.csv"
    options = vars(parser().parse_args(line.split()))
    assert options["periodicities"] == (3, 2) and options["crystal_systems"] == ("cubic", "hexagonal")
    assert options["space_groups"] == "194,200-230" and options["paths"] == []


def test_flags_change_the_preset() -> None:
    line = (
        "run --preset smoke --model gan --samples 7 --seed 5 --train-epochs 3 --rank-energies no --sample-decode drop"
    )
    settings = _run_settings(parser().parse_args(line.split()))
    smoke = preset("smoke")
    assert settings.seed == 5 and settings.sample.samples == 7 and settings.sample.decode == "drop"
    assert settings.train == smoke.train.model_copy(update={"model": "gan", "epochs": 3})
    assert not settings.rank.energies and settings.rank.max_energies == smoke.rank.max_energies
    assert settings.relax == smoke.relax and settings.augment == smoke.augment


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("relax x.csv", "the following arguments are required: --out"),
        ("run --preset fast", "invalid choice: 'fast'"),
        ("run --samples 0", "'0' is not a whole number above 0"),
        ("run --threads many", "'many' is not a whole number above 0"),
        ("run --rank-energies maybe", "'maybe' is neither yes nor no"),
        ("run --train-epochs 0", "the setting train.epochs is wrong: input should be greater than or equal to 1"),
        ("run --seed -1", "the setting seed is wrong"),
        (
            "run --model surfaces --target sp3-carbon",
            "those of sp3-carbon have 4: take another model",
        ),
        ("run --flight 3", "unrecognized arguments: --flight 3"),
        ("seeds --out table.txt", "cannot write table.txt: name a file that ends in .parquet or .csv"),
        ("curate --crystal-systems round --out t.csv", "'round' is none of triclinic, monoclinic"),
        ("curate --space-groups x --out t.csv", "the setting space_groups is wrong: 'x' is no list of space groups"),
        ("fly", "invalid choice: 'fly'"),
    ],
)
def test_wrong_arguments_get_one_sentence(line: str, sentence: str, refused: Callable[..., str]) -> None:
    assert sentence in refused(*line.split())
