"""The package: what it depends on, what its wheel holds."""

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from legocryst import ROOT, __version__
from legocryst.infra.extras import EXTRAS

FILES = {
    "requirements.txt": ("", "app", "gan", "energy"),
    "requirements-dft.txt": ("dft",),
    "requirements-cluster.txt": ("cluster",),
    "requirements-cuda.txt": ("cuda",),
}
"""Pinned packages, and which ranges they are of: "" is the core."""


def pyproject() -> dict[str, list[Requirement]]:
    """Ranges of the core, under "", and of each extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    ranges = {"": project["dependencies"], **project["optional-dependencies"]}
    return {name: [Requirement(line) for line in lines] for name, lines in ranges.items()}


@pytest.mark.parametrize("name", FILES)
def test_every_pinned_package_lies_in_the_range_of_the_package(name: str) -> None:
    lines = (line.split("#")[0].strip() for line in (ROOT / name).read_text(encoding="utf-8").splitlines())
    pinned = {canonicalize_name(line.name): line for line in map(Requirement, filter(None, lines))}
    ranges = pyproject()
    allowed = {canonicalize_name(line.name): line for extra in FILES[name] for line in ranges[extra]}
    assert pinned.keys() == allowed.keys()
    for package, line in pinned.items():
        (pin,) = line.specifier
        assert pin.version in allowed[package].specifier, f"{package} {pin.version} is not {allowed[package].specifier}"
        assert line.extras == allowed[package].extras


def test_every_extra_is_pinned_somewhere_and_known_to_the_code() -> None:
    extras = pyproject().keys() - {"", "all"}
    assert extras == {extra for extras in FILES.values() for extra in extras} - {""}
    assert extras == EXTRAS.keys() | {"cuda"}  # without which the processor relaxes


def test_extra_all_is_what_make_app_installs() -> None:
    (line,) = pyproject()["all"]
    assert line.name == "legocryst" and line.extras == set(FILES["requirements.txt"]) - {""}


def test_wheel_holds_the_app_and_no_tests(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (path,) = tmp_path.glob("*.whl")
    assert path.name.startswith(f"legocryst-{__version__}-")
    with zipfile.ZipFile(path) as wheel:
        names = set(wheel.namelist())
        scripts = wheel.read(f"legocryst-{__version__}.dist-info/entry_points.txt").decode()
    assert "legocryst = legocryst.cli:main" in scripts
    assert {str(file) for file in _tracked("legocryst")} | {"legocryst/py.typed"} <= names
    bundled = _tracked("app.py", "pages", "data", "static", ".streamlit")
    assert {f"legocryst/_bundle/{file}" for file in bundled} <= names
    assert {name.split("/")[0] for name in names} == {"legocryst", f"legocryst-{__version__}.dist-info"}
    assert not [name for name in names if "test" in Path(name).stem.split("_") or "__pycache__" in name]


def test_no_file_names_the_address_of_a_package_registry() -> None:
    address = re.compile(r"(pypi|pythonhosted|deb\.debian|npmjs)\.(org|com)")
    for path in _tracked():
        try:
            text = (ROOT / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture or a table
        match = address.search(text)
        assert match is None, f"{path} names {match.group()}: leave the registry to the installer's configuration"


def _tracked(*paths: str) -> list[Path]:
    """Files that git keeps, all or those under some paths, as they are now."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this is no checkout of git")
    done = subprocess.run(["git", "ls-files", "-z", "--", *paths], cwd=ROOT, capture_output=True, text=True, check=True)
    return [Path(name) for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]
