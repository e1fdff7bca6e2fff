"""Compile the augmentation and the relaxation and keep the result: `make` runs this when it sets up.

Both minimisers are compiled together; the reference crystal of the first target is described in its subgroups and
relaxed to make sure that all runs.
"""

from legocryst.crystal.table import encode
from legocryst.environment.targets import target
from legocryst.relax import relax
from legocryst.settings import AugmentSettings, RelaxSettings
from legocryst.stages.augment import augment

if __name__ == "__main__":
    wanted = target()
    augment(encode(wanted.reference.crystals()), AugmentSettings(rows=10))
    assert relax(wanted.reference.crystals(), wanted, RelaxSettings()).valid.all(), "the reference crystal is not valid"
