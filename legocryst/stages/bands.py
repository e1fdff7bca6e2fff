"""Gaps: gap and class of every valid crystal, by tight binding."""

from typing import TYPE_CHECKING

import pandas as pd

from legocryst.infra.run_context import SILENT, RunContext
from legocryst.settings import BandSettings
from legocryst.vocabulary.quantities import BAND_COLUMNS

if TYPE_CHECKING:
    from legocryst.crystal.crystals import Crystals
    from legocryst.environment.target import Target

NOT_ASKED = "gaps were not asked for"


def find_gaps(
    valid: pd.DataFrame,
    target: "Target",
    settings: BandSettings,
    context: RunContext = SILENT,
    *,
    ranked: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Columns `row` and `quantities.BAND_COLUMNS` of each row of a table with `row` and METHOD's columns.

    Of crystals that the ranking (`ranked`, by `row`) relaxed without a change of net the relaxed one is taken. The rest
    as in `electronic.bands.gaps`.
    """
    from legocryst.electronic.bands import gaps

    valid = valid.reset_index(drop=True)
    found = pd.DataFrame(dict(zip(BAND_COLUMNS, (float("nan"), "", NOT_ASKED), strict=True)), index=valid.index)
    if len(valid) and settings.bands:
        rows = gaps(best(valid, ranked, target.atomic_number), target, settings, context)
        found = pd.DataFrame(rows, columns=list(BAND_COLUMNS))
    return valid[["row"]].join(found.astype({"gap": "float64", "band_class": object, "band_reason": object}))


def best(valid: pd.DataFrame, ranked: pd.DataFrame | None, element: int) -> "Crystals":
    """A crystal of each row: as the ranking relaxed it, if it kept its net, else as it stands."""
    from legocryst.crystal.crystals import Crystals
    from legocryst.crystal.io.readers import from_cif
    from legocryst.crystal.io.table import decode

    decoded = decode(valid, element=element, max_atoms=100_000)
    assert len(decoded.rows) == len(valid), "every valid row is a crystal"
    parts = [decoded.crystals.take([k]) for k in range(len(valid))]
    if ranked is not None:
        kept = ranked[ranked["net_kept"].astype("boolean").fillna(False)].set_index("row")["relaxed_cif"]
        for k, row in enumerate(valid["row"]):
            if row in kept.index:
                parts[k] = from_cif(kept[row])
    return Crystals.concatenate(parts)
