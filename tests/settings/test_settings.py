from typing import Any

import pytest
from pydantic import ValidationError

from legocryst.crystal.cell import SYSTEMS
from legocryst.settings import (
    CHECKED,
    MANY,
    PRESETS,
    CurateSettings,
    RunSettings,
    Settings,
    TrainSettings,
    group_numbers,
    preset,
    shape,
)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_survive_json(name: str) -> None:
    assert RunSettings.model_validate_json(preset(name).model_dump_json()) == preset(name)


def test_presets_grow() -> None:
    samples = [preset(name).sample.samples for name in PRESETS]
    assert samples == sorted(samples) and len(set(samples)) == len(samples)


def test_unknown_preset_is_refused_with_the_choices() -> None:
    with pytest.raises(ValueError, match="no preset 'fast'; choose one of smoke, quick, standard, thorough"):
        preset("fast")


@pytest.mark.parametrize(
    "values",
    [
        {"sample": {"samples": 0}},
        {"sample": {"decode": "guess"}},
        {"train": {"model": "oracle"}},
        {"curate": {"max_sites": 9}},
        {"curate": {"max_strain": -0.1}},
        {"curate": {"crystal_systems": ["round"]}},
        {"curate": {"periodicities": [4]}},
        {"curate": {"space_groups": "1 to 3"}},
        {"seed": -1},
        {"unknown": 1},
        {"train": {"epoch": 3}},
    ],
)
def test_values_out_of_bounds_and_unknown_names_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RunSettings.model_validate(values)


def test_settings_cannot_change() -> None:
    with pytest.raises(ValidationError):
        RunSettings().seed = 3


def test_every_setting_has_help_and_numbers_have_bounds() -> None:
    for stage in Settings.__subclasses__():
        for name, field in stage.model_fields.items():
            if stage is RunSettings and name != "seed":
                continue
            assert (field.description or "").endswith("."), f"{stage.__name__}.{name} needs its help"
            if shape(field).base in (int, float) and not shape(field).choices:
                assert len(field.metadata) >= 2, f"{stage.__name__}.{name} needs bounds on both sides"


def test_lists_of_space_groups() -> None:
    assert group_numbers("194, 200 - 230,1") == {1, 194, *range(200, 231)}
    assert group_numbers(" ") == set(range(1, 231))
    for text in ("1 to 3", "5-", ",", "a", "-3", "1.5"):
        with pytest.raises(ValueError, match="is no list of space groups: write it as 194, 200-230"):
            group_numbers(text)
    for text in ("0", "231", "9-3"):
        with pytest.raises(ValueError, match="they run from 1 to 230"):
            group_numbers(text)


def test_shapes() -> None:
    fields = CurateSettings.model_fields
    assert shape(fields["crystal_systems"]).choices == SYSTEMS and shape(fields["crystal_systems"]).several
    assert (shape(fields["max_strain"]).base, shape(fields["max_strain"]).empty) == (float, True)
    assert (shape(fields["max_sites"]).base, shape(fields["max_sites"]).empty) == (int, False)
    assert shape(fields["periodicities"]).choices == (3, 2, 1, 0)
    some = CurateSettings(periodicities=(3, 2), crystal_systems=("cubic",), max_energy=0.5)
    assert CurateSettings.model_validate_json(some.model_dump_json()) == some


def test_what_a_training_leaves_open_suits_its_model() -> None:
    """A Transformer learns in small steps, few epochs and few checks, which then judge more samples each."""
    attention, other = TrainSettings(model="transformer"), TrainSettings(model="vae")
    assert attention.batch < other.batch and attention.rate > other.rate
    for settings in (attention, other, TrainSettings(model="gan", epochs=7), TrainSettings(epochs=1)):
        checks = -(-settings.passes(MANY) // settings.pause(MANY))
        assert 0.9 * CHECKED <= settings.judged(MANY) * checks <= CHECKED
    assert TrainSettings(model="vae", check_every=1).judged(MANY) == other.judged(MANY)
    described = TrainSettings(model="transformer", batch_size=50, learning_rate=0.1, check_samples=3)
    assert (described.batch, described.rate, described.judged(MANY)) == (50, 0.1, 3)


def test_a_smaller_table_is_passed_over_more_often() -> None:
    """Or it would teach nothing; but not as often as its rows are fewer, or it would be learnt by heart."""
    settings = TrainSettings(model="transformer")
    assert [settings.passes(rows) for rows in (10**6, MANY, MANY // 4, 650, 2)] == [1, 3, 6, 30, 30]
    assert TrainSettings(epochs=7).passes(2) == 7 and TrainSettings(model="random").passes(2) == 1
