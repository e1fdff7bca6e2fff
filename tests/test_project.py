"""The project as a whole: what is installed, who imports whom, what a newcomer reads."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from legocryst import ROOT, __version__

LIGHT = (
    *("infra.files", "vocabulary.quantities", "vocabulary.registry", "settings", "jobs.record", "stages.catalogue"),
    *("database.schema", "database.filters", "database.store", "cli", "crystal.symmetry.wyckoff", "crystal.cell"),
    *("crystal.crystals", "crystal.symmetry.projection", "crystal.io.table", "ui"),
)
HEAVY = {
    "torch",
    "gpaw",
    "distributed",
    "dask",
    "pymatgen",
    "sdv",
    "ctgan",
    "rdt",
    "spglib",
    "pyxtal",
    "sevenn",
    "ase",
    "sklearn",
    "scipy",
    "numba",
}

FLOORS = (
    {"legocryst"},
    {"legocryst.infra"},
    {"legocryst.vocabulary"},
    {"legocryst.settings"},
    {"legocryst.crystal"},
    {"legocryst.environment"},
    {"legocryst.topology"},
    {"legocryst.relax"},
    {"legocryst.potentials"},
    {"legocryst.active_learning", "legocryst.comparison", "legocryst.electronic"},
    {"legocryst.generators"},
    {"legocryst.stages"},
    {"legocryst.jobs"},
    {"legocryst.database"},
    {"legocryst.ui"},
    {"legocryst.cli"},
    {"legocryst.__main__", "pages", "app"},
)
"""The rooms of docs/architecture.md, the lowest floor first."""

NOT_IMPORTED = {
    "hatchling": "builds the wheel",
    "pytest-timeout": "a plug-in of pytest",
    "pytest-xdist": "a plug-in of pytest",
    "ruff": "a command",
    "mypy": "a command",
    "pandas-stubs": "types for mypy",
}


def sources() -> list[Path]:
    folders = ("legocryst", "pages", "scripts", "benchmarks", "tests")
    return [*ROOT.glob("*.py"), *(path for folder in folders for path in sorted((ROOT / folder).rglob("*.py")))]


def shipped() -> list[Path]:
    """What the app consists of."""
    return [path for path in sources() if path.relative_to(ROOT).parts[0] not in ("tests", "scripts", "benchmarks")]


def imported(path: Path) -> Iterator[str]:
    """Every module that a file imports, also inside functions; names may be modules too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, f"{path}: relative import"
            yield from (f"{node.module}.{name.name}" for name in node.names)


def requirements(name: str) -> set[str]:
    lines = [line.split("#")[0].strip() for line in (ROOT / name).read_text(encoding="utf-8").splitlines()]
    pairs = [line.split("==") for line in lines if line]
    assert all(len(pair) == 2 and re.fullmatch(r"\d[\w.]*", pair[1]) for pair in pairs), f"{name}: pin with =="
    return {name.lower() for name, _ in pairs}


def packages(paths: list[Path], declared: set[str]) -> set[str]:
    """Packages that the files import; where several install the same module, the declared one."""
    owners = {name: {owner.lower() for owner in owning} for name, owning in packages_distributions().items()}
    modules = {module.split(".")[0] for path in paths for module in imported(path)}
    ours = {"legocryst", "pages", "scripts", "tests", "benchmarks", "app"}
    results = [owners.get(name, {name}) for name in modules - ours - sys.stdlib_module_names]
    return {min(names & declared or names) for names in results}


def test_requirements_are_pinned_and_all_that_is_imported() -> None:
    app, dev = requirements("requirements.txt"), requirements("requirements-dev.txt")
    assert not app & dev
    extra = requirements("requirements-dft.txt") | requirements("requirements-cluster.txt")
    assert packages(shipped(), app) - extra <= app
    seeds = requirements("requirements-seeds.txt")
    assert packages(sources(), app | dev) - seeds - extra | NOT_IMPORTED.keys() == app | dev


def test_light_modules_import_no_heavy_package() -> None:
    code = f"""
import importlib, pkgutil, sys
names = ["legocryst." + name for name in {LIGHT!r}]
import legocryst.ui
names += [module.name for module in pkgutil.walk_packages(legocryst.ui.__path__, "legocryst.ui.")]
for name in names:
    importlib.import_module(name)
    found = {HEAVY!r} & set(sys.modules)
    assert not found, f"{{name}} imports {{sorted(found)}}"
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", [ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py"))], ids=lambda path: path.stem)
def test_pages_import_no_heavy_package_at_the_top(path: Path) -> None:
    top = [
        node
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    names = {alias.name for node in top if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in top if isinstance(node, ast.ImportFrom)}
    assert not {name.split(".")[0] for name in names} & HEAVY


def room(module: str) -> tuple[int, str]:
    """Floor and name of the room that a module belongs to."""
    parts = module.split(".")
    name = parts[0] if parts[0] != "legocryst" else ".".join(parts[:2])
    for floor, names in enumerate(FLOORS):
        if name in names:
            return floor, name
    return 0, "legocryst"  # a constant of legocryst/__init__.py


def test_each_room_imports_only_rooms_below_it() -> None:
    known = {name for names in FLOORS for name in names}
    for path in shipped():
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        floor, here = room(module)
        assert here in known and (here == "legocryst") == (module == "legocryst"), f"{module} has no room: give it one"
        for other in imported(path):
            if other.split(".")[0] in ("legocryst", "pages", "app"):
                below, there = room(other)
                assert below < floor or here == there, f"{module} imports {other}, which is not below it"


def test_app_names_no_outside_host() -> None:
    files = [*shipped(), *(ROOT / ".streamlit").glob("*"), *(p for p in (ROOT / "static").rglob("*") if p.is_file())]
    files = [path for path in files if "vendor" not in path.parts]
    for path in files:
        text = path.read_text(encoding="utf-8")
        match = [
            url for url in re.findall(r"https?://[^\s\"'`)]+", text) if not re.match(r"https?://(localhost|127\.)", url)
        ]
        assert not match, f"{path.relative_to(ROOT)} names {match[0]}: the app must work offline"
        assert ":material/" not in text, f"{path.relative_to(ROOT)}: such an icon fetches a font from outside"


def test_streamlit_sends_no_statistics() -> None:
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert config["browser"]["gatherUsageStats"] is False


def test_no_file_names_a_folder_of_one_machine() -> None:
    documents = [
        *ROOT.glob("*.md"),
        *ROOT.glob("*.t*"),
        ROOT / "Makefile",
        ROOT / ".ci" / "run",
        *(ROOT / "docs").rglob("*.md"),
    ]
    for path in [*sources(), *documents]:
        match = re.search(r"(?<![\w.*~/-])/(home|root|work|opt|Users|mnt)/\w+", path.read_text(encoding="utf-8"))
        assert match is None, f"{path.relative_to(ROOT)}: {match.group()}"


def test_readme_names_the_two_commands_and_every_command_runs() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make app" in text and "make test" in text
    used = set(re.findall(r"python -m legocryst ([a-z]+)", text))
    assert used >= {"run", "relax", "augment", "export", "app"}
    help_text = subprocess.run(
        [sys.executable, "-m", "legocryst", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert all(re.search(rf"^\s+{command}\s", help_text, re.MULTILINE) for command in used)


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))], ids=lambda page: page.stem
)
def test_links_and_paths_of_documents_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = [link.split("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []
    paths = re.findall(r"`((?:legocryst|docs|data|scripts|tests|pages|benchmarks|static)/[\w./-]*)`", text)
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_citation_has_the_version() -> None:
    assert f"\nversion: {__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_missing_python_is_told_in_one_sentence(tmp_path: Path) -> None:
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    for name in ("Makefile", "requirements.txt", "requirements-dev.txt"):
        shutil.copy(ROOT / name, tmp_path)
    done = subprocess.run(["make", "app", "PYTHON311="], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode != 0
    assert done.stderr.splitlines()[0].startswith("LEGO-Cryst needs Python 3.11: install it")
    assert not (tmp_path / ".venv").exists()
