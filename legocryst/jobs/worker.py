"""`python -m legocryst.jobs.worker FOLDER`: the process of one job, from its start to the note on how it ended."""

import os
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from legocryst.infra.files import write_json
from legocryst.infra.run_context import Stopped
from legocryst.jobs.lease import Lease, LeaseHeld, held
from legocryst.jobs.record import Job, State

NICE = 10


def work(
    job: Job, *, progress: Callable[[Mapping[str, Any]], None] | None = None, cluster: str | None = None
) -> dict[str, Any]:
    """Do a job in this process, note how it ended, and return its summary; what goes wrong is noted and raised.

    It holds the lease of the job meanwhile: LeaseHeld is raised where another process does, and the work ends without
    a note once another took over.

    `progress(numbers)` gets what is appended to the job's progress; `cluster` takes the place of the job's own. A job
    that was asked to stop returns {}.
    """
    from legocryst.jobs.pipeline import run

    with held(job.folder) as lease:
        try:
            summary = run(job, progress=progress, should_stop=lambda: lease.lost or job.stopping(), cluster=cluster)
        except Stopped:
            _check(job, lease)
            _finish(job, "stopped", "The job was stopped; it can be resumed.", {})
            return {}
        except KeyboardInterrupt:
            _finish(job, "stopped", "The job was interrupted from the keyboard; it can be resumed.", {})
            raise
        except BaseException as error:  # whatever it was, the folder must say so; it is raised again
            _check(job, lease)
            sentence = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
            _finish(job, "failed", " ".join(sentence.split()) or type(error).__name__, {})
            raise
        _finish(job, "finished", "", summary)
        return summary


def _check(job: Job, lease: Lease) -> None:
    """Raise LeaseHeld where the folder is gone or another process's by now: it gets no note from this one."""
    lease.renew()
    if lease.lost:
        raise LeaseHeld(f"job {job.id} was deleted or taken over: this process ended its work on it") from None


def _finish(job: Job, state: State, reason: str, summary: Mapping[str, Any]) -> None:
    ended = datetime.now(UTC).isoformat(timespec="seconds")
    write_json(job.folder / "state.json", {"state": state, "reason": reason, "summary": summary, "ended": ended})


def main(folder: str) -> int:
    """Do the job of a folder, giving way to other programs; returns the exit code."""
    os.nice(NICE)
    try:
        work(Job(Path(folder)))
    except ValueError as error:
        print(error, file=sys.stderr, flush=True)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
