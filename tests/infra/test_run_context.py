import numpy as np
import pytest

from legocryst.infra.executors import LocalProcesses
from legocryst.infra.run_context import SILENT, RunContext


def test_silent_by_default_and_never_changed() -> None:
    assert RunContext() == SILENT and not SILENT.should_stop()
    SILENT.progress(1, 2, seconds_left=3)
    with pytest.raises(AttributeError):
        SILENT.seed = 1  # type: ignore[misc]


def test_random_numbers_follow_from_seed_and_part() -> None:
    context = RunContext(seed=7)
    assert context.rng().random() == np.random.default_rng(7).random()
    assert context.rng(2, 3).random() == np.random.default_rng([7, 2, 3]).random() != context.rng(2).random()


def test_progress_elsewhere_changes_nothing_else() -> None:
    seen: list[int] = []
    context = RunContext(seed=3, executor=LocalProcesses(2), cache={}, should_stop=lambda: True)
    other = context.with_progress(lambda done, total: seen.append(done))
    other.progress(1, 2)
    assert seen == [1] and other.should_stop()
    assert (other.seed, other.executor, other.cache) == (3, LocalProcesses(2), context.cache)
