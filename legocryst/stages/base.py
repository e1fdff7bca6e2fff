"""What a stage is to the rest of the program: one object, which its module has under the name STAGE.

Jobs ask it what to do and what it leaves, pages what its bar is called, the database which tables it fills, estimates
how its work grows, the methods paragraph what to say. `catalogue` lists the stages of this room; their modules are
imported for that, so they import what their work needs inside functions. See docs/how-to/add-a-stage.md.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from legocryst.infra.run_context import RunContext
from legocryst.settings import RunSettings
from legocryst.vocabulary.quantities import Quantity
from legocryst.vocabulary.references import REFERENCES, Reference, program

if TYPE_CHECKING:
    import pandas as pd

    from legocryst.environment.target import Target

When = Literal["once", "batch", "round", "beside", "end", "alone"]
"""When a run does a stage: once before rows are drawn, for each lot of rows, for each round of lots, once beside the
first round, once at the end; or never, since it is a job of its own."""


class JobFiles(Protocol):
    """A job as a stage sees it, which reads and writes in its folder."""

    @property
    def folder(self) -> Path:
        """Where the files of all stages lie."""
        ...

    @property
    def record(self) -> dict[str, Any]:
        """What was asked when the job was made."""
        ...

    @property
    def settings(self) -> RunSettings:
        """Settings of all stages."""
        ...

    @property
    def stages(self) -> tuple[str, ...]:
        """Names of the stages that the job does or takes over, in order."""
        ...

    @property
    def training_files(self) -> list[Path]:
        """Files of the user's training set; empty for the shipped one."""
        ...

    @property
    def reference(self) -> list[Path]:
        """Files of crystals that count as known but are not learnt from."""
        ...

    @property
    def substitute(self) -> str:
        """Why random rows are drawn in place of those of the model that was asked for, "" where they are not."""
        ...

    def progress(self) -> list[dict[str, Any]]:
        """Return every report of progress so far."""
        ...


class Attempt(Protocol):
    """One attempt at a job, as the work of a stage is given it."""

    @property
    def job(self) -> JobFiles:
        """The job."""
        ...

    @property
    def settings(self) -> RunSettings:
        """Settings of all stages."""
        ...

    @property
    def target(self) -> "Target":
        """The target."""
        ...

    @property
    def memory(self) -> dict[str, Any]:
        """What stages leave for later ones of the same attempt, which must do without it when a job was resumed."""
        ...

    def context(self, stage: str, turn: int = 0) -> RunContext:
        """Return how a stage works; its seed is another one each turn that the stage is done."""
        ...

    def note(self, **numbers: Any) -> None:
        """Report numbers."""
        ...

    def tick(self, done: int, total: int, **numbers: Any) -> None:
        """Report how much is done."""
        ...

    def check(self) -> None:
        """End the attempt when the job was asked to stop."""
        ...

    def late(self) -> bool:
        """Return whether the time of the job's goal is over."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """How much a stage has to do: of a job to come as it is expected, of a finished one as it was."""

    settings: RunSettings
    crystals: float  # of the training set
    rows: float  # of the table that is learnt from
    epochs: float
    samples: float  # rows drawn
    valid: float  # crystals
    new: float  # of these
    energies: float  # of new crystals as they stand
    relaxed: float  # of new crystals, with a potential
    sites: float  # of a valid crystal, on average


@dataclass(slots=True)
class Paper:
    """The methods paragraph of a finished job: sentences, and references in the order they were first cited."""

    job: JobFiles
    target: "Target"
    summary: dict[str, Any]  # counts of the job
    sentences: list[str] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)

    @property
    def settings(self) -> RunSettings:
        """Settings of all stages."""
        return self.job.settings

    @property
    def version(self) -> str:
        """The program's when the job was made."""
        return str(self.job.record["version"])

    def say(self, text: str) -> None:
        """Add a sentence."""
        self.sentences.append(text)

    def cite(self, *keys: str | Reference) -> str:
        """Return numbers such as "[1, 2]"; "" for none."""
        numbers = []
        for key in keys:
            reference = key if isinstance(key, Reference) else REFERENCES.get(key) or program(self.version)
            if reference not in self.references:
                self.references.append(reference)
            numbers.append(self.references.index(reference) + 1)
        return f"[{', '.join(map(str, numbers))}]" if numbers else ""

    def works(self, *keys: str | Reference) -> str:
        """Return the same with a space before it."""
        return f" {self.cite(*keys)}" if keys else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of the database, and the shards of jobs that go to it."""

    name: str
    columns: tuple[str, ...]  # each one a quantity; `job`, of every table, is filled in
    shard: str = ""  # first word of their file names, where it is not the table's
    quantities: tuple[Quantity, ...] = ()  # columns that are described nowhere else


def numbered(path: Path, number: int) -> Path:
    """Return the path of a file of the first lot or round (0), or of a later one."""
    return path.with_stem(f"{path.stem}-{number}") if number else path


def _nothing(*_: Any) -> dict[str, Any]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage: its work, and all that is asked about it elsewhere."""

    name: str  # in commands, records, progress
    number: int  # its place, and part of its seed: another one than all others have, and never changed
    title: str  # words of its progress bar
    work: Callable[[Attempt, int], None]  # of an attempt, and of which lot or round
    when: When = "once"
    files: tuple[str, ...] = ()  # left in the job's folder, those in `shards/` also read by the database
    tables: tuple[Table, ...] = ()  # of the database
    settings: str = ""  # name of its settings in `RunSettings`
    for_learning: bool = False  # left out where the generator does not name it in `learns_from`
    asked: Callable[[RunSettings], bool] = lambda _: True  # whether a run does it at all, if it is done beside
    done: Callable[[JobFiles, int], bool] | None = None  # whether a lot or round is done, where the files do not say it
    counts: Callable[[JobFiles], dict[str, Any]] = _nothing  # numbers for the summary, once its files are there
    needs: Callable[[RunSettings, Collection[str]], dict[str, str]] = _nothing
    """Extras that its packages are in, and what may be chosen instead of each; from settings and stages of a job."""
    size: Callable[[Amount], float] = lambda _: 1.0  # units of work
    least: Callable[[Amount], float] = lambda _: 1.0  # share of the units after which it may be done
    kind: Callable[[RunSettings], str] = lambda _: ""  # times are compared among measures of one kind
    spread: bool = False  # over the cores
    methods: Callable[[Paper], None] = lambda _: None  # what the methods paragraph says of it

    def path(self, folder: Path, number: int = 0, *, file: int = 0) -> Path:
        """Return where one of its files lies in a job's folder: of the first lot or round, or of a later one."""
        return numbered(folder / self.files[file], number)

    def read(self, folder: Path, number: int = 0) -> "pd.DataFrame":
        """Read the first of its files."""
        import pandas as pd

        return pd.read_parquet(self.path(folder, number))

    def read_all(self, folder: Path) -> "pd.DataFrame":
        """Read what it left in all rounds."""
        import pandas as pd

        first = folder / self.files[0]
        paths = sorted(first.parent.glob(f"{first.stem}*{first.suffix}"), key=lambda path: (len(path.stem), path.stem))
        return pd.concat([pd.read_parquet(path) for path in paths], ignore_index=True)

    def is_done(self, job: JobFiles, number: int = 0) -> bool:
        """Return whether a job has its results, of a lot or round."""
        if self.done is not None:
            return self.done(job, number)
        return all(self.path(job.folder, number, file=k).exists() for k in range(len(self.files)))
