"""The glossary: every term that a page or a column names has its entry."""

import ast

import pytest

from legocryst import ROOT
from legocryst.ui.shell.words import ON_PAGE, help_of, term
from legocryst.vocabulary.glossary import QUANTITY_TERMS, TERMS, address
from legocryst.vocabulary.quantities import QUANTITIES


def used() -> list[tuple[str, str]]:
    """File and first argument of every call of `term` in the pages."""
    results = []
    for path in [*(ROOT / "pages").glob("*.py"), *(ROOT / "legocryst" / "ui").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("term", "words.term", "shell.term"):
                argument = node.args[0]
                assert isinstance(argument, ast.Constant), f"{path.name}: name the term as it stands in the glossary"
                results.append((path.name, str(argument.value)))
    return results


def test_every_term_that_is_used_has_an_entry() -> None:
    calls = used()
    named = calls + [(name, slug) for name, slugs in ON_PAGE.items() for slug in slugs]
    named += list(QUANTITY_TERMS.items())
    assert [(where, slug) for where, slug in named if slug not in TERMS] == []
    assert set(QUANTITY_TERMS) <= set(QUANTITIES)


def test_entries_are_sentences_and_each_stands_once() -> None:
    names = [entry.name.casefold() for entry in TERMS.values()]
    assert len(set(names)) == len(names)
    for entry in TERMS.values():
        assert entry.text.endswith((".", ".)", "...")) and entry.text[0].isupper() and entry.slug == entry.slug.lower()


def test_words_of_the_method_are_explained() -> None:
    text = (ROOT / "docs" / "method.md").read_text(encoding="utf-8").split("## Words")[1].split("Counts add up")[0]
    words = {word for line in text.splitlines() if line.startswith("| **") for word in line.split("**")[1::2]}
    explained = {entry.name.casefold() for entry in TERMS.values()}
    other = {"published": "published criterion", "rings": "ring", "kind": TERMS["kind"].name.casefold()}
    assert {word for word in words if other.get(word, word.casefold()) not in explained} == set()


def test_links_lead_to_the_entry() -> None:
    assert term("net", "nets") == "[nets](/glossary#net)"
    assert help_of("strain", "Deviation.") == "Deviation. [More in the glossary](/glossary#strain)"
    assert help_of("row", "Number.") == "Number."
    with pytest.raises(ValueError, match="no term 'nonsense'"):
        address("nonsense")
