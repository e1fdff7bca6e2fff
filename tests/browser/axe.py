"""axe-core in a page: faults of accessibility, as sentences."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

SCRIPT = (Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
GRAVE = ("serious", "critical")
UNFOLD = "document.querySelectorAll('[data-testid=stMain] details:not([open]) > summary').forEach((s) => s.click())"
RUN = "options => axe.run(document, { resultTypes: ['violations'], ...options })"
COLOURS = ("color-contrast", "link-in-text-block")
"""Rules that look at colours; all others find the same in a page that is dark and in one that is light."""


def faults(page: "Page", *, rules: Sequence[str] = ()) -> list[str]:
    """Serious and critical faults of a page, by some `rules` or all, each with its element and what is wrong."""
    if not page.evaluate("!!window.axe"):
        page.evaluate(SCRIPT)
    return [
        f"{fault['id']}: {node['html'][:200]}: {' '.join(node['failureSummary'].split())}"
        for fault in page.evaluate(RUN, {"runOnly": list(rules)} if rules else {})["violations"]
        for node in fault["nodes"]
        if (node["impact"] or fault["impact"]) in GRAVE
    ]
