"""The SQL box of the Database page: for those who want it; it can only read."""

from typing import Any

import streamlit as st

from legocryst.database.schema import COLUMNS, MARKS, TABLES
from legocryst.database.sql import ROWS, SECONDS, Copy, SqlError
from legocryst.database.store import Store
from legocryst.ui.shell import shell
from legocryst.ui.widgets import table_view

EXAMPLE = """SELECT kind, count(*) AS n, min(energy) AS lowest
FROM candidates WHERE class = 'new'
GROUP BY kind ORDER BY lowest"""


@st.cache_resource(show_spinner="Copying the database", max_entries=1, on_release=lambda copy: copy.close())
def _copy(folder: str, stamp: tuple[Any, ...], _store: Store) -> Copy:
    return Copy(_store)


def box(store: Store) -> None:
    """Show the tab."""
    st.write(
        f"One SELECT in DuckDB's SQL over a copy of the database: at most {ROWS:,} rows and {SECONDS:g} seconds. It "
        "can change nothing and reach no file."
    )
    with st.form("sql_form"):
        sql = st.text_area("SQL", EXAMPLE, key="sql", height=140)
        submitted = st.form_submit_button("Ask", type="primary")
    if submitted:
        try:
            with st.spinner("Asking"):
                answer = _copy(str(store.workspace), store.stamp(), store).ask(sql)
        except SqlError as error:
            st.error(shell.sentence(error))
        else:
            table_view.table(answer.rows, height=360 if len(answer.rows) > 9 else "content")
            st.caption(f"{len(answer.rows):,} rows." + (" There is more than this." if answer.cut else ""))
            st.download_button(
                "Download CSV", answer.rows.to_csv(index=False), "answer.csv", "text/csv", on_click="ignore"
            )
    with st.expander("Tables and their columns"):
        st.markdown(f"**candidates** (every sampled row with all that is known of it): {', '.join(COLUMNS)}")
        for name, columns in {**TABLES, "marks": MARKS}.items():
            st.markdown(f"**{name}**: {', '.join(columns)}")
