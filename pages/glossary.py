"""Glossary: what the words of the pages mean; each has an address of its own, such as /glossary#net."""

from itertools import groupby

import streamlit as st

from legocryst.ui.shell import shell
from legocryst.vocabulary.glossary import TERMS, Term


def matching_terms(text: str) -> list[Term]:
    """Return terms with the text in their name or meaning."""
    return [term for term in TERMS.values() if text.casefold() in f"{term.name} {term.text}".casefold()]


shell.begin("glossary")
st.write("What the words on these pages mean, in the order in which you meet them.")
text = st.text_input("Find a word", key="word", bind="query-params", placeholder="for example: Wyckoff").strip()
terms = matching_terms(text)
if not terms:
    st.info(f"No entry holds {text!r}. Try a shorter part of the word.")
for chapter, part in groupby(terms, key=lambda term: term.chapter):
    st.header(chapter, anchor=False)
    for term in part:
        st.subheader(term.name, anchor=term.slug)
        st.write(term.text)
