"""Settings of a whole run: all stages together, presets, and what contradicts itself."""

from typing import Any

from legocryst.settings.base import Settings, setting
from legocryst.settings.dataset import AugmentSettings, CurateSettings, FeatureSettings
from legocryst.settings.electronic import BandSettings, DftSettings
from legocryst.settings.energy import SCREEN, RankSettings
from legocryst.settings.sampling import GoalSettings, RelaxSettings, SampleSettings
from legocryst.settings.training import TrainSettings
from legocryst.vocabulary.registry import GENERATORS

PRESETS = ("smoke", "quick", "standard", "thorough")


class RunSettings(Settings):
    """A whole run: one seed and the settings of every stage."""

    seed: int = setting(0, "One seed for all randomness of the run.", ge=0, le=2**31 - 1)
    curate: CurateSettings = CurateSettings()
    augment: AugmentSettings = AugmentSettings()
    features: FeatureSettings = FeatureSettings()
    train: TrainSettings = TrainSettings()
    sample: SampleSettings = SampleSettings()
    relax: RelaxSettings = RelaxSettings()
    rank: RankSettings = RankSettings()
    bands: BandSettings = BandSettings()
    goal: GoalSettings = GoalSettings()
    dft: DftSettings = DftSettings()


def conditional_models(*, energies: bool) -> list[str]:
    """Return names of the generators that can be asked for space groups, sites and atoms, and for low energies too."""
    return [spec.name for spec in GENERATORS.specs() if (spec.informed if energies else spec.conditional)]


def contradiction(settings: RunSettings) -> str:
    """Return what in the settings of a run cannot be together, as a sentence; "" if nothing."""
    spec, model, sample = settings.train.spec, settings.train.model, settings.sample
    willing = conditional_models(energies=sample.lowest_energies < 1)
    if sample.conditions and model not in willing:
        condition = "low energy" if spec.conditional else " or ".join(sample.conditions)
        return f"the model {model} cannot be asked for {condition}: leave that open, or take {' or '.join(willing)}"
    if sample.refine_rounds and not spec.refines:
        able = " or ".join(other.name for other in GENERATORS.specs() if other.refines)
        return f"the model {model} cannot draw rows near others: set the refine rounds to 0, or take {able}"
    if settings.goal.crystals and settings.goal.kind == "low in energy" and not settings.rank.energies:
        return "crystals low in energy are the goal, but no energies are computed: compute them, or count new ones"
    return ""


def preset(name: str) -> RunSettings:
    """Return settings of a run by the name of its preset: smoke, quick, standard or thorough.

    Raises ValueError for another name.
    """
    # where rows are drawn at will, another costs less than a restart
    fresh = {"restarts": 0, "merge": 0.0}
    values: dict[str, dict[str, Any]] = {
        "smoke": {
            "augment": {"rows": 1000},
            "features": {"fit_rows": 500},
            # the model that needs every stage before it
            "train": {
                "model": "vae",
                "epochs": 4,
                "check_every": 4,
                "check_samples": 20,
                "batch_size": 100,
                "quality": False,
            },
            "sample": {"samples": 100, "baseline": 100},
            "relax": {"descriptor_steps": 60, "coordination_steps": 60, "refine_steps": 100} | fresh,
            "rank": {"model": SCREEN, "max_energies": 3, "max_relaxed": 1, "max_rattled": 0, "max_atoms": 16},
        },
        "quick": {
            "augment": {"rows": 10_000},
            "features": {"fit_rows": 2000},
            "sample": {"samples": 3000},
            "relax": fresh,
            "rank": {"max_energies": 150, "max_relaxed": 8, "max_rattled": 0},
        },
        "standard": {
            "augment": {"rows": 40_000},
            "sample": {"samples": 10_000},
            "relax": fresh,
        },
        "thorough": {
            "augment": {"rows": 80_000},
            "train": {"patience": 10},
            "sample": {"samples": 100_000},
            "relax": fresh,
            "rank": {"max_energies": 20_000, "max_relaxed": 1000, "max_rattled": 50},
        },
    }
    if name not in values:
        raise ValueError(f"no preset {name!r}; choose one of {', '.join(PRESETS)}")
    return RunSettings.model_validate(values[name])
