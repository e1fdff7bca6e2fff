"""Words of the glossary on the pages."""

import streamlit as st

from legocryst.vocabulary.glossary import QUANTITY_TERMS, TERMS, link

ON_PAGE: dict[str, tuple[str, ...]] = {
    "home": ("environment", "training-set", "model", "valid", "new", "low-energy", "preset", "core"),
    "target": ("target", "environment", "coordination", "power-spectrum", "radial-distribution", "angular-fourier"),
    "data": (
        *("training-set", "target", "environment", "valid", "net", "wyckoff-site", "space-group", "strain", "ring"),
        *("periodicity", "energy"),
    ),
    "augment": (
        *("augmentation", "space-group", "subgroup", "wyckoff-position", "wyckoff-site", "free-variables", "row"),
        "cell",
    ),
    "features": ("features", "row", "mixture", "wyckoff-position"),
    "train": ("model", "minimal-surface", "epoch", "held-out", "fresh-samples", "valid", "loss", "features", "seed"),
    "generate": (
        *("model", "minimal-surface", "sample", "temperature", "relaxation", "valid", "undecodable", "known"),
        *("duplicate", "new", "loss", "potential", "low-energy", "gap"),
    ),
    "database": (
        *("valid", "new", "known", "duplicate", "kind", "net-name", "energy", "low-energy", "gap", "loss", "novelty"),
    ),
    "structure": (
        *("wyckoff-position", "site-symmetry", "space-group", "net", "coordination-sequence", "ring", "distance"),
        *("energy", "rattle", "tight-binding", "dft", "powder-pattern"),
    ),
    "jobs": ("job", "core", "seed", "preset", "new", "low-energy"),
}
"""Terms explained on each page, in the order in which they are met."""


def term(slug: str, text: str = "") -> str:
    """Return a word as a link to where the glossary explains it, for Markdown; raises ValueError for an unknown one."""
    return link(slug, text)


def popover(page: str) -> None:
    """Show a button that shows what the words of a page mean, where it has any."""
    if slugs := ON_PAGE.get(page):
        with st.popover("Words on this page"):
            for slug in slugs:
                st.markdown(f"**{TERMS[slug].name}**: {TERMS[slug].text}")
            st.markdown("All of them stand in the [Glossary](/glossary).")


def help_of(name: str, text: str) -> str:
    """Return the help of a column, with a link to the term that explains it, where there is one."""
    if name not in QUANTITY_TERMS:
        return text
    return f"{text} {link(QUANTITY_TERMS[name], 'More in the glossary')}".strip()
