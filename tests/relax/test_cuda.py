"""The relaxation on an NVIDIA card: on one where it is found, and everywhere in Numba's simulator."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from legocryst import ROOT
from legocryst.environment.target_library import target
from legocryst.relax import relax
from legocryst.relax.cuda import card_found
from legocryst.relax.starts import scaled
from legocryst.settings import RelaxSettings
from tests.crystals_at_random import random_crystals

SP2 = target("sp2-carbon")
FEW_STEPS = {"descriptor_steps": 4, "coordination_steps": 4, "refine_steps": 4, "restarts": 0, "start_volume": "row"}
IN_THE_SIMULATOR = f"""
import json
from legocryst.environment.target_library import target
from legocryst.relax import relax
from legocryst.relax.starts import scaled
from legocryst.settings import RelaxSettings
sp2 = target("sp2-carbon")
start = scaled(sp2.reference.crystals().take([0, 0, 0]), 7.0)
result = relax(start, sp2, RelaxSettings(**{FEW_STEPS!r}, device="card"))
print(json.dumps([result.crystals.cell.tolist(), result.evaluations.tolist()]))
"""


def test_the_simulated_card_gives_what_the_processor_gives() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IN_THE_SIMULATOR],
        cwd=ROOT,
        env={**os.environ, "NUMBA_ENABLE_CUDASIM": "1", "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    cell, evaluations = json.loads(done.stdout)
    start = scaled(SP2.reference.crystals().take([0, 0, 0]), np.full(3, 7.0))
    here = relax(start, SP2, RelaxSettings.model_validate(FEW_STEPS | {"device": "processor"}))
    assert np.allclose(cell, here.crystals.cell, rtol=1e-10) and not np.allclose(cell, start.cell, rtol=1e-3)
    assert evaluations == here.evaluations.tolist()


@pytest.mark.skipif(card_found(), reason="there is a card")
def test_without_a_card_one_sentence_says_so() -> None:
    with pytest.raises(ValueError, match=r"no NVIDIA card is found: call `make cuda`"):
        relax(SP2.reference.crystals(), SP2, RelaxSettings(device="card"))


@pytest.mark.skipif(not card_found(), reason="no NVIDIA card with the packages of requirements-cuda.txt")
def test_the_card_gives_the_processors_verdicts() -> None:
    crystals = random_crystals(300, seed=9, max_atoms=48)
    here = relax(crystals, SP2, RelaxSettings(restarts=0, merge=0, device="processor"))
    there = relax(crystals, SP2, RelaxSettings(restarts=0, merge=0, device="card"))
    assert (here.reason == there.reason).mean() > 0.95
    assert np.isclose(here.crystals.cell, there.crystals.cell, rtol=1e-4).all(axis=1).mean() > 0.9
