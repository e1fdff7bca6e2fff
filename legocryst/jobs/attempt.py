"""One attempt at a job: its settings, its reports, its time."""

import resource
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from legocryst.environment.target import Target
from legocryst.environment.target_library import target
from legocryst.infra.executors import SERIAL, Executor
from legocryst.infra.files import write_json
from legocryst.infra.run_context import RunContext, Stopped
from legocryst.jobs.record import SUBSTITUTE, Job
from legocryst.settings import RunSettings
from legocryst.stages.catalogue import STAGES

Report = Callable[[Mapping[str, Any]], None]
REPORT_SECONDS = 0.5


class Attempt:
    """One attempt at a job: its settings, and the reports of the stage that is being done."""

    def __init__(self, job: Job, report: Report, should_stop: Callable[[], bool], executor: Executor = SERIAL) -> None:
        self.job, self.should_stop, self.executor = job, should_stop, executor
        self.memory: dict[str, Any] = {}
        self._report = report
        self._attempt = job.latest().get("attempt", 0) + 1
        self._stage, self._start, self._last = "", 0.0, 0.0
        self._spent: dict[str, float] = {}
        self._began, self._before = time.monotonic(), _seconds_before(job)

    @cached_property
    def settings(self) -> RunSettings:
        """The settings of the job."""
        return self.job.settings

    def substitute(self, reason: str) -> None:
        """Draw random rows in place of those of the model that was asked for, here and in later attempts."""
        write_json(self.job.folder / SUBSTITUTE, {"reason": reason})
        self.__dict__.pop("settings", None)
        self.note(substitute=reason)

    @cached_property
    def target(self) -> Target:
        """The target of the job, from its own folder where it is one of the user's."""
        return target(self.settings.curate.target, self.job.folder)

    def begin(self, stage: str) -> None:
        """Start a stage, or go on with one, unless the job was asked to stop."""
        self.check()
        self._stage, self._start, self._last = stage, self._cpu_now() - self._spent.get(stage, 0.0), 0.0
        self.note()

    def complete(self) -> None:
        """End the stage."""
        self._spent[self._stage] = self._cpu_now() - self._start
        self.note(complete=True)

    def check(self) -> None:
        """Raise Stopped when the job was asked to stop."""
        if self.should_stop():
            raise Stopped

    def late(self) -> bool:
        """Say whether the time of the job's goal is over, all attempts together."""
        goal = self.settings.goal
        return goal.crystals > 0 and self.seconds > 60 * goal.minutes

    @property
    def seconds(self) -> float:
        """How long the job has been at work, all attempts together."""
        return self._before + time.monotonic() - self._began

    def note(self, **numbers: Any) -> None:
        """Append numbers to the job's progress and report them to the caller."""
        line = {"stage": self._stage, "cpu_seconds": round(self._cpu_now() - self._start, 3), **numbers}
        self.job.report(attempt=self._attempt, **line)
        self._report(line)

    def tick(self, done: int, total: int, **numbers: Any) -> None:
        """Report the progress of a stage that counts; at most two lines a second."""
        now = time.monotonic()
        if done >= total or now - self._last >= REPORT_SECONDS:
            self._last = now
            self.note(done=done, total=total, **numbers)

    def context(self, stage: str, turn: int = 0) -> RunContext:
        """Return how a stage works: its seed, the executor of the job, its reports and its stop flag."""
        seed = self.seed(stage, turn)
        return RunContext(seed=seed, executor=self.executor, progress=self.tick, should_stop=self.should_stop)

    def seed(self, stage: str, turn: int = 0) -> int:
        """Return the seed of a stage, made from the run's; another one each `turn` that the stage is done."""
        sequence = np.random.SeedSequence([self.settings.seed, STAGES[stage].number, *([turn] if turn else [])])
        return int(sequence.generate_state(1)[0] >> 1)

    def _cpu_now(self) -> float:
        """Return CPU-s of this process, of the child processes that ended, and of the executor's workers elsewhere."""
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return time.process_time() + children.ru_utime + children.ru_stime + self.executor.cpu_seconds


def _seconds_before(job: Job) -> float:
    """Return seconds by the clock, from the first to the last report of each earlier attempt."""
    times: dict[int, list[float]] = {}
    for step in job.progress():
        times.setdefault(step["attempt"], []).append(step["time"])
    return sum(values[-1] - values[0] for values in times.values())
