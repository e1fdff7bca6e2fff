"""axe-core in a page: faults of accessibility, as sentences."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

SCRIPT = (Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
GRAVE = ("serious", "critical")
UNFOLD = "document.querySelectorAll('[data-testid=stMain] details:not([open]) > summary').forEach((s) => s.click())"
RUN = "() => axe.run(document, { resultTypes: ['violations'] })"


def faults(page: "Page") -> list[str]:
    """Serious and critical faults of a page as it stands, each with its element and what is wrong."""
    if not page.evaluate("!!window.axe"):
        page.evaluate(SCRIPT)
    return [
        f"{fault['id']}: {node['html'][:200]}: {' '.join(node['failureSummary'].split())}"
        for fault in page.evaluate(RUN)["violations"]
        for node in fault["nodes"]
        if (node["impact"] or fault["impact"]) in GRAVE
    ]
