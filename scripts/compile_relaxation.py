"""Compile the relaxation and keep the result: `make` runs this when it sets up.

Both minimisers are compiled together; the reference crystal of the first target is relaxed to make sure that they run.
"""

from legocryst.environment.targets import target
from legocryst.relax import relax
from legocryst.settings import RelaxSettings

if __name__ == "__main__":
    wanted = target()
    assert relax(wanted.reference.crystals(), wanted, RelaxSettings()).valid.all(), "the reference crystal is not valid"
