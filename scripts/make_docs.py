"""Write docs/settings.md: every setting and every column, from the code that defines them.

python -m scripts.make_docs
"""

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from legocryst import ROOT
from legocryst.settings import PRESETS, BootstrapSettings, RunSettings, preset, shape
from legocryst.stages.catalogue import STAGES
from legocryst.vocabulary.quantities import QUANTITIES, SITES

PAGE = ROOT / "docs" / "settings.md"
HEAD = """# Settings and columns

Written by `make docs` from `legocryst/settings/` and `legocryst/vocabulary/quantities.py`; do not edit it here.
The forms of the pages, the flags of the command line and the record beside each result come from these. A flag is the
setting's name with hyphens (`--max-sites`); `run`, which has the settings of all stages, wants the stage before it
(`--augment-max-sites`).
"""


def page() -> str:
    """Return the whole page as Markdown."""
    sections = [HEAD, *_stages(), _presets(), _columns()]
    return "\n".join(sections)


def _stages() -> Iterator[str]:
    models = {stage: field.annotation for stage, field in RunSettings.model_fields.items()}
    for stage, model in ({"bootstrap": BootstrapSettings} | models).items():
        if isinstance(model, type) and issubclass(model, BaseModel):
            rows = [
                (f"`{name}`", _value(entry.default), _range(entry), _unit(entry), entry.description or "")
                for name, entry in model.model_fields.items()
            ]
            head = f"## {stage.capitalize()}\n\n{(model.__doc__ or '').strip()}\n"
            yield head + "\n" + _table(("setting", "default", "range", "unit", "meaning"), rows)


def _presets() -> str:
    values = {name: _flat(preset(name).model_dump()) for name in PRESETS}
    plain = _flat(RunSettings().model_dump())
    changed = [name for name in plain if any(values[p][name] != plain[name] for p in PRESETS)]
    rows = [(f"`{name}`", *(_value(values[p][name]) for p in PRESETS)) for name in changed]
    text = "What the presets of a run change; everything else has its default.\n"
    return f"## Presets\n\n{text}\n" + _table(("setting", *PRESETS), rows)


def _flat(values: dict[str, Any]) -> dict[str, Any]:
    return {
        f"{stage}.{name}": value
        for stage, inner in values.items()
        if isinstance(inner, dict)
        for name, value in inner.items()
    }


def _columns() -> str:
    assert STAGES, "which describe columns that only they have"
    rows = []
    for quantity in QUANTITIES.values():
        stem = quantity.name.rstrip("0123456789")
        of_site = f"{stem}{SITES - 1}" in QUANTITIES  # one row stands for the same column of every site
        if not of_site:
            rows.append((f"`{quantity.name}`", quantity.label, quantity.unit, quantity.help))
        elif quantity.name == f"{stem}0":
            label, meaning = quantity.label.removesuffix(" 1"), quantity.help.replace("site 1", "each site")
            rows.append((f"`{stem}0` … `{stem}{SITES - 1}`", label, quantity.unit, meaning))
    return "## Columns\n\n" + _table(("column", "label", "unit", "meaning"), rows)


def _range(field: FieldInfo) -> str:
    takes = shape(field)
    if takes.choices:
        return ("any of " if takes.several else "") + ", ".join(_value(choice) for choice in takes.choices)
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    bounds = [
        (sign, getattr(bound, name)) for bound in field.metadata for name, sign in signs.items() if hasattr(bound, name)
    ]
    return ", ".join(f"{sign} {_value(limit)}" for sign, limit in bounds)


def _unit(field: FieldInfo) -> str:
    extra = field.json_schema_extra
    return str(extra.get("unit", "")) if isinstance(extra, dict) else ""


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value in (None, "", ()):
        return "empty"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
