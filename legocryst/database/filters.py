"""Conditions on the crystals of a database, as SQL and as the text of an address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode

from legocryst.database.schema import COLUMNS, StoreError, column
from legocryst.vocabulary.quantities import QUANTITIES

FILTERED = frozenset(COLUMNS)


@dataclass(frozen=True)
class Filters:
    """Conditions on columns of `candidates`, all of which must hold; names are checked, values are bound."""

    between: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)  # inclusive; None: open
    among: Mapping[str, Sequence[Any]] = field(default_factory=dict)  # an empty sequence lets all pass
    containing: Mapping[str, str] = field(default_factory=dict)  # text within, capitals or not; "" lets all pass

    def sql(self) -> tuple[str, list[Any]]:
        """Return the condition and its parameters; raises StoreError for an unknown column."""
        parts: list[str] = ["TRUE"]
        values: list[Any] = []
        for name, (low, high) in self.between.items():
            for sign, bound in ((">=", low), ("<=", high)):
                if bound is not None:
                    parts.append(f"{column(name)} {sign} ?")
                    values.append(bound)
        for name, allowed in self.among.items():
            if allowed:
                parts.append(f"{column(name)} IN ({', '.join('?' * len(allowed))})")
                values += list(allowed)
        for name, text in self.containing.items():
            if text:
                parts.append(f"contains(lower({column(name)}), lower(?))")
                values.append(text)
        return " AND ".join(parts), values

    def text(self) -> str:
        """Write the conditions as in the Database page's address: `class=new&energy_to=0.3&net_name_has=dia`."""
        pairs: list[tuple[str, str]] = []
        for name, bounds in self.between.items():
            ends = zip(("from", "to"), bounds, strict=True)
            pairs += [(f"{name}_{end}", f"{bound:.15g}") for end, bound in ends if bound is not None]
        pairs += [(name, str(value)) for name, allowed in self.among.items() for value in allowed]
        pairs += [(f"{name}_has", text) for name, text in self.containing.items() if text]
        return urlencode(pairs)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the conditions of a text that `text` wrote; raises StoreError with what is wrong."""
        between: dict[str, tuple[float | None, float | None]] = {}
        among: dict[str, list[Any]] = {}
        containing: dict[str, str] = {}
        for key, value in parse_qsl(text.removeprefix("?"), keep_blank_values=True):
            name, _, end = key.rpartition("_")
            try:
                if key in FILTERED:
                    among.setdefault(key, []).extend([_typed(key, value)] if value else [])
                elif name in FILTERED and end in ("from", "to"):
                    low, high = between.get(name, (None, None))
                    between[name] = (float(value), high) if end == "from" else (low, float(value))
                elif name in FILTERED and end == "has":
                    containing[name] = value
                else:
                    raise StoreError(
                        f"{key!r} is no filter: give NAME=VALUE, NAME_from=NUMBER, NAME_to=NUMBER or NAME_has=TEXT, "
                        "joined by &, with names of the database's columns"
                    )
            except ValueError as error:
                if isinstance(error, StoreError):
                    raise
                raise StoreError(f"the filter {key}={value} needs another value: {error}") from error
        return cls(between, among, containing)


def _typed(name: str, value: str) -> Any:
    kind = QUANTITIES[name].kind
    if kind == "truth":
        if value not in ("True", "False"):
            raise ValueError("give True or False")
        return value == "True"
    return int(value) if kind == "integer" else float(value) if kind == "real" else value
