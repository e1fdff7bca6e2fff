"""Typed settings of each stage: the single source of form, flag, record and documentation of every tunable."""

from legocryst.settings.base import (
    GeneratorName,
    PotentialName,
    Registered,
    Settings,
    Shape,
    System,
    group_numbers,
    label,
    setting,
    shape,
)
from legocryst.settings.dataset import (
    AugmentSettings,
    BootstrapSettings,
    CurateSettings,
    FeatureSettings,
    IdentifySettings,
)
from legocryst.settings.electronic import BandSettings, DftSettings, LevelSettings, PowderSettings
from legocryst.settings.energy import MAX_RATTLED_ATOMS, MEAN_STEPS, SCREEN, EnergySettings, RankSettings
from legocryst.settings.run import PRESETS, RunSettings, conditional_models, contradiction, preset
from legocryst.settings.sampling import GoalSettings, RelaxSettings, SampleSettings
from legocryst.settings.training import CHECKED, LEAST_CHECKED, MANY, MOST_TIMES, TrainSettings

__all__ = [
    "CHECKED",
    "LEAST_CHECKED",
    "MANY",
    "MAX_RATTLED_ATOMS",
    "MEAN_STEPS",
    "MOST_TIMES",
    "PRESETS",
    "SCREEN",
    "AugmentSettings",
    "BandSettings",
    "BootstrapSettings",
    "CurateSettings",
    "DftSettings",
    "EnergySettings",
    "FeatureSettings",
    "GeneratorName",
    "GoalSettings",
    "IdentifySettings",
    "LevelSettings",
    "PotentialName",
    "PowderSettings",
    "RankSettings",
    "Registered",
    "RelaxSettings",
    "RunSettings",
    "SampleSettings",
    "Settings",
    "Shape",
    "System",
    "TrainSettings",
    "conditional_models",
    "contradiction",
    "group_numbers",
    "label",
    "preset",
    "setting",
    "shape",
]
