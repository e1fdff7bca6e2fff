"""The list of stages: their order and numbers, which of them a job does, and what it refuses."""

from dataclasses import replace

import pytest

from legocryst.settings import RunSettings, TrainSettings
from legocryst.stages import catalogue, dft
from legocryst.stages.catalogue import ALONE, RUN, STAGES, stages_of
from legocryst.vocabulary.quantities import QUANTITIES, Quantity, add_quantities


def test_stages_of_a_run_in_order() -> None:
    assert RUN == ("curate", "augment", "featurize", "train", "sample", "relax", "rank", "bands") and ALONE == ("dft",)
    assert list(STAGES) == [*RUN[:6], "baseline", *RUN[6:], "dft"]


def test_numbers_stay_since_seeds_are_made_from_them() -> None:
    numbers = {name: stage.number for name, stage in STAGES.items()}
    assert numbers == dict(zip(RUN, range(8), strict=True)) | {"baseline": 100, "dft": 101}


def test_a_stage_is_left_out_where_the_generator_does_not_learn_from_it() -> None:
    def made(model: str, command: str) -> tuple[str, ...]:
        return stages_of(RunSettings(train=TrainSettings(model=model)), command)

    assert made("vae", "run") == RUN
    assert made("transformer", "sample") == ("curate", "augment", "train", "sample")
    assert made("random", "run") == ("curate", *RUN[3:])
    assert made("random", "featurize") == ("curate", "augment", "featurize")
    assert made("random", "dft") == ("dft",)


def test_columns_of_all_tables_are_described() -> None:
    for stage in STAGES.values():
        for table in stage.tables:
            assert "job" in table.columns and set(table.columns) <= QUANTITIES.keys()


@pytest.mark.parametrize(
    ("changes", "why"),
    [({"number": 3}, "has the number of train: give it another"), ({"settings": "density"}, "RunSettings has not")],
)
def test_what_does_not_fit_is_named(changes: dict[str, object], why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = replace(dft.STAGE, name="wrong", **{"number": 8, **changes})  # type: ignore[arg-type]
    monkeypatch.setattr(catalogue, "_found", lambda: iter([*STAGES.values(), wrong]))
    with pytest.raises(ValueError, match=f"stage wrong .*{why}"):
        catalogue._listed()


def test_a_column_has_one_meaning() -> None:
    add_quantities(QUANTITIES["density"])
    with pytest.raises(ValueError, match="a column 'density' already: give yours another name"):
        add_quantities(Quantity("density", "Another", ""))
