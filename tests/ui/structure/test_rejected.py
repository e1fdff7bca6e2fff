"""Every reason for which a row is rejected is explained, with settings that exist."""

from legocryst.crystal.io import table
from legocryst.environment.target_library import target
from legocryst.environment.validity import REASONS
from legocryst.settings import RunSettings
from legocryst.ui.structure.rejected import ADVICE, explained, helpful

DECODING = (
    *(table.OUTSIDE_GROUPS, table.OUTSIDE_POSITIONS, table.FIXED_TWICE, table.IMPOSSIBLE_CELL, table.NO_SITES),
    *(table.TOO_MANY_ATOMS, table.NOT_A_NUMBER, table.NOT_WHOLE, table.UNKNOWN_ELEMENT, table.FAR_FROM_POSITION),
)


def test_every_reason_is_explained() -> None:
    assert set(ADVICE) == {*REASONS, *DECODING, "stopped"}
    for name in ("sp2-carbon", "sp3-carbon"):
        for reason in ADVICE:
            text = explained(reason, target(name))
            assert text.endswith((".", "page.")) and "{" not in text
    assert "fewer than 4 neighbours" in explained("too few bonds", target("sp3-carbon"))
    assert explained("unheard of", target("sp2-carbon")) == "" == helpful("unheard of", {})


def test_settings_that_may_help_are_those_of_the_job() -> None:
    run = RunSettings()
    for advice in ADVICE.values():
        for path in (*advice.more, *advice.less, *(advice.other or {})):
            stage, name = path.split(".")
            assert name in type(getattr(run, stage)).model_fields
    settings = run.model_dump(mode="json")
    settings["relax"]["restarts"] = 1
    assert "larger *Restarts* (it was 1)" in helpful("too few bonds", settings)
    assert helpful("too many atoms", {}) == "What may help, on the Generate page: larger *Most atoms* (it was 500)."
    strict = {"sample": {"decode": "strict"}}
    assert "larger *Most epochs* (it was left open)" in helpful("impossible cell", settings)
    assert "*Sites beside their position* 'snap' (it was 'strict')" in helpful(table.FAR_FROM_POSITION, strict)
    assert helpful(table.FAR_FROM_POSITION, settings) == ""  # it is snap already
    assert helpful("stopped", settings) == ""
