"""Jobs: one folder and one process each; everything that is known of a job lies in its folder.

    workspace/jobs/<id>/settings.json   command, settings, seeds, cores, versions: never changed
                        pid.json        process and the time it started, so that a reused number is not mistaken for it
                        input/          copies of the user's training set
                        reference/      copies of crystals whose nets count as known
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
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from legocryst import DATA, ROOT, __version__
from legocryst.extras import MissingExtra, missing
from legocryst.infra.executors import checked
from legocryst.records import fingerprint, process_start, read_json, tail, versions, write_json
from legocryst.registry import baseline
from legocryst.settings import RunSettings, contradiction
from legocryst.workspace import TARGETS, target_files

State = Literal["queued", "running", "finished", "stopped", "failed", "lost"]
STAGES = ("curate", "augment", "featurize", "train", "sample", "relax", "rank", "bands")
"""Stages of a run, in order. A job's command is "run", or the stage after which it ends."""
DFT = "dft"
"""Command and only stage of a job that computes one crystal with density functional theory."""
BASELINE = "baseline"
"""What a run does beside its stages: random crystals, relaxed in the same way."""
FILES = {
    "curate": ("shards/seeds.parquet", "curation.parquet"),
    "augment": ("shards/augmented.parquet",),
    "featurize": ("shards/features.parquet",),
    "train": ("shards/training.parquet", "model/model.pt"),
    "sample": ("samples.parquet",),
    "rank": ("shards/ranked.parquet",),
    "bands": ("shards/bands.parquet",),
    DFT: ("shards/dft.parquet",),
    BASELINE: ("baseline.json",),
}
"""What a finished stage leaves in the folder; the relaxation leaves shards/crystals-00000.parquet and so on."""
REFERENCE = "shards/reference.parquet"
"""What curating leaves besides, where a reference set was given."""
QUALITY = "model/quality.json"
"""Where a training leaves sdv's quality report of its samples."""
SUBSTITUTE = "substitute.json"
NICE = 10


class Stopped(Exception):
    """Raised inside a job when its stop flag was seen."""


def cores() -> int:
    """Processor cores this process may use."""
    return len(os.sched_getaffinity(0))


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
        """Settings of every stage, with the random generator where it takes another's place (see `substitute`).

        Raises ValueError for those of a version that had others.
        """
        try:
            settings = RunSettings.model_validate(self.record["settings"])
        except ValidationError as error:
            version = self.record["version"]
            raise ValueError(f"job {self.id} was made by version {version}, whose settings were others") from error
        if not self.substitute:
            return settings
        return settings.model_copy(update={"train": settings.train.model_copy(update={"model": baseline().name})})

    @property
    def substitute(self) -> str:
        """Why random rows are drawn in place of those of the model that was asked for, "" where they are not."""
        return str(read_json(self.folder / SUBSTITUTE).get("reason", ""))

    @property
    def stages(self) -> tuple[str, ...]:
        """Stages that the job does or takes over, in order; raises ValueError as `settings` does."""
        return stages(self.settings, self.command)

    @property
    def seeds(self) -> list[Path]:
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
        """Where the job stands; `lost` when its process ended without a word."""
        final = self.final
        if final:
            return final["state"]
        pid = read_json(self.folder / "pid.json")
        if not pid:
            return "queued"
        if pid["start"] is not None and process_start(pid["pid"]) == pid["start"]:
            return "running"
        return self.final.get("state", "lost")  # it may have ended since the first look

    @property
    def final(self) -> dict[str, Any]:
        """`state`, `reason`, `summary` and `ended` of a job that ended; empty before."""
        return read_json(self.folder / "state.json")

    @property
    def reason(self) -> str:
        """One sentence on how the job ended, "" while it has not."""
        if self.state == "lost":
            return "The process of this job ended without a word (killed, or the computer was restarted): resume it."
        return str(self.final.get("reason", ""))

    @property
    def summary(self) -> dict[str, Any]:
        """Counts of a finished job, empty before."""
        return dict(self.final.get("summary", {}))

    def progress(self) -> list[dict[str, Any]]:
        """Every step so far: `time`, `attempt`, `stage`, `cpu_seconds` of the stage, and the stage's own numbers."""
        path = self.folder / "progress.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [step for line in lines if (step := _step(line))]

    def latest(self) -> dict[str, Any]:
        """The last step, empty before the first; reads only the end of the file."""
        steps = map(_step, reversed(tail(self.folder / "progress.jsonl")))
        return next(filter(None, steps), {})

    def log_tail(self, lines: int = 50) -> str:
        """The last lines of what the process printed."""
        return "\n".join(tail(self.folder / "log.txt")[-lines:])

    def stop(self) -> None:
        """Ask the job to stop; it does so after its present step and keeps what it has."""
        (self.folder / "stop").touch()

    def stopping(self) -> bool:
        """Whether the job was asked to stop."""
        return (self.folder / "stop").exists()

    def resume(self) -> None:
        """Go on with a stopped, failed or lost job in a new process; finished stages and chunks are not done again.

        Raises ValueError for a job that is running or finished.
        """
        self.reopen()
        launch(self)

    def reopen(self) -> None:
        """Forget how the last attempt ended, so that `work` goes on. Raises ValueError as `resume` does."""
        if self.state in ("running", "finished"):
            raise ValueError(f"job {self.id} is {self.state}: only a stopped, failed or lost job can be resumed")
        for name in ("stop", "state.json", "pid.json"):
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


def create(
    workspace: Path,
    command: str,
    settings: RunSettings,
    *,
    seeds: Sequence[Path] | None = None,
    reference: Sequence[Path] = (),
    threads: int,
    cluster: str = "",
    parent: Job | None = None,
    through: str = "train",
) -> Job:
    """A new job, not yet started. `command` is "run" or the last stage to do.

    `seeds`, the training set, and `reference`, crystals whose nets count as known, are copied into the folder. With
    `parent` the job starts from that one's results of the stages up to `through`, whose settings, training and
    reference set it takes over. Raises ValueError for an unknown command, fewer than one core, files that are missing,
    share a name or stand beside a parent, a parent that has not finished those stages, or a text that names no cluster.
    """
    if command not in ("run", *STAGES, DFT):
        raise ValueError(f"no command {command!r}: choose run or one of {', '.join((*STAGES, DFT))}")
    if threads < 1:
        raise ValueError(f"a job needs at least one core ({threads=})")
    cluster = checked(cluster)
    for files in (seeds or (), reference):
        _check_names(files)
    if parent is not None and (seeds or reference):
        raise ValueError("a job that starts from another's results takes over its crystals: give no others")
    if parent is not None:
        settings, files = _inherited(parent, settings, through), _results(parent, through)
    if command == "run" and (message := contradiction(settings)):
        raise ValueError(message)
    _require_packages(settings, stages(settings, command))
    folder = _new_folder(workspace / "jobs")
    if parent is not None:
        known = [parent.folder / REFERENCE] if parent.reference else []
        own = [path for name in ("input", "reference", TARGETS) for path in _files(parent.folder / name)]
        _link([*files, *known, *own], parent.folder, folder)
        names = {name: parent.record.get(name, []) for name in ("seeds", "reference")}
    else:
        names = {
            "seeds": _copied(seeds or (), folder / "input"),
            "reference": _copied(reference, folder / "reference"),
        }
        _copied(target_files(workspace, settings.curate.target)[:1], folder / TARGETS)
    record = {
        "command": command,
        "settings": settings.model_dump(),
        **names,
        "threads": threads,
        "cluster": cluster,
        "parent": parent.id if parent else None,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": __version__,
        "versions": versions(),
        "input": fingerprint((_files(folder / "input") or _files(DATA / "seeds")) + _files(folder / "reference")),
    }
    write_json(folder / "settings.json", record)
    return Job(folder)


def launch(job: Job) -> None:
    """Start the job in a process of its own, which outlives this one.

    Raises ValueError when it runs already.
    """
    if job.state == "running":
        raise ValueError(f"job {job.id} is running already")
    threads = str(job.threads)
    with (job.folder / "log.txt").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "legocryst.jobs", str(job.folder.resolve())],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd=ROOT,
            env={
                **os.environ,
                "OMP_NUM_THREADS": threads,
                "MKL_NUM_THREADS": threads,
                "OMP_WAIT_POLICY": "PASSIVE",  # threads that spin are three times slower on a busy machine
            },
        )
    _write_pid(job, process.pid)


def work(
    job: Job, *, progress: Callable[[Mapping[str, Any]], None] | None = None, cluster: str | None = None
) -> dict[str, Any]:
    """Do a job in this process, note how it ended, and return its summary; what goes wrong is noted and raised.

    `progress(numbers)` gets what is appended to the job's progress; `cluster` takes the place of the job's own. A job
    that was asked to stop returns {}.
    """
    from legocryst.pipeline import run

    _write_pid(job, os.getpid())
    try:
        summary = run(job, progress=progress, cluster=cluster)
    except Stopped:
        _finish(job, "stopped", "The job was stopped; it can be resumed.", {})
        return {}
    except KeyboardInterrupt:
        _finish(job, "stopped", "The job was interrupted from the keyboard; it can be resumed.", {})
        raise
    except BaseException as error:  # whatever it was, the folder must say so; it is raised again
        sentence = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
        _finish(job, "failed", " ".join(sentence.split()) or type(error).__name__, {})
        raise
    _finish(job, "finished", "", summary)
    return summary


def jobs(workspace: Path) -> list[Job]:
    """Every job of a workspace, newest first."""
    folders = (workspace / "jobs").glob("[!.]*/settings.json")
    return [Job(path.parent) for path in sorted(folders, key=lambda path: path.parent.name, reverse=True)]


def job(workspace: Path, name: str) -> Job:
    """The job of that name; raises ValueError when there is none."""
    found = Job(workspace / "jobs" / name)
    if not name or Path(name).name != name or not (found.folder / "settings.json").is_file():
        raise ValueError(f"there is no job {name!r} in this workspace: it was deleted, or the name is wrong")
    return found


def stages(settings: RunSettings, command: str = "run") -> tuple[str, ...]:
    """Stages that a job with these settings does, up to the one that its command names.

    On the way to a model those are left out that it does not learn from (see `GeneratorSpec.learns_from`).
    """
    if command == DFT:
        return (DFT,)
    last = STAGES.index(command) if command in STAGES else len(STAGES)
    needed = settings.train.spec.learns_from
    skipped = {"augment", "featurize"} - set(needed) if last >= STAGES.index("train") else set()
    return tuple(stage for stage in STAGES[: last + 1] if stage not in skipped)


def _require_packages(settings: RunSettings, stages: Sequence[str]) -> None:
    """Raise MissingExtra, before any work, where packages are not installed that the stages import."""
    needed = {}  # what can be chosen in place of each extra
    if {"augment", "train"} <= set(stages) and settings.train.quality:
        needed["gan"] = "no quality report"
    if "featurize" in stages:
        needed["gan"] = "another model without quality report" if "train" in stages else ""
    if "rank" in stages and settings.rank.energies:
        needed["energy"] = "no energies"
    if DFT in stages:
        needed[DFT] = ""
    lacking = {extra: choice for extra, choice in needed.items() if missing(extra)}
    if lacking:
        choices = " and ".join(filter(None, lacking.values()))
        raise MissingExtra(missing(*lacking) + (f", or choose {choices}" if choices else ""))


def _inherited(parent: Job, settings: RunSettings, through: str) -> RunSettings:
    """Settings with those of the stages that are taken over."""
    names = ("curate", "augment", "features", "train", "sample")
    if through not in STAGES[: len(names)]:
        raise ValueError(f"a job can take over another's stages up to {', '.join(STAGES[:5])}, not {through!r}")
    taken = names[: STAGES.index(through) + 1]
    return settings.model_copy(update={name: getattr(parent.settings, name) for name in taken})


def _results(job: Job, through: str) -> list[Path]:
    """Files that the stages up to `through` left; raises ValueError if one has not finished."""
    files = []
    for stage in job.stages:
        if STAGES.index(stage) <= STAGES.index(through):
            files += [job.folder / name for name in FILES[stage]]
            if not all(path.exists() for path in files):
                raise ValueError(f"job {job.id} has not finished the stage {stage}: resume it, or choose another")
    return files


def _link(files: Sequence[Path], old: Path, new: Path) -> None:
    """Second names of files, so that they cost no space and outlive the first."""
    for path in files:
        name = new / path.relative_to(old)
        name.parent.mkdir(parents=True, exist_ok=True)
        os.link(path, name)


def _step(line: str) -> dict[str, Any]:
    """A line of progress; empty for the half line that a kill can leave, with what the next attempt wrote behind it."""
    try:
        return dict(json.loads(line))
    except json.JSONDecodeError:
        return {}


def _new_folder(parent: Path) -> Path:
    now = f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"[:-3]
    folder = parent / f"{now}-{secrets.token_hex(2)}"
    (folder / "shards").mkdir(parents=True)
    return folder


def _check_names(paths: Sequence[Path]) -> None:
    for path in paths:
        if not Path(path).exists():
            raise ValueError(f"there is no file {path}: check its name")
    names = [Path(path).resolve().name for path in paths]
    if len(set(names)) < len(names):
        raise ValueError(f"two of the files have one name ({', '.join(names)}): rename one")


def _copied(paths: Sequence[Path], folder: Path) -> list[str]:
    """Copies of files and folders, links in these as links; their names."""
    names = [Path(path).resolve().name for path in paths]
    for path, name in zip(paths, names, strict=True):
        folder.mkdir(exist_ok=True)
        if Path(path).is_dir():
            shutil.copytree(path, folder / name, symlinks=True)
        else:
            shutil.copyfile(path, folder / name)
    return names


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]


def _finish(job: Job, state: State, reason: str, summary: Mapping[str, Any]) -> None:
    ended = datetime.now(UTC).isoformat(timespec="seconds")
    write_json(job.folder / "state.json", {"state": state, "reason": reason, "summary": summary, "ended": ended})


def _write_pid(job: Job, pid: int) -> None:
    write_json(job.folder / "pid.json", {"pid": pid, "start": process_start(pid)})


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
    # the module by its name, not this second copy of it, whose Stopped would be another class than the pipeline's
    from legocryst import jobs as _jobs

    sys.exit(_jobs.main(sys.argv[1]))
