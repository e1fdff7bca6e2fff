"""The command line: every stage as a command, its flags made from the stage's settings.

Results go to files; what is said while working goes to standard error; with `--json` the last line of standard output
is one JSON object. A wrong input ends with one sentence and exit code 2.
"""

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError

from legocryst import __version__
from legocryst import settings as s

if TYPE_CHECKING:
    import pandas as pd

Result = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0, or 2 when the input was wrong."""
    options = _parser().parse_args(arguments)
    # before torch and BLAS are loaded, which read these once
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(options.threads)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that spin are three times slower on a busy machine
    try:
        result = options.command(options)
    except ValidationError as error:
        return _refuse(_first_fault(error))
    except (ValueError, OSError) as error:
        if os.environ.get("LEGOCRYST_DEBUG"):
            raise
        return _refuse(str(error))
    if options.json:
        print(json.dumps(result, default=str), flush=True)
    else:
        for name, value in result.items():
            say(f"{name}: {value}")
    return 0


def say(text: str) -> None:
    """A line for the reader, on standard error."""
    print(text, file=sys.stderr, flush=True)


def _refuse(sentence: str) -> int:
    say(f"legocryst: {' '.join(sentence.split())}")
    return 2


def _first_fault(error: ValidationError) -> str:
    fault = error.errors()[0]
    where = ".".join(str(part) for part in fault["loc"])
    return f"the setting {where} is wrong: {fault['msg'].lower()} (given: {fault['input']})"


class Clock:
    """Processor seconds of this process and the children it has waited for, since the clock was made."""

    def __init__(self) -> None:
        self._start = self._now()

    @staticmethod
    def _now() -> float:
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return time.process_time() + children.ru_utime + children.ru_stime

    def seconds(self) -> float:
        """CPU-s so far."""
        return round(self._now() - self._start, 3)


# Flags from settings -------------------------------------------------------------------------------------------------


def add_settings(parser: argparse.ArgumentParser, model: type[BaseModel], *, prefix: str = "") -> None:
    """One flag for each field of a settings class, with its default, bounds and unit in the help."""
    group = parser.add_argument_group(f"settings{' of ' + prefix if prefix else ''}")
    for name, field in model.model_fields.items():
        flag = f"--{prefix + '-' if prefix else ''}{name}".replace("_", "-")
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        kind = field.annotation
        choices = [str(value) for value in get_args(kind)] if get_origin(kind) is Literal else None
        group.add_argument(
            flag,
            dest=f"{prefix + '.' if prefix else ''}{name}",
            default=argparse.SUPPRESS,
            choices=choices,
            type=_reader(kind),
            metavar=None if choices else getattr(kind, "__name__", "VALUE").upper(),
            help=f"{field.description} {_range(field.metadata, field.default, str(extra.get('unit', '')))}",
        )


def _reader(kind: Any) -> Callable[[str], Any]:
    if kind is bool:
        return _truth
    return kind if isinstance(kind, type) and not isinstance(kind, UnionType) else str


def _truth(text: str) -> bool:
    if text.lower() not in ("true", "false", "yes", "no"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither yes nor no")
    return text.lower() in ("true", "yes")


def _range(metadata: Sequence[Any], default: object, unit: str) -> str:
    signs = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
    bounds = [
        f"{sign} {getattr(bound, name)}" for bound in metadata for name, sign in signs.items() if hasattr(bound, name)
    ]
    return f"[{', '.join([f'default {default} {unit}'.strip(), *bounds])}]"


def chosen(options: argparse.Namespace, model: type[BaseModel], *, prefix: str = "") -> dict[str, Any]:
    """The values of a settings class that were named on the command line."""
    given = vars(options)
    names = {name: f"{prefix + '.' if prefix else ''}{name}" for name in model.model_fields}
    return {name: given[key] for name, key in names.items() if key in given}


# Files ---------------------------------------------------------------------------------------------------------------


def read(path: Path) -> "pd.DataFrame":
    """A table in METHOD's columns from CSV or Parquet."""
    from legocryst.crystal.table import read_table

    return read_table(path)


def write(table: "pd.DataFrame", path: Path) -> None:
    """A table to CSV or Parquet by the ending; the file appears only when it is complete."""
    if path.suffix not in (".csv", ".parquet"):
        raise ValueError(f"cannot write {path.name}: name a file that ends in .parquet or .csv")
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    if path.suffix == ".csv":
        table.to_csv(part, index=False)
    else:
        table.to_parquet(part, index=False)
    part.replace(path)


class Ticker:
    """A progress callback that prints at most one line a second."""

    def __init__(self, what: str) -> None:
        self._what, self._start, self._last = what, time.monotonic(), 0.0

    def __call__(self, done: int, total: int, **numbers: Any) -> None:
        """Say how much is done and how long the rest will take."""
        now = time.monotonic()
        if done < total and now - self._last < 1:
            return
        self._last = now
        left = (now - self._start) / max(done, 1) * (total - done)
        extra = "".join(f", {name} {value}" for name, value in numbers.items())
        say(f"{self._what}: {done} of {total}{extra}, {left:.0f} s left")

    def epoch(self, numbers: Mapping[str, Any]) -> None:
        """The same for an epoch of training."""
        say(f"{self._what}: " + ", ".join(f"{name} {_short(value)}" for name, value in numbers.items()))


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


# Parser --------------------------------------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    from legocryst import commands as c

    parser = argparse.ArgumentParser(
        prog="python -m legocryst",
        description="LEGO-Cryst: generate crystals whose every atom has a wanted local environment.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    common = argparse.ArgumentParser(add_help=False)
    group = common.add_argument_group("common")
    group.add_argument("--seed", type=int, default=0, help="seed of all randomness [default 0]")
    group.add_argument(
        "--threads", type=_positive, default=os.cpu_count() or 1, help="processor cores to use [default: all]"
    )
    group.add_argument("--json", action="store_true", help="print one JSON object as the last line of standard output")

    def command(name: str, run: Callable[[argparse.Namespace], Result], text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, parents=[common], help=text, description=text)
        added.set_defaults(command=run)
        return added

    out = {"type": Path, "required": True, "metavar": "FILE", "help": "table to write, .parquet or .csv"}

    seeds = command("seeds", c.seeds, "List the shipped training set, or write it as a table.")
    seeds.add_argument("--out", **{**out, "required": False})

    curate = command("curate", c.curate, "Check crystals of your own against the target and make a training set.")
    curate.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="CIF, POSCAR, table, or a folder of them")
    curate.add_argument("--out", **out)
    add_settings(curate, s.CurateSettings)

    augment = command("augment", c.augment, "Write each crystal again in subgroups of its space group.")
    augment.add_argument("seeds", nargs="?", type=Path, metavar="SEEDS", help="training set [default: the shipped one]")
    augment.add_argument("--out", **out)
    add_settings(augment, s.AugmentSettings)

    train = command("train", c.train, "Train a generator on an augmented table.")
    train.add_argument("table", type=Path, metavar="TABLE", help="table made by augment")
    train.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="folder of the model")
    train.add_argument("--target", default="sp2-carbon", help="environment that fresh samples are judged by")
    add_settings(train, s.TrainSettings)
    add_settings(train, s.FeatureSettings)

    sample = command("sample", c.sample, "Draw rows from a trained model.")
    sample.add_argument("model", type=Path, metavar="FOLDER", help="folder of the model")
    sample.add_argument("--out", **out)
    add_settings(sample, s.SampleSettings)

    relax = command("relax", c.relax, "Bring rows of a table to the target's environment and judge each.")
    relax.add_argument("table", type=Path, metavar="IN", help="table in the LEGO-xtal format, .csv or .parquet")
    relax.add_argument("--out", **out)
    relax.add_argument("--target", default="sp2-carbon", help="name of the wanted environment [default sp2-carbon]")
    _decoding(relax)
    add_settings(relax, s.RelaxSettings)

    rank = command("rank", c.rank, "Give valid crystals of a relaxed table an energy and order them by it.")
    rank.add_argument("table", type=Path, metavar="IN", help="table made by relax")
    rank.add_argument("--out", **out)
    add_settings(rank, s.RankSettings)

    run = command("run", c.run, "The whole line: training set, augmentation, training, sampling, relaxation, ranking.")
    run.add_argument("--preset", choices=s.PRESETS, default="quick", help="settings to start from [default quick]")
    run.add_argument("--model", default=None, help="generator: vae, gan or random [default: the preset's]")
    run.add_argument("--samples", type=int, default=None, help="number of samples [default: the preset's]")
    run.add_argument("--seeds", type=Path, nargs="+", default=[], metavar="PATH", help="training set of your own")
    _workspace(run)
    for name, field in s.RunSettings.model_fields.items():
        if name != "seed":
            assert isinstance(field.annotation, type)
            add_settings(run, field.annotation, prefix=name)

    export = command("export", c.export, "Write the new crystals of a workspace as files.")
    _workspace(export)
    export.add_argument("--format", choices=("cif", "csv", "parquet"), default="cif", help="kind of file [default cif]")
    export.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write to")

    rebuild = command("rebuild", c.rebuild, "Make the database of a workspace again from the files of its jobs.")
    _workspace(rebuild)

    app = command("app", c.app, "Start the dashboard in the browser.")
    _workspace(app)
    app.add_argument("--port", type=_positive, default=8501, help="port on this computer [default 8501]")
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def _decoding(parser: argparse.ArgumentParser) -> None:
    for name in ("decode", "max_atoms"):
        field = s.SampleSettings.model_fields[name]
        choices = list(get_args(field.annotation)) or None
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            type=str if choices else int,
            choices=choices,
            default=field.default,
            help=f"{field.description} [default {field.default}]",
        )


def _workspace(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--workspace", type=Path, default=None, metavar="DIR", help="workspace [default ./workspace]")
