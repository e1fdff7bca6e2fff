from typing import Any

import pytest
from pydantic import ValidationError

from legocryst.settings import PRESETS, RunSettings, Settings, preset


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
            if field.annotation in (int, float):
                assert len(field.metadata) >= 2, f"{stage.__name__}.{name} needs bounds on both sides"
