"""Files of a job's folder: JSON, Parquet and logs, each written whole or not at all."""

import hashlib
import json
import os
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_PACKAGES = ("torch", "numpy", "pandas", "pyarrow", "spglib", "pymatgen", "rdt", "ctgan", "sevenn", "dftd3")
_TAIL = 65_536


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a mapping as a JSON file; what JSON does not know becomes text."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_text(json.dumps(content, indent=1, default=str), encoding="utf-8")
    os.replace(part, path)


def read_json(path: Path) -> dict[str, Any]:
    """Return the mapping of a JSON file; empty where there is no file."""
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return content


def write_parquet(frame: "pd.DataFrame", path: Path) -> None:
    """Write a table as a Parquet file that appears only when it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    frame.to_parquet(part, index=False)
    os.replace(part, path)


def tail(path: Path) -> list[str]:
    """Return the last lines of a text file, at most 64 kB of them; empty where there is no file."""
    if not path.exists():
        return []
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL))
        return file.read().decode("utf-8", errors="replace").splitlines()


def fingerprint(files: list[Path]) -> str:
    """Return SHA-256 over the names and contents of files."""
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def versions() -> dict[str, str]:
    """Return versions of Python and of the packages that results depend on."""
    out = {"python": ".".join(map(str, sys.version_info[:3]))}
    for name in _PACKAGES:
        try:
            out[name] = version(name)
        except PackageNotFoundError:
            out[name] = "not installed"
    return out


def process_start(pid: int) -> int | None:
    """Start of a living process in clock ticks after boot (field 22 of /proc/<pid>/stat); None for a dead one."""
    try:
        content = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = content.rpartition(")")[2].split()  # the name, in brackets, may hold anything
    return None if fields[0] in "ZX" else int(fields[19])
