"""Jobs: one folder and one process each; everything that is known of a job lies in its folder.

    workspace/jobs/<id>/settings.json   command, settings, seeds, cores, versions: never changed
                        lease.json      which process works on it, where, and when it was last alive (see `lease`)
                        input/          copies of the user's training set
                        reference/      copies of crystals whose nets count as known
                        examined/       both as they were read and judged, once
                        targets/        the target, where it is one of the user's
                        progress.jsonl  one line a step, with the stage
                        log.txt         what the process printed
                        shards/         Parquet files, whole or absent
                        model/          the trained generator and its checkpoint
                        stop            exists when the job was asked to stop
                        substitute.json why random rows are drawn in place of those of the model that was asked for
                        state.json      how it ended: finished, stopped or failed, why, and the counts

A job never opens the database.
"""

import json
import os
import shutil
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from legocryst.infra.files import read_json, tail
from legocryst.jobs import lease
from legocryst.settings import RunSettings
from legocryst.vocabulary.registry import baseline

State = Literal["queued", "running", "finished", "stopped", "failed", "lost"]
SUBSTITUTE = "substitute.json"


def cores() -> int:
    """Return processor cores this process may use."""
    return len(os.sched_getaffinity(0))


def by_chance(samples: int) -> int:
    """Return how many random rows take the place of those of a model: chance finds fewer crystals, and costs little."""
    return max(samples, min(10 * samples, 10_000))


@dataclass(frozen=True)
class Job:
    """A job by its folder; every property reads the files as they are now."""

    folder: Path

    @property
    def id(self) -> str:
        """Name of the job, which begins with the time it was made."""
        return self.folder.name

    @cached_property
    def record(self) -> dict[str, Any]:
        """What was asked: command, settings, seeds, threads, cluster, parent, started, version, versions, input.

        Raises FileNotFoundError when the job was deleted meanwhile.
        """
        content: dict[str, Any] = json.loads((self.folder / "settings.json").read_text(encoding="utf-8"))
        return content

    @property
    def command(self) -> str:
        """`run`, or the stage after which the job ends."""
        return str(self.record["command"])

    @property
    def settings(self) -> RunSettings:
        """Settings of every stage; where random rows take those of a model (see `substitute`), more of them.

        Raises ValueError for those of a version that had others.
        """
        try:
            settings = RunSettings.model_validate(self.record["settings"])
        except ValidationError as error:
            version = self.record["version"]
            raise ValueError(f"job {self.id} was made by version {version}, whose settings were others") from error
        if not self.substitute:
            return settings
        train = settings.train.model_copy(update={"model": baseline().name})
        sample = settings.sample.model_copy(update={"samples": by_chance(settings.sample.samples)})
        return settings.model_copy(update={"train": train, "sample": sample})

    @property
    def substitute(self) -> str:
        """Why random rows are drawn in place of those of the model that was asked for, "" where they are not."""
        return str(read_json(self.folder / SUBSTITUTE).get("reason", ""))

    @property
    def model(self) -> str:
        """Name of the generator whose rows are drawn, in a job of any version."""
        return baseline().name if self.substitute else str(self.record["settings"]["train"]["model"])

    @property
    def stages(self) -> tuple[str, ...]:
        """Stages that the job does or takes over, in order; raises ValueError as `settings` does."""
        from legocryst.stages.catalogue import stages_of

        return stages_of(self.settings, self.command)

    @property
    def training_files(self) -> list[Path]:
        """Copies of the user's training set; empty for the shipped one."""
        return [self.folder / "input" / name for name in self.record["seeds"]]

    @property
    def reference(self) -> list[Path]:
        """Copies of the crystals that count as known but are not learnt from."""
        return [self.folder / "reference" / name for name in self.record.get("reference", ())]

    @property
    def threads(self) -> int:
        """Processor cores the job may use."""
        return int(self.record["threads"])

    @property
    def cluster(self) -> str:
        """The Dask cluster its work is spread over, see `executors.executor`; "" for processes of this computer."""
        return str(self.record.get("cluster", ""))

    @property
    def place(self) -> str:
        """Where its work is done, in words."""
        cores = "1 core" if self.threads == 1 else f"{self.threads} cores"
        return f"{cores} and a Dask cluster" if self.cluster else cores

    @property
    def shards(self) -> Path:
        """Folder of the Parquet files."""
        return self.folder / "shards"

    @property
    def state(self) -> State:
        """Where the job stands; `lost` when its process ended without a note on how."""
        final = self.final
        if final:
            return final["state"]
        if self.holder and self.holder.alive:
            return "running"
        if not self.holder and not (self.folder / "progress.jsonl").exists():
            return self.final.get("state", "queued")  # it may have ended since the first look
        return self.final.get("state", "lost")

    @property
    def holder(self) -> lease.Holder | None:
        """Who works on the job, or did when it ended without a note on how; None where nobody holds the lease."""
        return lease.holder(self.folder)

    @property
    def final(self) -> dict[str, Any]:
        """`state`, `reason`, `summary` and `ended` of a job that ended; empty before."""
        return read_json(self.folder / "state.json")

    @property
    def reason(self) -> str:
        """One sentence on how the job ended, "" while it has not."""
        if self.state == "lost":
            where = f" on {self.holder.host}" if self.holder else ""
            return f"The process of this job ended{where} without a note on how (killed, or a restart): resume it."
        return str(self.final.get("reason", ""))

    @property
    def summary(self) -> dict[str, Any]:
        """Counts of a finished job, empty before."""
        return dict(self.final.get("summary", {}))

    def progress(self) -> list[dict[str, Any]]:
        """List all steps so far: `time`, `attempt`, `stage`, `cpu_seconds` of the stage, and its own numbers."""
        path = self.folder / "progress.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [step for line in lines if (step := _step(line))]

    def latest(self) -> dict[str, Any]:
        """Return the last step, empty before the first; reads only the end of the file."""
        steps = map(_step, reversed(tail(self.folder / "progress.jsonl")))
        return next(filter(None, steps), {})

    def log_tail(self, lines: int = 50) -> str:
        """Return the last lines of what the process printed."""
        return "\n".join(tail(self.folder / "log.txt")[-lines:])

    def stop(self) -> None:
        """Ask the job to stop; it does so after its present step and keeps what it has."""
        (self.folder / "stop").touch()

    def stopping(self) -> bool:
        """Say whether the job was asked to stop."""
        return (self.folder / "stop").exists()

    def reopen(self) -> None:
        """Forget how the last attempt ended, so that `work` goes on.

        Raises ValueError for a job that is running or finished.
        """
        if self.state in ("running", "finished"):
            raise ValueError(f"job {self.id} is {self.state}: only a stopped, failed or lost job can be resumed")
        for name in ("stop", "state.json"):
            (self.folder / name).unlink(missing_ok=True)

    def delete(self) -> None:
        """Remove the folder; the database forgets it at the next ingestion. Raises ValueError while it runs."""
        if self.state == "running":
            raise ValueError(f"job {self.id} is running: stop it before deleting it")
        gone = self.folder.with_name(f".{self.id}.deleted")  # at once for readers, even if the removal takes long
        self.folder.rename(gone)
        shutil.rmtree(gone)

    def report(self, **numbers: Any) -> None:
        """Append one line to the progress."""
        line = json.dumps({"time": round(time.time(), 2), **numbers}, default=float)
        with (self.folder / "progress.jsonl").open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")


def jobs(workspace: Path) -> list[Job]:
    """Return every job of a workspace, newest first."""
    folders = (workspace / "jobs").glob("[!.]*/settings.json")
    return [Job(path.parent) for path in sorted(folders, key=lambda path: path.parent.name, reverse=True)]


def job(workspace: Path, name: str) -> Job:
    """Return the job of that name; raises ValueError when there is none."""
    known = Job(workspace / "jobs" / name)
    if not name or Path(name).name != name or not (known.folder / "settings.json").is_file():
        raise ValueError(f"there is no job {name!r} in this workspace: it was deleted, or the name is wrong")
    return known


def _step(line: str) -> dict[str, Any]:
    """Read a line of progress; empty for the half line a kill can leave, with what the next attempt wrote behind it."""
    try:
        return dict(json.loads(line))
    except json.JSONDecodeError:
        return {}
