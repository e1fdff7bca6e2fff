"""Where a crystal comes from: its job, the row that the model wrote, what became of it, and why it counts as new."""

import json
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from legocryst.ui.shell import shell
from legocryst.ui.structure.drawing import sampled
from legocryst.ui.structure.facts import listed, value
from legocryst.ui.widgets import table_view
from legocryst.vocabulary.quantities import QUANTITIES

if TYPE_CHECKING:
    from legocryst.database.store import Store

STEPS = (
    *("model", "seed", "target", "row", "written_group", "space_group", "shift", "loss_before", "loss"),
    *("evaluations", "restarts", "merged", "energy_model", "relax_steps", "energy_before", "energy"),
)


def history(row: "pd.Series[Any]") -> None:
    """Show the section of a row's history."""
    record = shell.store().query("SELECT * FROM jobs WHERE job = ?", [row["job"]]).iloc[0]
    moment = str(record["started"])[:16].replace("T", " ")
    command = {"run": "a whole run"}.get(record["command"], record["command"])
    st.write(f"Row {row['row']} of the job `{row['job']}`, {command}, started {moment} UTC, {record['state']}.")
    steps = [name for name in STEPS if value(name, row[name]) != "not known"]
    listed(
        [(QUANTITIES[name].label, value(name, row[name]), QUANTITIES[name].help) for name in steps],
        names=("What", "Value", "Meaning"),
    )
    written = sampled(row)
    if len(written):
        st.markdown("**The row as the model wrote it**")
        table_view.table(written[[name for name in written.columns if not _unused(written, name)]], height="content")
        st.caption("Angles in radians, coordinates as fractions of the cell; sites that it does not use are left out.")
    left, right = st.columns(2)
    with left.expander("Settings"):
        shell.record(json.loads(record["settings"]))
    with right.expander("Versions"):
        shell.record(json.loads(record["versions"]))


def _unused(written: pd.DataFrame, name: str) -> bool:
    """Say whether a column belongs to a site that the row does not have."""
    number = name.lstrip("elwpxyz")
    return number.isdigit() and f"wp{number}" in written and bool((written[f"wp{number}"] < 0).all())


def why(store: "Store", row: "pd.Series[Any]") -> list[str]:
    """Return sentences that tell why a valid crystal counts as new, known or a duplicate."""
    sets = store.query(
        "SELECT (SELECT count(DISTINCT net_key) FROM seeds WHERE job = $1) AS seeds, "
        "(SELECT count(DISTINCT net_key) FROM reference WHERE job = $1) AS reference",
        [row["job"]],
    ).iloc[0]
    alike = store.query(
        "SELECT c.id FROM crystals c JOIN jobs j USING (job) WHERE c.status = 'valid' AND c.net_key = ? "
        "AND j.target = ? ORDER BY j.started, c.job, c.row",
        [row["net_key"], row["target"]],
    )["id"].tolist()
    first, others = alike[0], len(alike) - 1
    with_net = f"{others} other crystal{'' if others == 1 else 's'} of this workspace" if others else "no other crystal"
    out = []
    if row["novelty"].startswith("in "):
        out.append(f"It is **known**: {_known(store, row)} the same net.")
    else:
        out.append(
            f"Its net is none of the {sets['seeds']} nets of the training set"
            + (f" and none of the {sets['reference']} of the reference set." if sets["reference"] else ".")
        )
        named = f"RCSR, the list of nets of the field, knows it as **{row['net_name']}**."
        out.append(named if row["net_name"] else "RCSR, the list of nets of the field, has no name for it.")
    if row["class"] == "duplicate":
        out.append(f"It is a **duplicate**: [{first}](/structure?id={first}) has the same net and was there before.")
    elif row["class"] == "new":
        out.append(f"It is **new**: of all crystals here it was the first with this net; {with_net} has it now.")
    if row["nearest"]:
        out.append(
            f"The known crystal whose atoms are arranged most like its own is **{row['nearest']}** of the "
            f"{row['nearest_set']}, {row['nearest_distance']:.3f} Å away."
        )
    return out


def _known(store: "Store", row: "pd.Series[Any]") -> str:
    table = "seeds" if row["novelty"] == "in training set" else "reference"
    rows = store.query(
        f"SELECT name FROM {table} WHERE job = ? AND net_key = ? ORDER BY name LIMIT 4",
        [row["job"], row["net_key"]],
    )["name"]
    names = ", ".join(name or "a crystal without a name" for name in rows)
    of = "training" if table == "seeds" else "reference"
    return f"{names} of the {of} set {'has' if len(rows) == 1 else 'have'}"
