"""What leaves a workspace: selections of its crystals as files."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from legocryst.cli.output import Result, say, write

if TYPE_CHECKING:
    import pandas as pd

    from legocryst.database.filters import Filters
    from legocryst.database.store import Store

NEW = "class=new"
"""What is exported unless filters or names are given."""


def export(options: argparse.Namespace) -> Result:
    """Write crystals of a workspace as CIFs, table or archive, from the shards: an open app is no hindrance."""
    from legocryst.database.filters import Filters
    from legocryst.database.store import snapshot

    text = options.filters if options.filters is not None else "" if options.ids else NEW
    where = Filters.parse(text)
    with snapshot(workspace_of(options)) as store:
        rows = _rows(store, where, options)
        options.out.mkdir(parents=True, exist_ok=True)
        if options.format in ("csv", "parquet"):
            write(rows, options.out / f"crystals.{options.format}")
            return {"crystals": len(rows), "files": 1}
        if options.format == "zip":
            return _zip(store, rows, where, options)
        return _cifs(rows, store.workspace, options)


def _rows(store: "Store", where: "Filters", options: argparse.Namespace) -> "pd.DataFrame":
    """Return the rows that were asked for; raises ValueError where there are none."""
    from legocryst.database.filters import Filters

    if options.ids:
        where = Filters(where.between, {**where.among, "id": options.ids}, where.containing)
    order = {"order": options.order, "descending": options.largest_first}
    rows = store.page(where, **order, limit=options.limit or 10**9)
    if lost := sorted(set(options.ids) - set(rows["id"])):
        raise ValueError(f"this workspace has no crystal {lost[0]} that passes the filters: correct the name")
    if rows.empty and where.text() == NEW:
        raise ValueError("this workspace holds no new crystals yet: make some with `python -m legocryst run`")
    if rows.empty:
        raise ValueError("no crystal of this workspace passes the filters: loosen them")
    return rows


def _zip(store: "Store", rows: "pd.DataFrame", where: "Filters", options: argparse.Namespace) -> Result:
    from legocryst.database.export import bundle

    archive, manifest = bundle(store, rows, filters=where.text(), order=options.order, relaxed=options.relaxed)
    part = options.out / "crystals.zip.part"
    part.write_bytes(archive)
    part.replace(options.out / "crystals.zip")
    written = sum(crystal["geometry"] is not None for crystal in manifest["crystals"])
    return {"crystals": len(rows), "with_geometry": written, "files": len(manifest["sha256"]) + 1}


def _cifs(rows: "pd.DataFrame", workspace: Path, options: argparse.Namespace) -> Result:
    from legocryst.crystal.io.structures import to_cif
    from legocryst.database.geometry import crystals_of

    written = 0
    for k, crystal, _ in crystals_of(rows, workspace, relaxed=options.relaxed):
        name = rows["id"].iloc[k]
        (options.out / f"{name}.cif").write_text(to_cif(crystal, name=name), encoding="utf-8")
        written += 1
    return {"crystals": len(rows), "files": written}


def workspace_of(options: argparse.Namespace) -> Path:
    """Return the workspace that was named or is the default; raises ValueError where it holds no jobs."""
    from legocryst.infra.workspace import default_workspace

    workspace: Path = options.workspace or default_workspace()
    if not (workspace / "jobs").is_dir():
        raise ValueError(f"{workspace} is no workspace, it holds no jobs: make one with `python -m legocryst run`")
    return workspace


def sql(options: argparse.Namespace) -> Result:
    """Return what a SELECT over the workspace's database gives; it can only read."""
    from legocryst.database.sql import Copy
    from legocryst.database.store import snapshot

    with snapshot(workspace_of(options)) as store, Copy(store) as copy:
        answer = copy.ask(options.select, seconds=options.seconds, rows=options.rows)
    if options.out:
        write(answer.rows, options.out)
    elif not options.json:
        say(answer.rows.to_string(index=False))
    if answer.cut:
        say("there is more than this: raise --rows, or ask for less")
    return {"rows": len(answer.rows), "cut": answer.cut} | (
        {} if options.out else {"table": answer.rows.to_dict("split")}
    )


def mark(options: argparse.Namespace) -> Result:
    """Star crystals of a workspace, or write a note to them."""
    from legocryst.database import annotations
    from legocryst.database.store import snapshot

    workspace = workspace_of(options)
    if options.star is None and options.note is None:
        raise ValueError("nothing to do: give --star yes, --star no or --note TEXT")
    with snapshot(workspace) as store:
        for name in options.ids:
            store.crystal(name)
    annotations.mark(workspace, options.ids, starred=options.star, note=options.note)
    return {"marks": {name: one for name, one in annotations.marks(workspace).items() if name in options.ids}}
