"""Filters of the Database page: any column of the crystals, drawn by its kind, its values in the page's address."""

from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from legocryst.database import queries
from legocryst.database.filters import Filters
from legocryst.database.schema import COLUMNS
from legocryst.database.store import Store
from legocryst.ui.shell import words
from legocryst.vocabulary.quantities import CRYSTAL_COLUMNS, QUANTITIES

BASIC = ("class", "kind", "periodicity", "energy", "density", "atoms")
"""Filters that are there unless others are asked for."""
CHOSEN = "filters"
"""Key, in the address too, of the names of the filters."""
DEFAULT = "filters at first"
"""Key of the filters of a visit's start: those of `BASIC`, and those whose values the address has."""
AS_SETS = ("periodicity", "job", "model", "target")
"""Numbers and texts of which there are few."""
ORDERED = (*(name for name in COLUMNS if name not in CRYSTAL_COLUMNS), *CRYSTAL_COLUMNS)
"""Every column that can be a filter, cell and coordinates last."""
_ENDS = {"set": ("",), "range": ("_from", "_to"), "text": ("_has",)}


def shape(name: str) -> str:
    """Return how a column is filtered: by a set of values, a range, or a text in it."""
    kind = QUANTITIES[name].kind
    if kind in ("category", "truth") or name in AS_SETS:
        return "set"
    return "range" if kind in ("real", "integer") else "text"


def keys(name: str) -> list[str]:
    """Return keys of a filter's widgets, which are its names in the address."""
    return [name + end for end in _ENDS[shape(name)]]


def label(name: str) -> str:
    """Return a column in words, with its unit."""
    return QUANTITIES[name].header


def filters(store: Store) -> Filters:
    """Show the widgets, and return the conditions that they hold."""
    if DEFAULT not in st.session_state:
        in_address = [name for name in ORDERED if any(key in st.query_params for key in keys(name))]
        st.session_state[DEFAULT] = [*BASIC, *(name for name in in_address if name not in BASIC)]
    default = st.session_state[DEFAULT]
    left, right = st.columns([5, 1], vertical_alignment="bottom")
    names = left.multiselect(
        "Filter by", ORDERED, default, key=CHOSEN, format_func=label, bind="query-params", placeholder="nothing"
    )
    right.button("Clear filters", on_click=clear, args=(names,), width="stretch")
    between: dict[str, tuple[float | None, float | None]] = {}
    among: dict[str, list[Any]] = {}
    containing: dict[str, str] = {}
    for first in range(0, len(names), 3):
        for name, place in zip(names[first : first + 3], st.columns(3, vertical_alignment="bottom"), strict=False):
            if shape(name) == "set":
                among[name] = chosen(store, name, place)
            elif shape(name) == "range":
                between[name] = limits(name, place)
            else:
                containing[name] = part(name, place)
    return Filters(between, among, containing)


def clear(names: list[str]) -> None:
    """Let everything pass that these filters keep out."""
    for name in names:
        for key in keys(name):
            st.session_state[key] = {"set": [], "range": None, "text": ""}[shape(name)]


def narrow(ranges: dict[str, tuple[float, float]]) -> None:
    """Set ranges, as a callback of a figure; what is no filter yet becomes one."""
    shown = list(st.session_state.get(CHOSEN, st.session_state.get(DEFAULT, BASIC)))
    st.session_state[CHOSEN] = [*shown, *(name for name in ranges if name not in shown)]
    for name, (low, high) in ranges.items():
        whole = QUANTITIES[name].kind == "integer"
        st.session_state[f"{name}_from"] = int(-(-low // 1)) if whole else float(f"{low:.6g}")
        st.session_state[f"{name}_to"] = int(high // 1) if whole else float(f"{high:.6g}")


def chosen(store: Store, name: str, place: DeltaGenerator) -> list[Any]:
    """Show a choice of the values of a column that pass; none chosen: all pass."""
    quantity = QUANTITIES[name]
    options = _values(str(store.workspace), store.stamp(), name, store)
    default = ["new"] if name == "class" and "new" in options else None
    values = place.multiselect(
        quantity.label,
        options,
        default,
        key=name,
        help=words.help_of(name, quantity.help),
        bind="query-params",
        placeholder="all",
    )
    if quantity.kind == "truth":
        return [value == "True" for value in values]
    return [int(value) for value in values] if quantity.kind == "integer" else list(values)


@st.cache_data(show_spinner=False, max_entries=200)
def _values(folder: str, stamp: tuple[Any, ...], name: str, _store: Store) -> list[str]:
    """Return the values of a column of all crystals, as text."""
    return [str(value) for value in queries.count_by(_store, "candidates", name)[name] if str(value)]


@st.cache_data(show_spinner=False, max_entries=4)
def _all(folder: str, stamp: tuple[Any, ...], _store: Store) -> int:
    return _store.total()


def number_of_all(store: Store) -> int:
    """Return how many rows there are."""
    return _all(str(store.workspace), store.stamp(), store)


def part(name: str, place: DeltaGenerator) -> str:
    """Show a field for a text that the column must contain."""
    return place.text_input(f"{QUANTITIES[name].label} contains", key=f"{name}_has", bind="query-params").strip()


def limits(name: str, place: DeltaGenerator) -> tuple[float | None, float | None]:
    """Show two fields for the least and the largest value; empty ones are open."""
    low, high = place.columns(2, vertical_alignment="bottom")
    form = "%d" if QUANTITIES[name].kind == "integer" else "%g"
    options: dict[str, Any] = {"value": None, "format": form, "bind": "query-params", "placeholder": "any"}
    options["step"] = 1 if form == "%d" else 0.1
    text = words.help_of(name, QUANTITIES[name].help)
    least = low.number_input(f"{label(name)}, from", key=f"{name}_from", help=text, **options)
    most = high.number_input("to", key=f"{name}_to", **options)
    return least, most
