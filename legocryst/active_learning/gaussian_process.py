"""Gaussian process regression whose uncertainty is scaled to the errors that were found.

Rasmussen & Williams, Gaussian Processes for Machine Learning (2006): regression section 2.2, Matern covariance
eq. 4.17, marginal likelihood and its gradient eq. 5.8 and 5.9, leave-one-out predictions eq. 5.10 to 5.12. Intervals
from the errors of what was left out: Lei et al., J. Am. Stat. Assoc. 113, 1094 (2018), section 5.2.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from statistics import NormalDist

import numpy as np

LEVEL = 0.9
"""Share of values that shall lie within the interval of a prediction."""
FEWEST = 20
"""Values drawn at random below which nothing is learnt."""
FITTED, MOST = 400, 3000
"""Values at most by which the covariance is chosen, and that are learnt at all; of more, some at random."""
WIDTH = NormalDist().inv_cdf((1 + LEVEL) / 2)
"""Half the width of a normal distribution's interval of that level, in standard deviations."""
_OUTLYING, _BLOCK, _JITTER = 6.0, 2000, 1e-8
_AMPLITUDE, _NOISE, _LOOSE = 1.0, -3.0, 3.0
"""Logarithms with which the search for the covariance starts, and how far it may go from there without objection."""


@dataclass(frozen=True, slots=True)
class GaussianProcess:
    """What was learnt from n values at points with k features.

    Learnt is the logarithm of value + offset, scaled to mean 0 and spread 1: errors of energies grow with them.
    """

    centre: np.ndarray  # (k,) means of the features
    spread: np.ndarray  # (k,) their standard deviations
    metric: np.ndarray  # (k,) what a feature counts in distances
    points: np.ndarray  # (n, k)
    values: np.ndarray  # (n,)
    inverse: np.ndarray  # (n, n) of the covariance matrix
    offset: float  # of the values
    mean: float  # of the logarithms
    unit: float  # their standard deviation
    amplitude: float  # variance of the process
    noise: float  # variance of the values about it
    stretch: float = WIDTH  # half an interval in standard deviations

    def predict(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Predict values (m,) at other points x (m, k), and half the width of the interval that holds LEVEL."""
        mean, variance = np.empty(len(x)), np.empty(len(x))
        weights = self.inverse @ self.values
        for begin in range(0, len(x), _BLOCK):
            block = slice(begin, begin + _BLOCK)
            points = self.metric * _standard(x[block], self.centre, self.spread)
            shared = self.amplitude * _matern(_squares(points, self.points))[0]
            mean[block] = shared @ weights
            variance[block] = self.amplitude + self.noise - ((shared @ self.inverse) * shared).sum(axis=1)
        return self._back(mean, variance)

    def left_out(self) -> tuple[np.ndarray, np.ndarray]:
        """Predict the value (n,) at each point from all the others, with the error."""
        variance = 1 / np.diag(self.inverse)
        return self._back(self.values - (self.inverse @ self.values) * variance, variance)

    def _back(self, mean: np.ndarray, variance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        grown = np.exp(self.mean + self.unit * mean)
        spread = self.unit * np.sqrt(np.maximum(variance, self.noise + _JITTER)) * grown
        return grown - self.offset, self.stretch * spread


def learnt(
    x: np.ndarray, y: np.ndarray, groups: Sequence[slice], *, fair: np.ndarray, rng: np.random.Generator
) -> GaussianProcess | None:
    """Fit a process to values y (n,) at points x (n, k), all finite; None where too few of them are `fair`.

    `groups` are the columns of features that belong together, each with one weight in the metric. Those `fair` (n,)
    were drawn at random; the width of intervals is such that those of fair values, left out, hold them.
    """
    if fair.sum() < FEWEST:
        return None
    some = np.sort(rng.permutation(len(y))[:MOST])
    x, y, fair = x[some], y[some], fair[some]
    low, high = np.quantile(y, [0.25, 0.75])
    offset = float(high - low) + _JITTER - float(y.min())
    logarithm = np.log(y + offset)
    mean, unit = float(logarithm.mean()), max(float(logarithm.std()), _JITTER)
    centre, spread = x.mean(axis=0), x.std(axis=0)
    spread[spread < _JITTER] = 1.0
    points, values = _standard(x, centre, spread), (logarithm - mean) / unit
    subset = np.sort(rng.permutation(len(y))[:FITTED])
    amplitude, noise, weight = _likeliest(points[subset], values[subset], groups)
    metric = np.zeros(x.shape[1])
    for group, one in zip(groups, weight, strict=True):
        metric[group] = np.sqrt(one)
    points = points * metric
    covariance = amplitude * _matern(_squares(points, points))[0] + (noise + _JITTER) * np.eye(len(y))
    inverse = np.linalg.inv(covariance)
    process = GaussianProcess(centre, spread, metric, points, values, inverse, offset, mean, unit, amplitude, noise)
    left_out, error = process.left_out()
    return replace(process, stretch=WIDTH * _quantile((np.abs(left_out - y) / error)[fair]))


def _quantile(ratios: np.ndarray) -> float:
    """Return what a further ratio stays below with probability LEVEL."""
    place = ceil((len(ratios) + 1) * LEVEL) - 1
    return float(np.sort(ratios)[min(place, len(ratios) - 1)])


def _standard(x: np.ndarray, centre: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Return scaled features; the farthest outliers are drawn in, since nothing is known out there."""
    return np.clip((x - centre) / spread, -_OUTLYING, _OUTLYING)


def _squares(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return squared distances (n, m) between points a (n, k) and b (m, k)."""
    squares: np.ndarray = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
    return np.maximum(squares, 0, out=squares)


def _matern(square: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return Matern covariance of smoothness 5/2 at squared distances, and its derivative by them."""
    r = np.sqrt(5 * square)
    decay = np.exp(-r)
    return (1 + r + r * r / 3) * decay, -5 / 6 * (1 + r) * decay


def _likeliest(points: np.ndarray, values: np.ndarray, groups: Sequence[slice]) -> tuple[float, float, np.ndarray]:
    """Return amplitude, noise and weight of each group under which the values are likeliest.

    All as logarithms, and normally distributed about where the search starts, so that few values do not lead far.
    """
    from scipy.linalg import cho_factor, cho_solve
    from scipy.optimize import minimize

    squares = [_squares(points[:, group], points[:, group]) for group in groups]
    unity = np.eye(len(values))
    sizes = np.array([points[:, group].shape[1] for group in groups])
    start = np.concatenate([[_AMPLITUDE, _NOISE], -np.log(sizes * len(groups))])

    def unlikely(p: np.ndarray) -> tuple[float, np.ndarray]:
        """Return negative logarithm of the likelihood, and its gradient."""
        amplitude, noise, weight = np.exp(p[0]), np.exp(p[1]), np.exp(p[2:])
        shape, slope = _matern(sum(w * square for w, square in zip(weight, squares, strict=True)))
        factor = cho_factor(amplitude * shape + (noise + _JITTER) * unity, lower=True)
        fitted = cho_solve(factor, values)
        pull = cho_solve(factor, unity) - np.outer(fitted, fitted)
        by_weight = [w * (pull * slope * square).sum() for w, square in zip(weight, squares, strict=True)]
        gradient = np.array(
            [(pull * shape).sum() * amplitude, noise * np.trace(pull), *(amplitude * w for w in by_weight)]
        )
        value = values @ fitted / 2 + np.log(np.diag(factor[0])).sum()
        return float(value + ((p - start) ** 2).sum() / (2 * _LOOSE**2)), gradient / 2 + (p - start) / _LOOSE**2

    bounds = [(-5, 8), (-9, 2), *[(-12, 5)] * len(groups)]
    best = minimize(unlikely, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 60}).x
    return float(np.exp(best[0])), float(np.exp(best[1])), np.exp(best[2:])
