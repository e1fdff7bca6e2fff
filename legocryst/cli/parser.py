"""Commands and their flags; the flags of a stage are made from its settings."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from pydantic import BaseModel

from legocryst import __version__
from legocryst import settings as s
from legocryst.cli import commands as c
from legocryst.cli.bands import bands as bands_of_files
from legocryst.cli.dft import dft as dft_of_files
from legocryst.cli.dft import inputs as inputs_of_files
from legocryst.cli.energy import energy as energy_of_files
from legocryst.cli.export import export as export_files
from legocryst.cli.export import mark as mark_crystals
from legocryst.cli.export import sql as sql_of_database
from legocryst.cli.identify import identify as identify_files
from legocryst.cli.jobs import compare as compare_jobs
from legocryst.cli.jobs import jobs as jobs_of_workspace
from legocryst.cli.methods import methods as methods_of_job
from legocryst.cli.output import Result, refuse
from legocryst.cli.powder import powder as powder_of_files
from legocryst.cli.target import target as target_command
from legocryst.cli.times import times as times_of_presets
from legocryst.cli.view import CELLS, COLOURS, WAYS
from legocryst.cli.view import view as view_of_crystals
from legocryst.infra.executors import ExecutorError, checked
from legocryst.jobs.record import cores

Run = Callable[[argparse.Namespace], Result]
_OWN = "CIF, POSCAR, extended XYZ, ASE database, table, or a folder or zip archive of them"
_ONE = "CIF, POSCAR, extended XYZ or table of one crystal"
Add = Callable[[str, Run, str], "Parser"]


class Parser(argparse.ArgumentParser):
    """A parser whose complaint is one sentence."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the arguments and end with exit code 2."""
        self.exit(refuse(f"{message}; see `{self.prog} --help`"))


def parser() -> Parser:
    """Return the parser of all commands."""
    top = Parser(
        prog="legocryst" if Path(sys.argv[0]).name == "legocryst" else "python -m legocryst",
        description="LEGO-Cryst: generate crystals whose every atom has a wanted local environment.",
    )
    top.add_argument("--version", action="version", version=__version__)
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: Run, text: str) -> Parser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(command=run)
        group = added.add_argument_group("common")
        group.add_argument("--seed", type=int, default=0, help="seed of all randomness [default 0]")
        group.add_argument(
            "--threads", type=_positive, default=cores(), help="processor cores to use [default: all of them]"
        )
        group.add_argument("--json", action="store_true", help="print one JSON object as the last line of the output")
        return added

    _training_set(add)
    _generator(add)
    _crystals(add)
    _run(add)
    _targets(add)
    _workspace(add)
    return top


def _training_set(add: Add) -> None:
    seeds = add("seeds", c.seeds, "List the shipped training set, or write it as a table.")
    _out(seeds, required=False)
    _target(seeds)

    curate = add("curate", c.curate, "Check crystals of your own against the target and make a training set.")
    curate.add_argument("paths", nargs="*", type=Path, metavar="PATH", help=f"{_OWN} [default: the shipped set]")
    _out(curate)
    text = "table to write, .parquet or .csv, that says of every crystal whether it is kept, or why not"
    curate.add_argument("--report", type=_table_file, metavar="FILE", help=text)
    add_settings(curate, s.CurateSettings)

    text = "Find crystals of low energy: random ones and ones on minimal surfaces, relaxed, each new net once."
    bootstrap = add("bootstrap", c.bootstrap, text)
    _out(bootstrap)
    text = "folder of what is kept on the way, from which a later call goes on [default: FILE.parts]"
    bootstrap.add_argument("--folder", type=Path, default=None, metavar="DIR", help=text)
    _cluster(bootstrap)
    add_settings(bootstrap, s.BootstrapSettings)

    augment = add("augment", c.augment, "Write each crystal again in subgroups of its space group.")
    augment.add_argument(
        "training", nargs="?", type=Path, metavar="TRAINING", help=f"{_OWN} [default: the shipped set]"
    )
    _out(augment)
    _target(augment)
    add_settings(augment, s.AugmentSettings)


def _generator(add: Add) -> None:
    train = add("train", c.train, "Train a generator on an augmented table.")
    train.add_argument("table", type=Path, metavar="TABLE", help="table made by augment")
    train.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="folder of the model")
    _target(train)
    add_settings(train, s.TrainSettings)
    add_settings(train, s.FeatureSettings)

    sample = add("sample", c.sample, "Draw rows from a trained model.")
    sample.add_argument("model", type=Path, metavar="MODEL", help="folder of the model")
    _out(sample)
    text = "table made by relax: rows of it that are valid by no criterion are drawn again near where they ended"
    sample.add_argument("--near", type=Path, default=None, metavar="TABLE", help=text)
    later = ("decode", "refine_rounds", "baseline")  # of a run
    add_settings(sample, s.SampleSettings, names=[name for name in s.SampleSettings.model_fields if name not in later])


def _crystals(add: Add) -> None:
    relax = add("relax", c.relax, "Bring rows of a table to the target's environment and judge each.")
    relax.add_argument("table", type=Path, metavar="IN", help="table in the LEGO-xtal format, .csv, .parquet or .json")
    _out(relax)
    _target(relax)
    _cluster(relax)
    add_settings(relax, s.SampleSettings, names=("decode", "max_atoms"))
    add_settings(relax, s.RelaxSettings)

    rank = add("rank", c.rank, "Give valid crystals of a relaxed table an energy and order them by it.")
    rank.add_argument("table", type=Path, metavar="IN", help="table made by relax")
    _out(rank)
    _target(rank)
    _cluster(rank)
    add_settings(rank, s.RankSettings)

    energy = add("energy", energy_of_files, "Energies of crystals in files above the target's reference.")
    energy.add_argument("files", nargs="+", type=Path, metavar="FILE", help=_ONE)
    energy.add_argument("--relax", action="store_true", help="relax each first, in its space group, cell included")
    _target(energy)
    _cluster(energy)
    add_settings(energy, s.EnergySettings, short={"max_force": "--fmax"})

    text = "Nets of crystals in files, whether these are known, and the known crystals that are nearest."
    identify = add("identify", identify_files, text)
    identify.add_argument("files", nargs="+", type=Path, metavar="FILE", help=_ONE)
    text = "crystals that count as known too: " + _OWN
    identify.add_argument("--reference", type=Path, nargs="+", default=[], metavar="PATH", help=text)
    text = "a workspace whose training sets, reference sets and crystals are known [default: the shipped set is]"
    identify.add_argument("--workspace", type=_workspace_folder, default=None, metavar="DIR", help=text)
    _target(identify)
    add_settings(identify, s.IdentifySettings)

    powder = add("powder", powder_of_files, "Powder patterns of crystals in files, and how alike they are.")
    powder.add_argument("files", nargs="+", type=Path, metavar="FILE", help=_ONE)
    _target(powder)
    add_settings(powder, s.PowderSettings)

    bands = add("bands", bands_of_files, "Gap, class and bands of crystals in files, by tight binding.")
    bands.add_argument("files", nargs="+", type=Path, metavar="FILE", help=_ONE)
    _target(bands)
    _cluster(bands)
    add_settings(bands, s.BandSettings, names=[name for name in s.BandSettings.model_fields if name != "bands"])
    _dft(add)
    _view(add)


def _view(add: Add) -> None:
    text = "3D views of crystals in files, or of a workspace's crystals, as pages that any browser opens offline."
    view = add("view", view_of_crystals, text)
    view.add_argument("crystals", nargs="+", metavar="CRYSTAL", help=f"{_ONE}; with --workspace, name of a crystal")
    view.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write to")
    text = "take crystals of this workspace by their names [default: files]"
    view.add_argument("--workspace", type=_workspace_folder, default=None, metavar="DIR", help=text)
    view.add_argument("--colours", choices=COLOURS, default=COLOURS[0], help="what tells atoms apart [default element]")
    view.add_argument("--labels", action="store_true", help="write on each atom what the legend says")
    view.add_argument("--drawn-as", choices=WAYS, default=WAYS[0], help=f"[default {WAYS[0]}]")
    text = "cells along a, b and c [default 1 1 1]"
    view.add_argument("--cells", type=_positive, nargs=3, default=CELLS, metavar="N", help=text)
    text = "longest bond, angstrom [default: the target's]"
    view.add_argument("--cutoff", type=float, default=None, metavar="LENGTH", help=text)
    view.add_argument("--no-cell", action="store_true", help="leave out the edges of the cell")
    _target(view)


def _dft(add: Add) -> None:
    dft = add("dft", dft_of_files, "Energy, bands and charge of crystals in files by GPAW.")
    text = "Write input files for VASP and Quantum ESPRESSO for crystals in files."
    inputs = add("inputs", inputs_of_files, text)
    inputs.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write to")
    for command in (dft, inputs):
        command.add_argument("files", nargs="+", type=Path, metavar="FILE", help=_ONE)
        _target(command)
        add_settings(command, s.DftSettings)


def _run(add: Add) -> None:
    run = add("run", c.run, "The whole line: training set, augmentation, training, sampling, relaxation, ranking.")
    models = s.shape(s.TrainSettings.model_fields["model"]).choices
    run.add_argument("--preset", choices=s.PRESETS, default="quick", help="settings to start from [default quick]")
    run.add_argument("--model", default=None, choices=models, help="kind of generator [default: the preset's]")
    run.add_argument("--samples", type=_positive, default=None, help="number of samples [default: the preset's]")
    run.add_argument("--target", metavar="NAME", help="the target environment [default: the preset's]")
    run.add_argument(
        "--training", "--seeds", type=Path, nargs="+", default=[], metavar="PATH", help="training crystals of your own"
    )
    run.add_argument("--like", metavar="JOB", help="start from settings, seed and crystals of that job, not a preset's")
    run.set_defaults(seed=None)  # that of the job, where none is named
    text = "crystals whose nets count as known, and that are not learnt from"
    run.add_argument("--reference", type=Path, nargs="+", default=[], metavar="PATH", help=text)
    run.add_argument("--resume", metavar="JOB", help="go on with a stopped, failed or lost job, with its own settings")
    _cluster(run)
    _workspace_flag(run)
    for name, field in s.RunSettings.model_fields.items():
        if name not in ("seed", "dft"):  # which is no stage of a run
            assert isinstance(field.annotation, type)
            add_settings(run, field.annotation, prefix=name)


def _targets(add: Add) -> None:
    text = "Targets: list them, show one, delete one, or make one of an atom in a crystal and save it."
    command = add("target", target_command, text)
    command.add_argument("action", choices=("list", "show", "make", "delete"), help="what to do")
    command.add_argument("what", nargs="?", metavar="NAME|FILE", help=f"name of a target; to make one, {_ONE}")
    command.add_argument("--atom", type=_positive, default=1, help="number of the site, as listed [default 1]")
    command.add_argument("--name", default="", help="name of the new target; without it the atoms are listed")
    command.add_argument("--title", default="", help="a line about the new target")
    text = "bonds of the atom [default: its neighbours before the clearest gap]"
    command.add_argument("--coordination", type=_positive, default=0, help=text)
    text = "a value of the new target that is changed, such as gap=1.9 or bond_window=1.2,1.7; may be repeated"
    command.add_argument("--set", dest="changes", action="append", default=[], metavar="FIELD=VALUE", help=text)
    command.add_argument("--symprec", type=float, default=0.01, help="symmetry is sought within this [default 0.01 Å]")
    _workspace_flag(command)


def _workspace(add: Add) -> None:
    export = add("export", export_files, "Write crystals of a workspace as files: the new ones, or others.")
    _workspace_flag(export)
    text = "kind of file; zip holds CIF, POSCAR, extended XYZ, tables, a manifest and what to cite [default cif]"
    export.add_argument("--format", choices=("cif", "csv", "parquet", "zip"), default="cif", help=text)
    export.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write to")
    text = "as in the address of the Database page: 'class=new&energy_to=0.3&net_name_has=dia'; '' for all crystals"
    export.add_argument("--filters", metavar="TEXT", default=None, help=f"{text} [default class=new]")
    export.add_argument("--ids", nargs="+", default=[], metavar="ID", help="names of crystals")
    export.add_argument("--order", default="energy", metavar="NAME", help="column to order by [default energy]")
    export.add_argument("--largest-first", action="store_true", help="the other way round")
    export.add_argument("--limit", type=_positive, default=None, help="most crystals [default: all]")
    text = "CIF, POSCAR and extended XYZ of the crystals as the potential relaxed them, where it did"
    export.add_argument("--relaxed", action="store_true", help=text)

    ask = add("sql", sql_of_database, "Ask the database of a workspace with a SELECT, which can only read.")
    ask.add_argument("select", metavar="SELECT", help="one SELECT, for instance over the view candidates")
    _workspace_flag(ask)
    _out(ask, required=False)
    ask.add_argument("--rows", type=_positive, default=1000, help="most rows [default 1000]")
    ask.add_argument("--seconds", type=_positive, default=10, help="seconds after which it is stopped [default 10]")

    mark = add("mark", mark_crystals, "Give crystals of a workspace a star or a note.")
    mark.add_argument("ids", nargs="+", metavar="ID", help="names of crystals")
    mark.add_argument("--star", type=_truth, default=None, metavar="BOOL", help="yes or no [default: as it is]")
    mark.add_argument("--note", default=None, metavar="TEXT", help="a note; '' removes it [default: as it is]")
    _workspace_flag(mark)

    _workspace_flag(add("rebuild", c.rebuild, "Make the database of a workspace again from the files of its jobs."))

    listed = add("jobs", jobs_of_workspace, "List the jobs of a workspace with their disk use, or delete one.")
    _workspace_flag(listed)
    listed.add_argument("--delete", default="", metavar="JOB", help="delete this job first, with all its crystals")
    compare = add("compare", compare_jobs, "Settings of two jobs that differ, and their counts side by side.")
    _workspace_flag(compare)
    compare.add_argument("jobs", nargs=2, metavar="JOB", help="names of the two jobs")

    methods = add("methods", methods_of_job, "What a finished job did, as the paragraph of a paper with references.")
    _workspace_flag(methods)
    methods.add_argument("--job", required=True, metavar="JOB", help="name of the job")
    methods.add_argument("--bibtex", action="store_true", help="print the references as BibTeX instead")

    _workspace_flag(
        add("times", times_of_presets, "How long each preset takes here, from the workspace's finished jobs.")
    )

    app = add("app", c.app, "Start the dashboard in the browser.")
    _workspace_flag(app)
    app.add_argument("--port", type=_positive, default=8501, help="port on this computer [default 8501]")


def _out(parser: Parser, *, required: bool = True) -> None:
    text = "table to write, .parquet or .csv"
    parser.add_argument("--out", type=_table_file, required=required, metavar="FILE", help=text)


def _target(parser: Parser) -> None:
    parser.add_argument("--target", default="sp2-carbon", help="name of the target environment [default sp2-carbon]")


def _cluster(parser: Parser) -> None:
    text = (
        "spread work over a Dask cluster: local:N processes of this computer, the address of a scheduler, or its file "
        "(docs/cluster.md) [default: --threads processes of this computer]"
    )
    parser.add_argument("--cluster", type=_named_cluster, default="", metavar="ADDRESS|FILE|local:N", help=text)


def _named_cluster(text: str) -> str:
    try:
        return checked(text)
    except ExecutorError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _workspace_flag(parser: Parser) -> None:
    text = "folder of jobs and database [default: the one that LEGOCRYST_WORKSPACE names, or ./workspace]"
    parser.add_argument("--workspace", type=Path, default=None, metavar="DIR", help=text)


def _table_file(text: str) -> Path:
    if Path(text).suffix not in (".csv", ".parquet"):
        raise argparse.ArgumentTypeError(f"cannot write {text}: name a file that ends in .parquet or .csv")
    return Path(text)


def _workspace_folder(text: str) -> Path:
    if not (Path(text) / "jobs").is_dir():
        raise argparse.ArgumentTypeError(f"{text} is no workspace, it holds no jobs: name another folder")
    return Path(text)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def add_settings(
    parser: Parser,
    model: type[BaseModel],
    *,
    prefix: str = "",
    names: Sequence[str] = (),
    short: Mapping[str, str] | None = None,
) -> None:
    """Add one flag for each field of a settings class (or those named), with default, bounds and unit in the help.

    `short` gives fields a second flag.
    """
    group = parser.add_argument_group(f"settings of {prefix}" if prefix else "settings")
    for name, field in model.model_fields.items():
        if names and name not in names:
            continue
        flag = f"--{prefix + '-' if prefix else ''}{name}".replace("_", "-")
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        takes = s.shape(field)
        kind: Any = _some(takes.choices) if takes.several else _truth if takes.base is bool else takes.base
        words = ",".join(map(str, takes.choices)) if takes.several else takes.base.__name__.upper()
        one_of = None if takes.several else takes.choices
        group.add_argument(
            *([short[name]] if short and name in short else []),
            flag,
            dest=f"{prefix + '.' if prefix else ''}{name}",
            default=argparse.SUPPRESS,
            choices=one_of or None,
            type=kind,
            metavar=None if one_of else words,
            help=f"{field.description} {_range(field.metadata, _shown(field.default), str(extra.get('unit', '')))}",
        )


def _some(choices: Sequence[Any]) -> Callable[[str], tuple[Any, ...]]:
    """Return a reader of some of the choices, with commas between them."""
    known = {str(choice): choice for choice in choices}

    def read(text: str) -> tuple[Any, ...]:
        words = [word.strip() for word in text.split(",") if word.strip()]
        for word in words:
            if word not in known:
                raise argparse.ArgumentTypeError(f"{word!r} is none of {', '.join(known)}")
        return tuple(known[word] for word in words)

    return read


def _shown(default: object) -> str:
    return str(default) if default not in (None, "", ()) else "empty"


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
