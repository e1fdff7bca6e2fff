"""Where compiled code is kept."""

from pathlib import Path

import pytest

from legocryst.infra import compiled


def _room(folder: Path, source: str = "from legocryst.infra.compiled import compiled\n") -> Path:
    """A package with one module that has compiled functions."""
    (folder / "relax").mkdir(parents=True, exist_ok=True)
    (folder / "relax" / "one.py").write_text(source)
    return folder


def test_compiled_code_lies_beside_the_sources_and_follows_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiled, "_PACKAGE", _room(tmp_path))
    first = compiled._folder()
    assert first is not None and first.is_dir() and first.parent == tmp_path / "__pycache__"
    assert compiled._folder() == first
    _room(tmp_path, "from legocryst.infra.compiled import compiled\n# changed\n")
    assert compiled._folder() != first


def test_compiled_code_of_a_package_that_cannot_be_written_lies_in_the_users_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = _room(tmp_path / "package")
    (package / "__pycache__").touch()  # no folder can be made there, whoever runs the test
    monkeypatch.setattr(compiled, "_PACKAGE", package)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    folder = compiled._folder()
    assert folder is not None and folder.parent == tmp_path / "home" / ".cache" / "legocryst"
    (tmp_path / "file").touch()
    monkeypatch.setenv("HOME", str(tmp_path / "file"))
    assert compiled._folder() is None
