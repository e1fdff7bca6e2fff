"""The glossary: every word of the pages that is not everyday English, once, as docs/method.md means it."""

import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Term:
    """A word: its place in the address of the glossary, what it is called, and what it means."""

    slug: str
    name: str
    text: str
    chapter: str


_DATA = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
TERMS: dict[str, Term] = {
    slug: Term(slug, term["name"], " ".join(term["text"].split()), chapter)
    for chapter, terms in _DATA["chapters"].items()
    for slug, term in terms.items()
}
"""Every term by its slug, chapter by chapter."""
QUANTITY_TERMS: dict[str, str] = _DATA["columns"]
"""Term that explains a column of `quantities`, where the help of the column is not enough."""


def address(slug: str) -> str:
    """Return where the glossary explains a term; raises ValueError for one that it does not have."""
    if slug not in TERMS:
        raise ValueError(f"the glossary has no term {slug!r}: add it to legocryst/vocabulary/glossary.toml")
    return f"/glossary#{slug}"


def link(slug: str, text: str = "") -> str:
    """Return a term as a link in Markdown, with its name or another text."""
    target = address(slug)
    return f"[{text or TERMS[slug].name}]({target})"
