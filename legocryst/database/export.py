"""A selection of crystals as one zip archive: files, table, manifest and what to cite.

    cif/ID.cif           space group, operations and one atom for each Wyckoff site
    poscar/ID.vasp       every atom of the conventional cell
    crystals.extxyz      the same, a frame for each crystal, in the order of the table
    crystals.csv         one row for each crystal, headers as in the database
    crystals.parquet     the same with types, and the relaxed crystals as CIF
    citations.bib        works to cite for what was used
    manifest.json        versions, filters, jobs with their settings and seeds, and the hash of every file

The atoms of a crystal stand in one order in all files: a reader that expands the CIF gets that of POSCAR and extended
XYZ. The same selection gives the same bytes.
"""

import hashlib
import json
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from legocryst import __version__
from legocryst.crystal.io.structures import to_cif
from legocryst.database.citations import used
from legocryst.database.geometry import crystals_of, to_extxyz, to_poscar
from legocryst.database.store import Store
from legocryst.infra.files import versions
from legocryst.vocabulary.references import bibtex

if TYPE_CHECKING:
    import pandas as pd

_MOMENT = (1980, 1, 1, 0, 0, 0)  # the earliest that an archive can hold; another moment would be other bytes
GENERATED, RELAXED = "as generated", "relaxed with the potential"


def bundle(
    store: Store, rows: "pd.DataFrame", *, filters: str = "", order: str = "", relaxed: bool = False
) -> tuple[bytes, dict[str, Any]]:
    """Return the archive of rows of `candidates` (all columns) and its manifest.

    `filters` and `order` say how the rows were found; with `relaxed` a crystal is written as the potential relaxed it,
    where it did. Undecodable rows stand in the tables only. Raises ValueError for no rows.
    """
    if rows.empty:
        raise ValueError("no crystal is selected: loosen the filters, or select some")
    file, cited = BytesIO(), used(rows)
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        hashes = _files(archive, rows, store.workspace, bibtex(cited), relaxed)
        manifest = {
            "program": {"legocryst": __version__} | versions(),
            "workspace": store.workspace.resolve().name,
            "filters": filters,
            "order": order,
            "crystals": hashes.pop("crystals"),
            "jobs": _jobs(store, rows),
            "citations": [reference.key for reference in cited],
            "sha256": hashes,
        }
        _put(archive, "manifest.json", json.dumps(manifest, indent=1, default=str))
    return file.getvalue(), manifest


def _files(archive: ZipFile, rows: "pd.DataFrame", workspace: Path, citations: str, relaxed: bool) -> dict[str, Any]:
    """Write everything but the manifest; returns the hash of each file and, under `crystals`, what was written."""
    hashes: dict[str, Any] = {}
    frames: list[str] = []
    entries: list[dict[str, Any]] = [
        {"id": row["id"], "job": row["job"], "row": int(row["row"]), "geometry": None, "reason": row["reason"] or ""}
        for row in rows[["id", "job", "row", "reason"]].to_dict("records")
    ]
    for k, crystal, moved in crystals_of(rows, workspace, relaxed=relaxed):
        name = entries[k]["id"]
        entries[k] |= {"geometry": RELAXED if moved else GENERATED, "frame": len(frames)}
        frames.append(to_extxyz(crystal, name=name))
        texts = {f"cif/{name}.cif": to_cif(crystal, name=name), f"poscar/{name}.vasp": to_poscar(crystal, name=name)}
        hashes |= {path: _put(archive, path, text) for path, text in texts.items()}
    table = BytesIO()
    rows.to_parquet(table, index=False)
    parts: Mapping[str, str | bytes] = {
        "crystals.extxyz": "".join(frames),
        "crystals.csv": rows.drop(columns="relaxed_cif").to_csv(index=False),
        "crystals.parquet": table.getvalue(),
        "citations.bib": citations,
    }
    hashes |= {path: _put(archive, path, content) for path, content in parts.items()}
    return hashes | {"crystals": entries}


def _put(archive: ZipFile, path: str, content: str | bytes) -> str:
    """Write a file; returns its SHA-256."""
    data = content.encode() if isinstance(content, str) else content
    entry = ZipInfo(path, _MOMENT)
    entry.compress_type, entry.external_attr = ZIP_DEFLATED, 0o644 << 16
    archive.writestr(entry, data)
    return hashlib.sha256(data).hexdigest()


def _jobs(store: Store, rows: "pd.DataFrame") -> list[dict[str, Any]]:
    """Return what is recorded of each job that made one of the rows."""
    names = sorted(rows["job"].unique())
    records = store.query(f"SELECT * FROM jobs WHERE job IN ({', '.join('?' * len(names))}) ORDER BY job", names)
    return [
        {str(name): value for name, value in row.items()}
        | {name: json.loads(row[name]) for name in ("settings", "versions", "summary")}
        for row in records.to_dict("records")
    ]
