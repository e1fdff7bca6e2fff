"""Gaussian processes: equations against plain algebra, gradients against differences, intervals that hold."""

import numpy as np
import pytest

from legocryst.active_learning import gaussian_process
from legocryst.active_learning.gaussian_process import FEWEST, LEVEL, learnt

GROUPS = (slice(0, 2), slice(2, 5))


def drawn(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Points with five features, of which the last three mean little, and values whose noise grows with them."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 5))
    y = np.exp(np.sin(x[:, 0]) + 0.3 * x[:, 1] + 0.05 * rng.normal(size=n))
    return x, y


def test_it_learns_and_its_intervals_hold_what_they_should() -> None:
    held = []
    for seed in range(3):
        x, y = drawn(600, seed)
        process = learnt(x[:200], y[:200], GROUPS, fair=np.ones(200, bool), rng=np.random.default_rng(seed))
        assert process is not None
        mean, width = process.predict(x[200:])
        assert np.corrcoef(mean, y[200:])[0, 1] > 0.97
        held.append((np.abs(mean - y[200:]) <= width).mean())
        assert process.metric[0] > 3 * process.metric[2]
    assert np.mean(held) == pytest.approx(LEVEL, abs=0.05)


def test_left_out_is_what_the_others_predict() -> None:
    x, y = drawn(40, 0)
    process = learnt(x, y, GROUPS, fair=np.ones(40, bool), rng=np.random.default_rng(0))
    assert process is not None
    mean, width = process.left_out()
    points, values = process.points, process.values
    covariance = process.amplitude * gaussian_process._matern(gaussian_process._squares(points, points))[0]
    covariance += (process.noise + gaussian_process._JITTER) * np.eye(40)
    for k in (0, 17):
        others = np.arange(40) != k
        weight = np.linalg.solve(covariance[np.ix_(others, others)], covariance[others, k])
        expected = np.exp(process.mean + process.unit * (weight @ values[others]))
        spread = process.unit * np.sqrt(covariance[k, k] - weight @ covariance[others, k]) * expected
        assert mean[k] == pytest.approx(expected - process.offset, rel=1e-6)
        assert width[k] == pytest.approx(process.stretch * spread, rel=1e-6)


def test_matern_covariance_and_its_derivative() -> None:
    square = np.linspace(0.01, 9, 50)
    r = np.sqrt(square)
    value, slope = gaussian_process._matern(square)
    np.testing.assert_allclose(value, (1 + 5**0.5 * r + 5 * square / 3) * np.exp(-(5**0.5) * r), rtol=1e-12)
    step = 1e-6
    difference = (gaussian_process._matern(square + step)[0] - gaussian_process._matern(square - step)[0]) / (2 * step)
    np.testing.assert_allclose(slope, difference, rtol=1e-5)


def test_same_seed_same_process_and_nothing_from_few() -> None:
    x, y = drawn(60, 1)
    fair = np.arange(60) < 30
    one, other = (learnt(x, y, GROUPS, fair=fair, rng=np.random.default_rng(3)) for _ in range(2))
    assert one is not None and other is not None
    np.testing.assert_array_equal(one.predict(x)[0], other.predict(x)[0])
    assert learnt(x, y, GROUPS, fair=np.arange(60) < FEWEST - 1, rng=np.random.default_rng(3)) is None
    flat = learnt(x, np.ones(60), GROUPS, fair=fair, rng=np.random.default_rng(3))
    assert flat is not None and flat.predict(x)[0] == pytest.approx(1.0, abs=1e-3)


def test_values_may_be_any_energies() -> None:
    x, y = drawn(80, 2)
    fair = np.ones(80, bool)
    plain, moved = (learnt(x, v, GROUPS, fair=fair, rng=np.random.default_rng(0)) for v in (y, 3 * y - 100))
    assert plain is not None and moved is not None
    np.testing.assert_allclose(moved.predict(x)[0], 3 * plain.predict(x)[0] - 100, rtol=1e-6)
