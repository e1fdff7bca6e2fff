"""The net of one crystal on its page, whether it is known, and the crystals that are similar."""

import re
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from legocryst.crystal.crystals import Crystals
from legocryst.crystal.io.table import decode
from legocryst.database.store import Store
from legocryst.ui.shell import shell
from legocryst.ui.widgets import table_view
from legocryst.vocabulary.quantities import CRYSTAL_COLUMNS

if TYPE_CHECKING:
    from legocryst.comparison.pdd import PDD
    from legocryst.environment.target import Target
    from legocryst.topology.symbols import Topology

_UP, _DOWN = (str.maketrans("0123456789", digits) for digits in ("⁰¹²³⁴⁵⁶⁷⁸⁹", "₀₁₂₃₄₅₆₇₈₉"))
MOST = 10
"""Similar crystals that are listed."""


@st.cache_data(show_spinner=False, max_entries=50)
def _topology(key: str, cutoff: float, _crystal: Crystals) -> "Topology":
    """Return it for the crystal that `key` names."""
    from legocryst.topology.symbols import topology

    return topology(_crystal, cutoff=cutoff)


def net(row: "pd.Series[Any]", crystal: Crystals) -> None:
    """Show the section of a valid crystal's net."""
    st.header("Net")
    described = _topology(row["id"], shell.target(row["target"]).bond_window[1], crystal)
    entry = described.entry()
    rings = ", ".join(f"{size if size != '0' else 'none'} ({count})" for size, count in entry["rings"].items())
    sentences = [
        f"**{entry['net'] or 'No name'}** ({row['novelty']}): {entry['kind']}, {entry['periodicity']}-periodic",
        f"point symbol {_raised(described.point_symbol)}",
        f"sizes of the shortest rings at its angles, in brackets how often: {rings}",
    ]
    if described.interpenetration > 1:
        sentences.append(f"{described.interpenetration} frameworks that do not touch")
    st.markdown("; ".join(sentences) + f". Key `{entry['key']}`.")
    table = pd.DataFrame(
        {
            "Vertices": entry["vertices"],
            "Vertex symbol": entry["vertex_symbol"],
            "Coordination sequence": [" ".join(map(str, sequence)) for sequence in entry["coordination_sequence"]],
        }
    )
    table_view.table(table, height="content")
    st.caption(
        "Kinds of vertices in their smallest ratio. The sequence counts atoms 1 to 12 bonds away; the symbol gives the "
        "shortest rings at each angle, in brackets how many."
    )


def _raised(symbol: str) -> str:
    """Return a point symbol as the field writes it: {4.6²}₂."""
    powers = re.sub(r"\^(\d+)", lambda match: match[1].translate(_UP), symbol)
    return re.sub(r"\}(\d+)", lambda match: "}" + match[1].translate(_DOWN), powers).replace("*", "∞")


def similar(row: "pd.Series[Any]", crystal: Crystals) -> None:
    """Show the section of the crystals nearest to a valid one, in the database and among the known ones."""
    from legocryst.comparison.duplicates import TOLERANCE

    if row["nearest"]:
        st.write(
            f"Nearest known crystal: **{row['nearest']}** of the {row['nearest_set']}, {row['nearest_distance']:.3f} Å."
        )
    repeated = st.checkbox("Also crystals whose net an earlier one has", key="repeated")
    nearest = _similar(row["id"], row["job"], row["target"], row["net_key"], repeated, crystal)
    if nearest.empty:
        st.caption("There are no others yet.")
        return
    link = st.column_config.LinkColumn("Open", display_text="Open", width="small")
    table_view.table(
        nearest, extra={"Open": link, "Distance (Å)": st.column_config.NumberColumn(format="%.3f")}, height="content"
    )
    st.caption(
        "Earth mover's distance between the distances of atoms to their 100 nearest, bonds scaled to the target's; "
        "layers are compared without their stacking. Crystals of one net are duplicates, whatever their distance; "
        f"up to {TOLERANCE} Å between different nets StructureMatcher decides."
    )


@st.cache_data(show_spinner="Comparing crystals", max_entries=20, ttl=300)
def _similar(name: str, job: str, target_name: str, key: str, repeated: bool, _crystal: Crystals) -> pd.DataFrame:
    """Return the nearest of the database and of what the job knows, with the reason why they are the same or not."""
    from legocryst.comparison.duplicates import TOLERANCE, matches, reason
    from legocryst.comparison.novelty import FILE, Known
    from legocryst.comparison.pdd import pdds
    from legocryst.crystal.io.structures import to_structure
    from legocryst.database.similar import similar as in_database

    (pdd,), store = pdds(_crystal, shell.target(target_name)), shell.store()
    near = in_database(store, pdd, shell.target(target_name), but=name, repeated=repeated, most=MOST)
    first = _first_of_net(store, pdd, name, target_name, key)
    near = pd.concat([first[~first["id"].isin(near["id"])], near]) if len(first) else near
    path = shell.workspace() / "jobs" / job / FILE
    known = Known.read(path) if path.exists() else Known.none()
    rows: list[tuple[float, str, str, str, bool, str]] = [
        (apart, f"/structure?id={other}", net or "no name", f"database, {of_class}", net_key == key, other)
        for other, net_key, net, of_class, apart in near.itertuples(index=False)
    ]
    rows += [
        (apart, "", known.names[k], known.sets[k], known.keys[k] == key, "")
        for apart, k in known.nearest(pdd, most=MOST)
    ]
    out = []
    rows.sort(key=lambda one: (not one[4], one[0]))
    for apart, address, title, of_set, same_net, other in rows[:MOST]:
        matched = None
        if other and apart <= TOLERANCE and not same_net:
            both = to_structure(_crystal), to_structure(stored(store.crystal(other), shell.target(target_name)))
            matched = matches(*both)
        words = reason(apart, same_net=same_net, matched=matched)
        out.append((address, title, of_set, apart, "yes" if same_net else "no", words))
    return pd.DataFrame(out, columns=["Open", "Net", "Of", "Distance (Å)", "Same net", "In words"])


def _first_of_net(store: Store, pdd: "PDD", name: str, target_name: str, key: str) -> pd.DataFrame:
    """Find the first other crystal of the database with a net, in the columns of `similar`; no row without one."""
    from legocryst.comparison.pdd import distance, pdds

    rows = store.query(
        "SELECT * FROM candidates WHERE target = ? AND net_key = ? AND id <> ? AND status = 'valid' "
        "ORDER BY class = 'duplicate', job, row LIMIT 1",
        [target_name, key, name],
    )
    target = shell.target(target_name)
    apart = [distance(pdd, other) for other in pdds(stored(rows, target), target)] if len(rows) else []
    return rows.assign(distance=apart)[["id", "net_key", "net_name", "class", "distance"]]


def stored(row: pd.DataFrame, target: "Target") -> Crystals:
    """Return the crystal of the one row of `candidates`, made for a target."""
    table = row[list(CRYSTAL_COLUMNS)].astype(float)
    return decode(table, element=target.atomic_number, max_atoms=10**6).crystals
