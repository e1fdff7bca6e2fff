"""New jobs: their folders, the copies in them, and the processes that are started for them."""

import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from legocryst import DATA, ROOT, __version__
from legocryst.infra.executors import checked
from legocryst.infra.extras import MissingExtra, missing
from legocryst.infra.files import fingerprint, versions, write_json
from legocryst.infra.workspace import TARGETS, target_files
from legocryst.jobs.lease import TOKEN, claim, release
from legocryst.jobs.record import Job
from legocryst.settings import RunSettings, contradiction
from legocryst.stages.catalogue import ALONE, RUN, STAGES, stages_of
from legocryst.stages.curate import EXAMINED, REFERENCE_SHARD

if TYPE_CHECKING:
    from legocryst.stages.curate import Examined


def create(
    workspace: Path,
    command: str,
    settings: RunSettings,
    *,
    training: Sequence[Path] | None = None,
    reference: Sequence[Path] = (),
    examined: "Mapping[str, Examined] | None" = None,
    threads: int,
    cluster: str = "",
    parent: Job | None = None,
    through: str = "train",
) -> Job:
    """Make a new job, not yet started; `command` is "run" or the last stage to do.

    `training`, the training crystals, and `reference`, crystals whose nets count as known, are copied into the folder,
    with what is known of them where they were `examined` already (by "seeds" and "reference"). With `parent` the job
    starts from that one's results of the stages up to `through`, whose settings, training and reference set it takes
    over. Raises ValueError for an unknown command, fewer than one core, files that are missing, share a name or stand
    beside a parent, a parent that has not finished those stages, or a text that names no cluster.
    """
    if command not in ("run", *RUN, *ALONE):
        raise ValueError(f"no command {command!r}: choose run or one of {', '.join((*RUN, *ALONE))}")
    if threads < 1:
        raise ValueError(f"a job needs at least one core ({threads=})")
    cluster = checked(cluster)
    for files in (training or (), reference):
        _check_names(files)
    if parent is not None and (training or reference):
        raise ValueError("a job that starts from another's results takes over its crystals: give no others")
    if parent is not None:
        settings, files = _inherited(parent, settings, through), _results(parent, through)
    if command == "run" and (message := contradiction(settings)):
        raise ValueError(message)
    _require_packages(settings, stages_of(settings, command))
    folder = _new_folder(workspace / "jobs")
    if parent is not None:
        known = [parent.folder / REFERENCE_SHARD] if parent.reference else []
        own = [path for name in ("input", "reference", "examined", TARGETS) for path in _files(parent.folder / name)]
        _link([*files, *known, *own], parent.folder, folder)
        names = {name: parent.record.get(name, []) for name in ("seeds", "reference")}
    else:
        names = {
            "seeds": _copied(training or (), folder / "input"),
            "reference": _copied(reference, folder / "reference"),
        }
        for name, one in (examined or {}).items():
            one.write(folder / EXAMINED[name])
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

    Raises LeaseHeld when it runs already.
    """
    taken = claim(job.folder)
    try:
        process = _started(job, taken.token)
    except BaseException:
        release(job.folder, taken)
        raise
    claim(job.folder, pid=process.pid, token=taken.token)


def _started(job: Job, token: str) -> "subprocess.Popen[bytes]":
    threads = str(job.threads)
    with (job.folder / "log.txt").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "legocryst.jobs.worker", str(job.folder.resolve())],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd=ROOT,
            env={
                **os.environ,
                TOKEN: token,
                "OMP_NUM_THREADS": threads,
                "MKL_NUM_THREADS": threads,
                "OMP_WAIT_POLICY": "PASSIVE",  # threads that spin are three times slower on a busy machine
            },
        )


def resume(job: Job) -> None:
    """Go on with a stopped, failed or lost job in a new process; finished stages and chunks are not done again.

    Raises ValueError for a job that is running or finished.
    """
    job.reopen()
    launch(job)


def _require_packages(settings: RunSettings, stages: Sequence[str]) -> None:
    """Raise MissingExtra, before any work, where packages are not installed that the stages import."""
    needed: dict[str, str] = {}  # what can be chosen in place of each extra
    for name in stages:
        for extra, choice in STAGES[name].needs(settings, stages).items():
            needed.setdefault(extra, choice)
    lacking = {extra: choice for extra, choice in needed.items() if missing(extra)}
    if lacking:
        choices = " and ".join(filter(None, lacking.values()))
        raise MissingExtra(missing(*lacking) + (f", or choose {choices}" if choices else ""))


def _inherited(parent: Job, settings: RunSettings, through: str) -> RunSettings:
    """Return settings with those of the stages that are taken over."""
    able = RUN[: RUN.index("sample") + 1]
    if through not in able:
        raise ValueError(f"a job can take over another's stages up to {', '.join(able)}, not {through!r}")
    taken = [STAGES[name].settings for name in able[: able.index(through) + 1]]
    return settings.model_copy(update={name: getattr(parent.settings, name) for name in taken})


def _results(job: Job, through: str) -> list[Path]:
    """Return files that the stages up to `through` left; raises ValueError if one has not finished."""
    files = []
    for stage in job.stages:
        if RUN.index(stage) <= RUN.index(through):
            files += [job.folder / name for name in STAGES[stage].files]
            if not all(path.exists() for path in files):
                raise ValueError(f"job {job.id} has not finished the stage {stage}: resume it, or choose another")
    return files


def _link(files: Sequence[Path], old: Path, new: Path) -> None:
    """Give files second names, so that they cost no space and outlive the first."""
    for path in files:
        name = new / path.relative_to(old)
        name.parent.mkdir(parents=True, exist_ok=True)
        os.link(path, name)


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
    """Copy files and folders, links in these as links, and return their names."""
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
