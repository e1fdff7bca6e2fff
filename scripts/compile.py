"""Compile what Numba compiles and keep the result: `make` runs this when it sets up.

The reference crystal of the first target is described in its subgroups, relaxed and its net identified, to make sure
that all of it runs.
"""

from legocryst.comparison.pdd import distance, pdds
from legocryst.crystal.io.table import encode
from legocryst.environment.target_library import target
from legocryst.relax import relax
from legocryst.settings import AugmentSettings, RelaxSettings
from legocryst.stages.augment import augment
from legocryst.topology.nets import nets

if __name__ == "__main__":
    carbon = target("sp2-carbon")
    reference = carbon.reference.crystals()
    augment(encode(reference), target("sp2-carbon"), AugmentSettings(rows=10))
    assert relax(reference, carbon, RelaxSettings()).valid.all(), "the reference crystal is not valid"
    (invariant,) = pdds(reference, carbon)
    assert distance(invariant, invariant) == 0, "the reference crystal is far from itself"
    assert nets(reference, cutoff=carbon.bond_window[1])[0].components[0].form, "the reference crystal has no net"
