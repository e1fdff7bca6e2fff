"""Work on many crystals: the quickest first, spread by an executor, known results left out, with the time to come."""

import json
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from hashlib import sha256
from typing import Any

import numpy as np

from legocryst.crystal.crystals import Crystals
from legocryst.infra.executors.local import START_SECONDS
from legocryst.infra.run_context import SILENT, RunContext

Row = dict[str, Any]
"""What is known of one crystal: numbers and text by name."""


def computed(
    crystals: Crystals,
    work: Callable[..., Row],
    seconds: np.ndarray,
    context: RunContext = SILENT,
    *,
    name: str,
    shared: Mapping[str, Any] | None = None,
) -> list[Row | None]:
    """Return `work(crystal, **shared)` of each crystal of a batch, as a batch of one.

    None stands for those not done when `context.should_stop()` became true.

    `seconds` (n,) estimates the time of each, 0 where it takes none: short ones are done first. `name` says what is
    done and with which settings; rows of the same name and crystal are taken from `context.cache`, others left there.
    `context.progress(done, total, seconds_left=...)` before the first and after each.
    """
    cache = {} if context.cache is None else context.cache
    keys = [_key(name, crystals.take([k])) for k in range(len(crystals))]
    first = {key: k for k, key in reversed(list(enumerate(keys))) if key not in cache}
    todo = sorted(first.values(), key=lambda k: seconds[k])
    all_seconds = float(seconds[todo].sum())
    clock = _Clock(all_seconds, context.executor.at_once(len(todo), all_seconds))
    parts = [crystals.take([k]) for k in todo]
    with closing(context.executor.map(work, parts, shared=shared, seconds=all_seconds)) as results:
        for done, k in enumerate([*todo, -1], start=len(crystals) - len(todo)):
            context.progress(done, len(crystals), seconds_left=clock.left())
            if k < 0 or context.should_stop():
                break
            cache[keys[k]] = next(results)
            clock.done(float(seconds[k]))
    return [cache.get(key) for key in keys]


class _Clock:
    """How long the rest takes: as estimated, from the second on as the others took."""

    def __init__(self, seconds: float, speed: float) -> None:
        self._rest, self._rate, self._start = seconds, 1 / speed, START_SECONDS if seconds else 0.0
        self._since, self._finished = 0.0, 0.0

    def done(self, seconds: float) -> None:
        """Count a part that was estimated to take this long as done; one of no time says nothing of the others."""
        if seconds == 0:
            return
        self._rest -= seconds
        if self._start:
            self._start, self._since = 0.0, time.monotonic()
            return
        self._finished += seconds
        self._rate = (time.monotonic() - self._since) / self._finished

    def left(self) -> int:
        """Estimate the seconds that are left, by the clock."""
        return round(self._start + max(self._rest, 0.0) * self._rate)


def _key(name: str, crystal: Crystals) -> str:
    digest = sha256(name.encode())
    for whole in (crystal.group, crystal.species, crystal.position):
        digest.update(whole.astype(np.int64).tobytes())
    for real in (crystal.cell, crystal.coordinates):
        digest.update((np.round(real, 8) + 0.0).tobytes())  # without the sign of 0
    return digest.hexdigest()


def to_text(crystal: Crystals) -> str:
    """Return the one crystal of a batch as text, exact to the last bit."""
    names = ("group", "cell", "species", "position", "coordinates")
    return json.dumps({name: getattr(crystal, name).tolist() for name in names})


def from_text(text: str) -> Crystals:
    """Return inverse of `to_text`."""
    values = json.loads(text)
    sites = list(zip(values["species"], values["position"], values["coordinates"], strict=True))
    return Crystals.build(values["group"], values["cell"], [sites])
