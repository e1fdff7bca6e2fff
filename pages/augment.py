"""Augment: the training set written again in subgroups."""

from collections import Counter

import numpy as np
import pandas as pd
import streamlit as st

from legocryst.crystal.crystals import Crystals
from legocryst.crystal.symmetry.wyckoff import symbol, wyckoff
from legocryst.database import queries
from legocryst.jobs.record import Job
from legocryst.ui.shell import forms, frame, shell
from legocryst.ui.shell.live import live, planned
from legocryst.ui.widgets import figures, table_view
from legocryst.ui.widgets.scene import Scene, SceneError, scene, turned
from legocryst.ui.widgets.viewer import view
from legocryst.vocabulary.quantities import CRYSTAL_COLUMNS, SITES

BEFORE, AFTER = "Training set", "Augmented table"
KINDS = ("itself", "t", "k", "t + k")


def both(known: pd.DataFrame, rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return counts of the values of a column before and after."""
    before, after = (part.groupby(name, as_index=False)["n"].sum() for part in (known, rows))
    return pd.concat([before.assign(set=BEFORE), after.assign(set=AFTER)], ignore_index=True)


def measured(job: Job, table: str) -> pd.DataFrame:
    """Return combinations of group and positions in a table, with their sites and degrees of freedom."""
    combinations = queries.combinations(shell.store(), table, job.id)
    five = (
        combinations["spg"] - 1
    ) // 5 * 5 + 3  # the middle of each five groups: single bars would be too thin to see
    return combinations.assign(
        sites=queries.site_count(combinations), free=queries.free_variables(combinations), five=five
    )


def result(job: Job) -> None:
    shell.catch_up(job)
    store = shell.store()
    known, rows = measured(job, "seeds"), measured(job, "augmented")
    if rows.empty:
        st.info("This job has no augmented table yet.")
        return
    crystals, total = int(known["n"].sum()), int(rows["n"].sum())
    one = store.query(
        "SELECT max(deviation) AS far, count(*) FILTER (mirror) AS mirrors, count(*) FILTER (variant) AS variants "
        "FROM augmented WHERE job = ?",
        [job.id],
    ).iloc[0]
    st.write(
        f"{crystals:,} crystals in {known['spg'].nunique()} space groups became {total:,} rows in "
        f"{rows['spg'].nunique()}, with {len(rows):,} lists of Wyckoff positions instead of {len(known):,}; "
        f"{total / crystals:.0f} rows for each crystal on average. {int(one['mirrors']):,} rows are the mirror image "
        "of their crystal."
    )
    if one["variants"] > 0:
        st.write(f"Every row was moved a little and relaxed; no atom went further than {one['far']:.2f} Å.")
    elif one["far"] >= 0:  # tables of an older version do not say
        st.write(f"Every row is proved to be its crystal: no atom is further than {one['far']:.0e} Å from its place.")
    overview, follow = st.tabs(["Before and after", "Follow one crystal"], key="augment.tabs", on_change="rerun")
    with overview:
        if overview.open:
            distributions(job, known, rows)
    with follow:
        if follow.open:
            followed(job)


def distributions(job: Job, known: pd.DataFrame, rows: pd.DataFrame) -> None:
    figure = figures.bars(both(known, rows, "five"), x="five", by="set", percent=True)
    figure.update_xaxes(title="Number of the space group, five together", range=[0, 231])
    figures.show(figure, caption="Space groups of the crystals and of the rows.", key="groups")
    left, right = st.columns(2)
    with left:
        caption = "Wyckoff sites: a crystal written in a subgroup has as many or more."
        figures.show(figures.bars(both(known, rows, "sites"), x="sites", by="set", percent=True), caption=caption)
        sql = "SELECT t_index > 1 AS t, k_index > 1 AS k, count(*) AS n FROM augmented WHERE job = ? GROUP BY ALL"
        kinds = shell.store().query(sql, [job.id]).dropna()
        numbers = {KINDS[int(t) + 2 * int(k)]: int(n) for t, k, n in kinds.itertuples(index=False)}
        caption = "Subgroups: t has fewer rotations (translationengleiche), k fewer translations (klassengleiche)."
        figures.show(figures.ranked(numbers, x="Rows"), caption=caption)
    with right:
        figure = figures.bars(both(known, rows, "free"), x="free", by="set", percent=True)
        caption = "Degrees of freedom: free lengths and angles of the cell and free coordinates of the sites."
        figures.show(figure.update_xaxes(title="Degrees of freedom"), caption=caption)
        sql = "SELECT count(*) AS n FROM augmented WHERE job = ? GROUP BY label"
        part = queries.binned(shell.store().query(sql, [job.id])["n"])
        figure = figures.histogram(part, x="rows").update_xaxes(title="Rows")
        figures.show(figure, caption="Rows made from one crystal.")


def followed(job: Job) -> None:
    """Show one crystal through its subgroups, and its cell in one of them beside its own."""
    store = shell.store()
    crystals = store.query(
        f"SELECT number, name, {', '.join(CRYSTAL_COLUMNS)} FROM seeds WHERE job = ? ORDER BY number", [job.id]
    )
    named = zip(crystals["name"], crystals["spg"], strict=True)
    names = {k: f"{name or 'unnamed'}, {symbol(spg)}" for k, (name, spg) in enumerate(named)}
    label = st.selectbox("Crystal", list(names), format_func=lambda k: f"{k}: {names[k]}", key="followed")
    descriptions = queries.descriptions(store, job.id, int(crystals["number"][label]))
    if descriptions.empty:
        st.info("No row was made of this crystal: it is beyond the limits.")
        return
    shown = listing(descriptions)
    event = st.dataframe(
        shown,
        column_config=table_view.columns(list(shown.columns)),
        hide_index=True,
        height=280,
        on_select="rerun",
        selection_mode="single-row",
        key=f"followed.{job.id}.{label}",
        alt="Subgroups in which the crystal was written",
    )
    first = int(np.argmax(descriptions["t_index"] * descriptions["k_index"] > 1))
    chosen = (event["selection"]["rows"] or [first])[0]
    st.caption(
        f"{int(descriptions['n'].sum())} rows in {len(descriptions)} subgroups and bases. Select a row to see its cell."
    )
    cells(job, crystals.iloc[[label]], descriptions.iloc[[chosen]])


def listing(descriptions: pd.DataFrame) -> pd.DataFrame:
    """Return descriptions as a reader wants them: group, indices, cell in degrees, sites in letters."""
    data, groups = wyckoff(), descriptions["spg"].to_numpy(int)
    sites: list[list[str]] = [[] for _ in groups]
    for i in range(SITES):
        for k, position in enumerate(descriptions[f"wp{i}"].to_numpy(int)):
            if position >= 0:
                identity = data.first[groups[k]] + position
                sites[k].append(f"{data.multiplicity[identity]}{data.letter[identity]}")
    kind = np.array(KINDS)[(descriptions["t_index"] > 1) + 2 * (descriptions["k_index"] > 1)]
    return pd.DataFrame(
        {
            "Space group": [f"{symbol(group)} ({group})" for group in groups],
            "Kind": kind,
            "t_index": descriptions["t_index"],
            "k_index": descriptions["k_index"],
            "a, b, c (Å)": _joined(descriptions[list("abc")].to_numpy(), "{:.3f}"),
            "α, β, γ (°)": _joined(np.degrees(descriptions[["alpha", "beta", "gamma"]].to_numpy()), "{:.4g}"),
            "Wyckoff sites": [" ".join(f"{n} × {site}" for site, n in Counter(names).items()) for names in sites],
            "rows": descriptions["n"],
            "basis": descriptions["basis"],
            "Origin": _joined(descriptions[["origin_x", "origin_y", "origin_z"]].to_numpy(), "{:.4g}"),
            "mirror": descriptions["mirror"],
        }
    )


def _joined(numbers: np.ndarray, form: str) -> list[str]:
    return [", ".join(form.format(x) for x in row) for row in numbers]


def cells(job: Job, seed: pd.DataFrame, row: pd.DataFrame) -> None:
    """Show the crystal in its own cell, and in the one of a row, drawn in the same directions."""
    from legocryst.crystal.io.table import decode
    from legocryst.crystal.symmetry.subgroups import basis_of

    target = shell.target(job.record["settings"]["curate"]["target"])
    pair: list[Crystals] = [
        decode(table[list(CRYSTAL_COLUMNS)].astype(float), element=target.atomic_number, max_atoms=10**6).crystals
        for table in (seed, row)
    ]
    basis, spg = str(row["basis"].iloc[0]), int(row["spg"].iloc[0])
    try:
        drawn: list[Scene] = [scene(each, cutoff=target.bond_window[1]) for each in pair]
    except SceneError as error:
        st.warning(shell.sentence(error))
        return
    drawn[1] = turned(drawn[1], basis_of(basis).T @ drawn[0].axes)
    titles = (f"As known: {symbol(int(seed['spg'].iloc[0]))}", f"As written: {symbol(spg)}, axes {basis}")
    for place, title, each, key in zip(st.columns(2), titles, drawn, ("parent", "subgroup"), strict=True):
        with place:
            st.markdown(f"**{title}**")
            view(each, name=title, height=360, key=key)


@st.fragment
def controls() -> None:
    """Show settings and the button; a change of one does not draw the result anew."""
    parent = shell.training_set()
    good = forms.form("augment")
    forms.seed()
    frame.starter("Augment", "augment", key="augmented", good=good, base=parent)


shell.begin("augment")
controls()
st.header("Result")
job = shell.choose_job("Job", key="augmented", fits=lambda job: "augment" in planned(job))
if job is None:
    st.info("Nothing has been augmented yet: press the button, or run the demonstration on the first page.")
else:
    live(job)
    if shell.has(job, "augment"):
        result(job)
shell.end("augment")
