"""Forms drawn from the settings: one widget a field, with its bounds, unit and help, and values that stay."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import streamlit as st
from annotated_types import Ge, Gt, Le, Lt
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from legocryst import settings as s
from legocryst.infra.executors import checked
from legocryst.stages import catalogue

_KEPT = "settings"
_CLUSTER = "cluster_text"
FIRST = "quick"
"""The preset that all pages start from."""
STAGES: dict[str, type[s.Settings]] = {
    name: field.annotation
    for name, field in s.RunSettings.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, s.Settings)
}
"""Settings of each stage by their name in `RunSettings`."""
Stage = TypeVar("Stage", bound=s.Settings)


def form(name: str, *, options: Mapping[str, Sequence[str]] | None = None, only: Sequence[str] = ()) -> bool:
    """Show widgets for the settings of a stage; returns whether they make sense, else the page says what is wrong.

    `options` lists the allowed values of a text field, by name. With `only`, the other fields get no widget. Advanced
    ones are folded away. See `run_settings` for the values.
    """
    fields = {key: field for key, field in STAGES[name].model_fields.items() if key in only or not only}
    plain = {key: field for key, field in fields.items() if not _extra(field, "advanced")}
    _columns(name, plain, options or {})
    if rest := {key: field for key, field in fields.items() if key not in plain}:
        with st.expander("Advanced settings"):
            _columns(name, rest, options or {})
    try:
        STAGES[name].model_validate(_kept(name))
    except ValidationError as error:
        first = error.errors()[0]
        message = first["msg"].removeprefix("Value error, ")
        key = str(first["loc"][0])
        st.error(f"{s.label(key, STAGES[name].model_fields[key])}: {message[0].lower()}{message[1:]}.")
        return False
    return True


def further() -> dict[str, str]:
    """Give the settings of stages at the end of a run, which no page is about: their name and what it stands under."""
    return {
        stage.settings: stage.title for stage in catalogue.STAGES.values() if stage.when == "end" and stage.settings
    }


def arrive() -> None:
    """Let widgets begin with the values that are kept; to be called where another page is shown.

    Streamlit still has a widget's value of the page before, but a widget with its name is a new one, at its first
    option.
    """
    for name, kind in STAGES.items():
        for key in kind.model_fields:
            st.session_state.pop(f"{name}.{key}", None)
    for key in ("run.seed", "preset", "cluster"):
        st.session_state.pop(key, None)


def seed() -> None:
    """Show a widget for the seed of the run."""
    field = s.RunSettings.model_fields["seed"]
    values = st.session_state.setdefault(_KEPT, {}).setdefault("run", {"seed": field.default})
    values["seed"] = _widget("run", "seed", field, values["seed"], ())


def cluster() -> bool:
    """Draw the field for a Dask cluster; returns whether it names one or is empty, else the page says what is wrong."""
    with st.expander("Cluster"):
        st.session_state.setdefault("cluster", cluster_text())
        st.session_state[_CLUSTER] = st.text_input(
            "Cluster",
            key="cluster",
            placeholder="this computer",
            help="What a run is spread over: local:N is N processes of this computer by Dask; tcp://HOST:PORT, or the "
            "path of its file, is a Dask scheduler, whose workers do the work. Empty: this computer.",
        )
    try:
        checked(cluster_text())
    except ValueError as error:  # no such cluster, or Dask is not installed
        st.error(f"Cluster: {error}.")
        return False
    return True


def cluster_text() -> str:
    """Return the cluster that was named in this session, "" for this computer."""
    return str(st.session_state.get(_CLUSTER, ""))


def preset_choice() -> None:
    """Show a choice of preset; taking one fills in the settings of every stage."""
    remembered = st.session_state.setdefault(_KEPT, {})

    def fill() -> None:
        fill_in(with_target(s.preset(st.session_state["preset"]), target()))
        remembered["preset"] = st.session_state["preset"]

    if "preset" not in st.session_state:
        st.session_state["preset"] = remembered.setdefault("preset", FIRST)
    text = "Fills in the settings of every stage: quick is for a first look, thorough takes hours."
    words = {"smoke": "demonstration"}
    st.selectbox(
        "Preset", s.PRESETS, key="preset", on_change=fill, help=text, format_func=lambda name: words.get(name, name)
    )


def target() -> str:
    """Return name of the target that the next run goes to."""
    return str(_kept("curate")["target"])


def with_target(settings: s.RunSettings, target: str) -> s.RunSettings:
    """Return the settings of a run to another target, which no preset chooses."""
    return settings.model_copy(update={"curate": settings.curate.model_copy(update={"target": target})})


def fill_in(settings: s.RunSettings, *, seed: int | None = None) -> None:
    """Take over the settings of every stage, and the seed where one is given."""
    if seed is not None:
        st.session_state.setdefault(_KEPT, {})["run"] = {"seed": seed}
        st.session_state.pop("run.seed", None)
    for name in STAGES:
        values = getattr(settings, name).model_dump()
        _kept(name).update(values)
        for key, value in values.items():
            if (widget := f"{name}.{key}") in st.session_state:
                st.session_state[widget] = value


def run_settings() -> s.RunSettings:
    """Return settings of a run: what all pages' forms hold, the first preset's where no form was opened yet.

    Raises pydantic's ValidationError (a ValueError) for values that make no sense.
    """
    values = {name: _kept(name) for name in STAGES}
    return s.RunSettings.model_validate(values | st.session_state[_KEPT].get("run", {}))


def _kept(name: str) -> dict[str, Any]:
    """Return the values of a stage, which outlive their widgets: Streamlit forgets those on a change of page."""
    stages = st.session_state.setdefault(_KEPT, {})
    values: dict[str, Any] = stages.setdefault(name, getattr(s.preset(FIRST), name).model_dump())
    return values


def _columns(name: str, fields: Mapping[str, FieldInfo], options: Mapping[str, Sequence[str]]) -> None:
    values = _kept(name)
    for k, (key, field) in enumerate(fields.items()):
        if k % 3 == 0:
            columns = st.columns(3)
        with columns[k % 3]:
            values[key] = _widget(name, key, field, values[key], options.get(key, ()))


def _widget(name: str, key: str, field: FieldInfo, value: Any, options: Sequence[str]) -> Any:
    """Show the widget of one field, showing `value` when it is new; returns what it holds."""
    widget, unit, takes = f"{name}.{key}", _extra(field, "unit"), s.shape(field)
    label = s.label(key, field) + (f" ({unit})" if unit else "")
    options = takes.choices or options
    if widget not in st.session_state:
        st.session_state[widget] = list(value) if takes.several else value
    if takes.several:
        return tuple(st.multiselect(label, options, key=widget, help=field.description, placeholder="all"))
    if options:
        options = [*options, *([value] if value not in options else [])]  # a target that was deleted meanwhile
        return st.selectbox(label, options, key=widget, help=field.description)
    if takes.base is bool:
        return st.checkbox(label, key=widget, help=field.description)
    if takes.base is str:
        return st.text_input(label, key=widget, help=field.description, placeholder="all")
    return _number(label, takes, _bounds(field), value, key=widget, help=field.description)


def _number(
    label: str,
    takes: s.Shape,
    bounds: tuple[float | None, float | None],
    value: Any,
    **options: Any,
) -> float | None:
    """Show a field for a number; an empty one keeps `value`, unless the setting may be empty."""
    low, high = bounds
    if takes.empty:
        # what an empty field stands for, which the help tells
        meant = re.search(r"empty: ([^,.;]+)", options["help"])
        options |= {"value": None, "placeholder": meant[1] if meant else "empty"}
    if takes.base is int:
        low, high = (None if bound is None else int(bound) for bound in bounds)
        number = st.number_input(label, low, high, step=1, **options)
    else:
        # of the first digit, or a hundredth of the largest where there is none
        step = 10.0 ** math.floor(math.log10(abs(value) if value else (high or 10) / 100))
        number = st.number_input(label, low, high, step=step, format="%g", **options)
    return value if number is None and not takes.empty else number


def _bounds(field: FieldInfo) -> tuple[float | None, float | None]:
    """Lower and upper bound; open ones count too, and are refused when the whole form is checked."""
    low = next((m.ge if isinstance(m, Ge) else m.gt for m in field.metadata if isinstance(m, Ge | Gt)), None)
    high = next((m.le if isinstance(m, Le) else m.lt for m in field.metadata if isinstance(m, Le | Lt)), None)
    return (None if low is None else float(low)), (None if high is None else float(high))  # type: ignore[arg-type]


def _extra(field: FieldInfo, name: str) -> Any:
    extra = field.json_schema_extra
    return extra.get(name) if isinstance(extra, dict) else None
