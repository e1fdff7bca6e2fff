from pathlib import Path

from legocryst.vocabulary import references
from legocryst.vocabulary.references import REFERENCES, bibtex


def test_the_file_is_what_is_printed_and_nothing_in_it_was_passed_over() -> None:
    text = Path(references.__file__).with_suffix(".bib").read_text(encoding="utf-8")
    assert bibtex(list(REFERENCES.values())) == text
    assert len(REFERENCES) == text.count("@")


def test_a_reference_is_read_with_its_accents_authors_and_places() -> None:
    paper = REFERENCES["tight_binding"]
    assert paper.authors == ("Trambly de Laissardière, Guy", "Mayou, Didier", "Magaud, Laurence")
    assert paper.text == (
        "G. Trambly de Laissardière, D. Mayou and L. Magaud, Localization of Dirac Electrons in Rotated Graphene "
        "Bilayers, Nano Lett. 10, 804 (2010), doi:10.1021/nl902948m."
    )
    assert r"Trambly de Laissardi{\`e}re" in paper.bibtex
    assert {reference.kind for reference in REFERENCES.values()} >= {"article", "misc", "book"}
