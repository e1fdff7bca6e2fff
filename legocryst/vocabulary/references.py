"""Papers that a run rests on, as text and as BibTeX."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Reference:
    """A paper, or a program, to cite."""

    key: str
    authors: tuple[str, ...]  # "Family, Given"
    title: str
    where: str  # journal, volume, page; or the address of a preprint
    year: int
    kind: str = "article"
    doi: str = ""
    arxiv: str = ""

    @property
    def text(self) -> str:
        """One line for a list of references."""
        names = [_initials(author) for author in self.authors]
        listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
        parts = [listed, f"{self.title}, {self.where} ({self.year})" if self.where else f"{self.title} ({self.year})"]
        parts += [f"doi:{self.doi}"] if self.doi else [f"arXiv:{self.arxiv}"] if self.arxiv else []
        return ", ".join(parts) + "."

    @property
    def bibtex(self) -> str:
        """The BibTeX entry."""
        fields = {"author": " and ".join(self.authors), "title": f"{{{self.title}}}", "year": str(self.year)}
        fields |= {_PLACES[self.kind]: self.where} if self.where else {}
        fields |= {"doi": self.doi} if self.doi else {}
        fields |= {"eprint": self.arxiv, "archiveprefix": "arXiv"} if self.arxiv else {}
        lines = ",\n".join(f"  {name} = {{{_latex(value)}}}" for name, value in fields.items())
        return f"@{self.kind}{{{self.key},\n{lines}\n}}"


def bibtex(references: Sequence[Reference]) -> str:
    """Return a BibTeX file."""
    return "\n\n".join(reference.bibtex for reference in references) + "\n"


def _initials(author: str) -> str:
    family, _, first_names = author.strip("{}").partition(", ")
    short = " ".join("-".join(f"{part[0]}." for part in name.split("-")) for name in first_names.split())
    return f"{short} {family}".strip()


def _latex(text: str) -> str:
    return "".join(_SIGNS.get(sign, sign) for sign in text)


def _from_latex(text: str) -> str:
    for sign, code in _SIGNS.items():
        text = text.replace(code, sign)
    return text


_SIGNS = {
    "ø": r"{\o}",
    "é": r"{\'e}",
    "è": r"{\`e}",
    "ó": r"{\'o}",
    "á": r"{\'a}",
    "ö": r"{\"o}",
    "ü": r"{\"u}",
    "&": r"\&",
}
_PLACES = {"article": "journal", "inproceedings": "booktitle", "book": "publisher", "misc": "howpublished"}
_ENTRY = re.compile(r"^@(\w+)\{(\w+),\n(.*?)\n\}$", re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r"^  (\w+) = \{(.*)\},?$", re.MULTILINE)


def _read(text: str) -> dict[str, Reference]:
    """Return the references of a BibTeX file in the form that `Reference.bibtex` writes, by their key."""
    out = {}
    for kind, key, lines in _ENTRY.findall(text):
        fields = {name: _from_latex(value) for name, value in _FIELD.findall(lines)}
        authors, title = tuple(fields["author"].split(" and ")), fields["title"][1:-1]
        where, doi, arxiv = (fields.get(name, "") for name in (_PLACES[kind], "doi", "eprint"))
        out[key] = Reference(key, authors, title, where, int(fields["year"]), kind, doi, arxiv)
    return out


def work(key: "str | Reference") -> Reference:
    """Return the reference of a key; one that is written out stands for itself."""
    return key if isinstance(key, Reference) else REFERENCES[key]


REFERENCES = _read(Path(__file__).with_suffix(".bib").read_text(encoding="utf-8"))
"""Every reference by its key."""


def program(version: str) -> Reference:
    """Return LEGO-Cryst itself, as CITATION.cff says."""
    title = "LEGO-Cryst: generate crystals whose every atom has a wanted local environment"
    return Reference("legocryst", ("{The LEGO-Cryst developers}",), title, f"version {version}", 2026, kind="misc")
