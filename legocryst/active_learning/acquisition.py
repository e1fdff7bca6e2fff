"""Acquisition: which of many crystals get an energy, learnt in rounds from those that have one (active learning)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from legocryst.active_learning.gaussian_process import FEWEST, learnt

AT_RANDOM = 0.2
"""Share of a round that is drawn at random: its errors say how wide intervals must be."""


@dataclass(frozen=True, slots=True)
class Acquisition:
    """What is looked for: of each kind of crystal all below an energy, and a number of the lowest."""

    kind: np.ndarray  # (n,) numbers
    low: float  # eV/atom
    lowest: int

    def score(self, best: np.ndarray, width: np.ndarray, candidates: np.ndarray) -> np.ndarray:
        """Return how surely each of the `candidates` lies below its kind's limit: its distance from it by its width.

        `best` (n,) are energies, of those left (and only of these) predicted ones. Beyond the limit the uncertain come
        first. Where a kind has fewer crystals than are looked for, only the energy counts.
        """
        score = np.full(len(candidates), -np.inf)
        for kind in np.unique(self.kind[candidates]):
            of_kind = self.kind[candidates] == kind
            at, energies = candidates[of_kind], np.sort(best[(self.kind == kind) & np.isfinite(best)])
            limit = max(self.low, energies[self.lowest - 1]) if 0 < self.lowest <= len(energies) else self.low
            score[of_kind] = (limit - best[at]) / width[at]
        return np.nan_to_num(score, nan=-np.inf)


@dataclass(frozen=True, slots=True)
class Acquired:
    """One entry a crystal."""

    round: np.ndarray  # (n,) in which it was computed, counted from 1; 0: not computed
    predicted: np.ndarray  # (n,) before it was computed, else at the end; NaN in the first round and where none is
    error: np.ndarray  # (n,) half the width of the interval that holds gaussian.LEVEL of the values


def acquire(
    features: np.ndarray,
    groups: Sequence[slice],
    acquisition: Acquisition,
    evaluate: Callable[[np.ndarray], np.ndarray | None],
    *,
    most: int,
    rounds: int,
    rng: np.random.Generator,
) -> Acquired:
    """Let `evaluate(places)` compute the energies of at most `most` of n crystals with features (n, k).

    The first of the rounds is drawn at random. Before each other one the energies so far are learnt; the crystals of
    the largest score are taken, and some of the rest at random. Crystals whose features are not finite come last.
    `evaluate` gives NaN for a crystal that has no energy, and None to end the work.
    """
    n = len(features)
    number, energy, fair = np.zeros(n, np.int64), np.full(n, np.nan), np.zeros(n, bool)
    predicted, error = np.full(n, np.nan), np.full(n, np.nan)
    finite = np.isfinite(features).all(axis=1)
    for turn, size in enumerate(_sizes(min(most, n), rounds), start=1):
        left, at_random = np.flatnonzero(number == 0), size
        if np.isfinite(predicted).any():
            at_random = round(AT_RANDOM * size)
            best = np.where(number == 0, predicted, energy)
            left = left[np.argsort(-acquisition.score(best, error, left), kind="stable")]
        rest = rng.permutation(left[size - at_random :])
        rest = rest[np.argsort(~finite[rest], kind="stable")][:at_random]
        taken = np.concatenate([left[: size - at_random], rest])
        result = evaluate(taken)
        if result is None:
            break
        number[taken], energy[taken], fair[rest] = turn, result, True
        known, ahead = np.isfinite(energy) & finite, (number == 0) & finite
        process = learnt(features[known], energy[known], groups, fair=fair[known], rng=rng)
        if process is not None:
            predicted[ahead], error[ahead] = process.predict(features[ahead])
    return Acquired(number, predicted, error)


def _sizes(most: int, rounds: int) -> list[int]:
    """Return crystals of each round; the first has at least enough to learn something from."""
    first = min(most, max(most // rounds, FEWEST))
    parts = np.diff(np.linspace(first, most, rounds).round().astype(int)).tolist()
    return [size for size in (first, *parts) if size]
