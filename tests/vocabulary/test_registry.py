"""The registry: what it lists, what it leaves out and why, and that one file is a generator or a potential."""

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from legocryst import ROOT
from legocryst.crystal.io.structures import to_cif
from legocryst.environment.target_library import target
from legocryst.settings import EnergySettings, TrainSettings, shape
from legocryst.vocabulary.references import REFERENCES
from legocryst.vocabulary.registry import GENERATORS, PLUGINS, POTENTIALS

HOW_TO = ROOT / "docs" / "how-to"
OTHER_MEANINGS = {
    "extras.py": {"gan"},
    "dataset.py": {"7net-0"},  # defaults and presets; an order of energies
    "training.py": {"cvae"},
    "energy.py": {"7net-0", "7net-l3i5", "random"},
    "run.py": {"vae"},
    "vae.py": {"gan"},  # the extra that installs what both need
    "rank.py": {"random"},  # an order of energies
    "featurize.py": {"gan"},  # that extra
    "train.py": {"gan"},
    "quality.py": {"gan"},
    "features.py": {"gan"},
    "loop.py": {"random"},  # the state of torch's generator
    "bootstrap.py": {"random", "surfaces"},  # settings, and where rows of a bootstrap come from
}
"""Where a word that is the name of a generator or a potential may stand outside its own file."""

Plugin = Callable[[str, str], Path]


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plugin:
    """Write a file of a plug-in into a folder that is listed from then on."""
    folder = tmp_path / "plugins"
    folder.mkdir()
    monkeypatch.setenv(PLUGINS, str(folder))

    def write(name: str, text: str) -> Path:
        (folder / name).write_text(text, encoding="utf-8")
        return folder

    return write


def code(page: str) -> str:
    """The example of a page."""
    match = re.findall(r"```python\n(.*?)```", (HOW_TO / page).read_text(encoding="utf-8"), re.DOTALL)
    assert len(match) == 1
    return str(match[0])


def run(folder: Path, *arguments: object) -> str:
    """What a command of Python writes, with the plug-ins of a folder."""
    environment = {**os.environ, PLUGINS: str(folder)}
    command = [sys.executable, "-m", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_shipped_ones_in_their_order() -> None:
    assert GENERATORS.names() == ("transformer", "cvae", "vae", "gan", "random", "surfaces")
    assert POTENTIALS.names() == ("7net-l3i5", "7net-0")


def test_every_optimiser_is_cited() -> None:
    for spec in GENERATORS.specs():
        assert all(name.lower() in REFERENCES for name in spec.optimisers)


def test_what_is_read_is_what_the_file_says() -> None:
    """The statement is parsed; run, it gives the same."""
    from legocryst.generators.cvae import SPEC

    assert GENERATORS["cvae"].file == ROOT / "legocryst" / "generators" / "cvae.py"
    for name in SPEC.__dataclass_fields__:
        assert name == "file" or getattr(SPEC, name) == getattr(GENERATORS["cvae"], name)


def test_no_name_stands_outside_its_own_file() -> None:
    specs = {spec.name: spec.file for spec in (*GENERATORS.specs(), *POTENTIALS.specs())}
    for path in [ROOT / "app.py", *(ROOT / "pages").glob("*.py"), *(ROOT / "legocryst").rglob("*.py")]:
        allowed = OTHER_MEANINGS.get(path.name, set()) | {name for name, file in specs.items() if file == path}
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and node.value in specs.keys() - allowed:
                pytest.fail(f"{path.relative_to(ROOT)}:{node.lineno} names {node.value}: ask its specification")


def test_settings_refuse_other_names_with_the_choices() -> None:
    with pytest.raises(ValidationError, match=r"Input should be 'transformer', .* 'random' or 'surfaces'"):
        TrainSettings.model_validate({"model": "echo"})
    with pytest.raises(ValidationError, match="Input should be '7net-l3i5' or '7net-0'"):
        EnergySettings.model_validate({"model": "pairs"})


def test_settings_take_what_is_listed(plugin: Plugin) -> None:
    plugin("mine.py", code("add-a-generator.md"))
    assert TrainSettings.model_validate({"model": "echo"}).spec.loads == "Echo"
    assert shape(TrainSettings.model_fields["model"]).choices[-1] == "echo"
    assert shape(EnergySettings.model_fields["model"]).choices == POTENTIALS.names()


HEAD = "from legocryst.vocabulary.registry import GeneratorSpec\n"
SAID = f'{HEAD}SPEC = GeneratorSpec(name="mine", loads="Mine", title="mine", help="mine")\n'


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("SPEC = GeneratorSpec(\n", "was never closed"),
        (SAID.replace('"Mine"', "Mine.__name__"), "write out the value in line 2"),
        (SAID.replace('"mine", l', '"My own", l'), "the name 'My own' must be of small letters"),
        (SAID.replace('help="mine"', 'help="mine", depth=3'), "unexpected keyword argument 'depth'"),
        (SAID.replace('help="mine"', 'help="mine", learns_from=("relax",)'), "'relax' is no stage that"),
        (SAID.replace('help="mine"', 'help="mine", options=("depth",)'), "'depth' is no option of generators"),
        (SAID.replace('help="mine"', 'help="mine", cites=("vae")'), "cites must be a tuple: write ('vae',)"),
        (SAID.replace('help="mine"', 'help="mine", cites=("me",)'), "no reference 'me': write it out"),
        (SAID.replace('"mine", l', '"cvae", l'), "the name cvae is taken"),
    ],
)
def test_a_file_that_cannot_be_used_is_left_out_with_the_reason(plugin: Plugin, text: str, why: str) -> None:
    plugin("wrong.py", text)
    plugin("good.py", SAID.replace("mine", "good"))
    with pytest.warns(UserWarning, match=r"wrong\.py is left out: .*" + re.escape(why)):
        names = GENERATORS.names()
    assert names[-1] == "good" and len(names) == 7


def test_a_folder_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PLUGINS, "somewhere")
    with pytest.warns(UserWarning, match="names somewhere, which is no folder: give its whole path"):
        assert len(GENERATORS.names()) == 6


def test_nothing_of_a_file_is_run_before_its_class_is_needed(plugin: Plugin) -> None:
    plugin("mine.py", f"{SAID}raise RuntimeError('run')\n")
    assert GENERATORS["mine"].title == "mine"
    with pytest.raises(RuntimeError, match="run"):
        GENERATORS.load("mine")


def test_class_or_package_that_is_missing_is_named(plugin: Plugin) -> None:
    plugin("mine.py", SAID)
    plugin("other.py", SAID.replace("mine", "other").replace('help="other"', 'help="", packages=("nowhere",)'))
    plugin("extra.py", SAID.replace("mine", "own").replace('help="own"', 'help="", packages=("no",), extra="gan"'))
    with pytest.raises(ValueError, match=r"mine\.py has no class Mine: name the class of mine in its `loads`"):
        GENERATORS.load("mine")
    with pytest.raises(ValueError, match="other needs the package nowhere, which is not installed: install it"):
        GENERATORS.load("other")
    with pytest.raises(ValueError, match="own needs the package no, which is not installed"):
        GENERATORS.load("own")


def test_energies_of_a_file_that_changed_are_others(plugin: Plugin) -> None:
    plugin("mine.py", code("add-a-potential.md"))
    before = POTENTIALS["pairs"].identity
    plugin("mine.py", code("add-a-potential.md").replace("0.01", "0.02"))
    assert POTENTIALS["pairs"].identity != before


def test_one_file_is_a_generator(plugin: Plugin, tmp_path: Path) -> None:
    """It meets the contract, makes crystals in a run, and is cited."""
    folder = plugin("mine.py", code("add-a-generator.md"))
    tested = run(folder, "pytest", "-p", "no:xdist", "tests/generators/test_base.py", "-k", "echo")
    assert re.match(r"\.{9,}\s", tested), tested
    workspace = ("--workspace", tmp_path / "w")
    options = ("--threads", 1, "--bands-bands", "no", "--json")
    said = run(folder, "legocryst", "run", "--preset", "smoke", "--model", "echo", *workspace, *options)
    result = json.loads(said.splitlines()[-1])
    assert result["model"] == "echo" and result["known"] > 50 and result["baseline"]["rows"] == 100
    paragraph = run(folder, "legocryst", "methods", *workspace, "--job", result["job"])
    number = re.search(r"learnt by a resampling (\[\d+\])", paragraph)
    assert number and f"{number[1]} B. Efron, Bootstrap Methods" in paragraph
    assert "echo: rows of the table with other edges" in " ".join(run(folder, "legocryst", "run", "--help").split())


def test_one_file_is_a_potential(plugin: Plugin, tmp_path: Path) -> None:
    """It meets the contract, and gives energies of graphite and diamond as they stand and relaxed."""
    folder = plugin("mine.py", code("add-a-potential.md"))
    tested = run(folder, "pytest", "-p", "no:xdist", "tests/potentials/test_base.py", "-k", "pairs")
    assert re.match(r"\.{3,}\s", tested), tested
    files = [tmp_path / "graphite.cif", tmp_path / "diamond.cif"]
    for path, name in zip(files, ("sp2-carbon", "sp3-carbon"), strict=True):
        path.write_text(to_cif(target(name).reference.crystals()))
    command = ("legocryst", "energy", *files, "--model", "pairs", "--threads", 1, "--json")
    plain, relaxed = (json.loads(run(folder, *command, *more))["results"] for more in ((), ("--relax",)))
    assert [entry["model"] for entry in plain] == ["pairs", "pairs"]
    assert relaxed[0]["energy_above_reference"] == pytest.approx(0, abs=1e-6)  # graphite is the reference
    assert all(after["relaxed"]["net_kept"] and after["relaxed"]["converged"] for after in relaxed)
    for before, after in zip(plain, relaxed, strict=True):
        assert after["energy_per_atom"] < before["energy_per_atom"]
    assert relaxed[1]["energy_above_reference"] < -1  # four bonds, and no angles in the energy
