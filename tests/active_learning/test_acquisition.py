"""Choosing: what is looked for is found early, every crystal at most once, the same again with the same seed."""

import numpy as np
import pytest

from legocryst.active_learning.acquisition import AT_RANDOM, Acquired, Acquisition, acquire

GROUPS = (slice(0, 1), slice(1, 4))


def searched(energy: np.ndarray, x: np.ndarray, *, most: int, rounds: int = 5, seed: int = 0) -> tuple[Acquired, list]:
    requests: list[np.ndarray] = []

    def evaluate(places: np.ndarray) -> np.ndarray:
        requests.append(places)
        return energy[places]

    acquisition = Acquisition(np.zeros(len(energy), int), 0.1, 20)
    choice = acquire(x, GROUPS, acquisition, evaluate, most=most, rounds=rounds, rng=np.random.default_rng(seed))
    return choice, requests


def landscape(n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(n, 4))
    return x, np.exp(x[:, 0] + 0.3 * np.sin(3 * x[:, 1]) + 0.05 * rng.normal(size=n))


def test_the_lowest_are_found_early() -> None:
    x, energy = landscape(600)
    choice, requested = searched(energy, x, most=150)
    places = np.concatenate(requested)
    assert [len(part) for part in requested] == [30] * 5 and len(set(places)) == 150
    low = energy <= np.sort(energy)[19]
    assert low[places].mean() * 150 >= 0.9 * low.sum()  # at random a quarter
    rest = choice.round == 0
    assert (
        np.isnan(choice.predicted[choice.round == 1]).all()
        and np.isfinite(choice.predicted[~(choice.round == 1)]).all()
    )
    within = np.abs(choice.predicted - energy)[rest] <= choice.error[rest]
    assert 0.8 <= within.mean() <= 1.0
    again, _ = searched(energy, x, most=150)
    np.testing.assert_array_equal(again.predicted, choice.predicted)


def test_what_cannot_be_told_comes_last_and_failures_teach_nothing() -> None:
    x, energy = landscape(200)
    x[:20] = np.nan
    energy[20:40] = np.nan
    choice, _ = searched(energy, x, most=150)
    assert not choice.round[:20].any() and np.isnan(choice.predicted[:20]).all()
    assert np.isfinite(choice.predicted[(choice.round == 0)][20:]).all()
    everything, _ = searched(energy, x, most=1000)
    assert (everything.round > 0).all()


def test_a_stopped_search_ends() -> None:
    x, _ = landscape(100)
    calls = []
    acquisition = Acquisition(np.zeros(100, int), 0.1, 10)

    def stop(places: np.ndarray) -> None:
        calls.append(places)

    choice = acquire(x, GROUPS, acquisition, stop, most=50, rounds=5, rng=np.random.default_rng(0))
    assert len(calls) == 1 and not choice.round.any()


def test_each_kind_has_its_own_limit() -> None:
    best, width = np.array([0.2, 0.4, 0.9, 1.0, 1.2]), np.array([0.1, 0.1, 0.1, 0.1, 0.4])
    acquisition = Acquisition(np.array([0, 0, 1, 1, 1]), 0.1, 2)
    score = acquisition.score(best, width, np.arange(5))
    assert score == pytest.approx([2, 0, 1, 0, -0.5])  # limits 0.4 and 1.0
    assert Acquisition(np.zeros(5, int), 0.5, 0).score(best, width, np.array([0, 4])) == pytest.approx([3, -1.75])


def test_a_part_of_each_round_is_drawn_at_random() -> None:
    x, energy = landscape(400)
    _, requested = searched(energy, x, most=200)
    share = np.mean([(energy[part] > np.median(energy)).mean() for part in requested[1:]])
    assert share >= AT_RANDOM / 4
