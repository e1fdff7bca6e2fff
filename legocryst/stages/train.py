"""Stage: a generator is fitted to the table and saved."""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pandas as pd

from legocryst.environment.target import Target
from legocryst.generators.base import Evaluate, Generator, generator
from legocryst.generators.features import Featurizer
from legocryst.infra.files import write_json, write_parquet
from legocryst.infra.phrases import all_of, several
from legocryst.infra.run_context import SILENT, RunContext
from legocryst.settings import FeatureSettings, RelaxSettings, RunSettings, TrainSettings
from legocryst.stages import augment, curate, drawn, featurize
from legocryst.stages.base import Amount, Attempt, JobFiles, Paper, Stage, Table

MODEL = "model.pt"
CHECKPOINT = "checkpoint.pt"
QUALITY = "model/quality.json"
"""Where a job leaves sdv's quality report of its samples."""
CHECK = RelaxSettings(restarts=0, merge=0, descriptor_steps=40, coordination_steps=40, refine_steps=60)
"""A short relaxation, which tells during training how many fresh samples become valid."""
A_STEP = 90
"""What a step of a network costs beyond its rows, in rows."""


def train(
    table: pd.DataFrame,
    target: Target,
    settings: TrainSettings,
    context: RunContext = SILENT,
    *,
    features: FeatureSettings,
    folder: Path,
    featurizer: Featurizer | None = None,
    evaluate: Evaluate | None = None,
) -> Generator:
    """Fit the generator that the settings name and save it as `folder/model.pt`.

    A checkpoint beside it lets an interrupted training go on when this is called again; it goes when the training is
    complete. `context.progress` gets a mapping after each epoch: `epoch`, `epochs`, the losses, `held_out` (the loss on
    rows kept apart), `seconds_left`, and where `evaluate` was called what it returned. `featurizer` is one already
    fitted to this table. The target gives the range of volumes to generators that take one. Raises ValueError as
    `Generator.fit` does, and for a target that the generator is not for.
    """
    target.check_generator(settings.spec)
    options: dict[str, Any] = {"featurizer": featurizer}
    options |= {"volume_per_atom": target.volume_per_atom, "bond": target.bond}
    options = {name: value for name, value in options.items() if name in settings.spec.options}
    stopped = False

    def stop() -> bool:
        nonlocal stopped
        stopped = stopped or context.should_stop()
        return stopped

    model = generator(settings.model, **options).fit(
        table,
        settings,
        features=features,
        seed=context.seed,
        progress=context.progress,
        should_stop=stop,
        evaluate=evaluate,
        checkpoint=folder / CHECKPOINT,
    )
    model.save(folder / MODEL)
    if not stopped:
        (folder / CHECKPOINT).unlink(missing_ok=True)
    return model


def share_valid(
    target: Target, settings: RelaxSettings = CHECK, *, known: Collection[str] = ()
) -> Callable[[pd.DataFrame], dict[str, float]]:
    """Return an evaluator for training, which relaxes fresh rows.

    It tells what share of them is `decodable` and what becomes `valid`, how many `distinct` nets these are as a share
    of the rows, and how many of the nets are `new`, that is, not among the `known` keys.
    """
    from legocryst.stages.relax import relax_table

    def evaluate(rows: pd.DataFrame) -> dict[str, float]:
        relaxed = relax_table(rows, target, settings)
        valid = relaxed[relaxed["status"] == "valid"]
        nets = set(valid["net_key"])
        decodable = int((relaxed["status"] != "undecodable").sum())
        numbers = {"decodable": decodable, "valid": len(valid), "distinct": len(nets), "new": len(nets - set(known))}
        return {name: number / len(rows) for name, number in numbers.items()}

    return evaluate


def nets_of_sources(table: pd.DataFrame, target: Target) -> set[str]:
    """Return net keys of an augmented table's crystals, from one row of each `label`; none without labels."""
    from legocryst.crystal.io.table import decode
    from legocryst.topology.nets import nets

    if "label" not in table.columns:
        return set()
    decoded = decode(table.drop_duplicates("label"), element=target.atomic_number, max_atoms=10**6)
    return {net.key for net in nets(decoded.crystals, cutoff=target.bond_window[1])}


def _work(attempt: Attempt, _: int) -> None:
    from legocryst.generators.quality import ROWS as QUALITY_ROWS
    from legocryst.generators.quality import quality

    job, settings, context = attempt.job, attempt.settings, attempt.context(STAGE.name)
    learnt = augment.STAGE if augment.STAGE.name in job.stages else curate.STAGE
    table, training = learnt.read(job.folder), curate.STAGE.read(job.folder)
    if learnt is augment.STAGE:
        table = table.assign(energy=training["energy"].to_numpy()[table["label"]])
    judge = share_valid(attempt.target, known=drawn.known_nets(job))

    def evaluate(rows: pd.DataFrame) -> dict[str, float]:
        attempt.note(judging=len(rows))
        return judge(rows)

    model = train(
        table,
        attempt.target,
        settings.train,
        context.with_progress(lambda numbers: attempt.note(**numbers)),
        features=settings.features,
        folder=job.folder / "model",
        featurizer=_featurizer(attempt, table),
        evaluate=evaluate,
    )
    attempt.check()
    if settings.train.quality and learnt is augment.STAGE:
        rows = model.sample(QUALITY_ROWS, seed=attempt.context("sample").seed)
        write_json(job.folder / QUALITY, quality(table, rows, rows=QUALITY_ROWS))
    write_parquet(_curves(job), STAGE.path(job.folder))


def _featurizer(attempt: Attempt, table: pd.DataFrame) -> Featurizer | None:
    """Return the features of the stage before; a resumed job makes them again, the same from the same seed."""
    name = featurize.STAGE.name
    if name in attempt.job.stages and "featurizer" not in attempt.memory:
        silent = RunContext(seed=attempt.context(name).seed)
        attempt.memory["featurizer"], _ = featurize.featurize(table, attempt.settings.features, silent)
    result: Featurizer | None = attempt.memory.get("featurizer")
    return result


def _curves(job: JobFiles) -> pd.DataFrame:
    """List what training reported, as epoch, quantity, value; of an epoch done twice after a kill the later report."""
    lines = [line for line in job.progress() if line["stage"] == STAGE.name and "epoch" in line]
    left_out = ("time", "attempt", "stage", "cpu_seconds", "epoch", "epochs", "seconds_left")
    rows = {(line["epoch"], name): value for line in lines for name, value in line.items() if name not in left_out}
    names = {"epoch": "int64", "quantity": "object", "value": "float64"}
    return pd.DataFrame([(*key, value) for key, value in sorted(rows.items())], columns=list(names)).astype(names)


def _needs(settings: RunSettings, stages: Collection[str]) -> dict[str, str]:
    return {"gan": "no quality report"} if "augment" in stages and settings.train.quality else {}


def _size(amount: Amount) -> float:
    """Return rows times epochs, by what a row costs; small steps cost more."""
    settings = amount.settings.train
    return amount.rows * amount.epochs * settings.spec.cost * (1 + A_STEP / settings.batch)


def _least(amount: Amount) -> float:
    """Return share of the epochs after which a training may stop: its checks, when none is better than the first."""
    settings, rows = amount.settings.train, int(amount.rows)
    if settings.spec.settles:
        return 1.0
    return min(1.0, settings.pause(rows) * (settings.patience + 1) / settings.passes(rows))


def learning_kind(settings: RunSettings) -> str:
    """Return networks are alike in what their cost makes of them; what learns limits only is not."""
    return "network" if settings.train.spec.learns else settings.train.model


def _methods(paper: Paper) -> None:
    settings, spec = paper.settings.train, paper.settings.train.spec
    if paper.job.substitute:
        paper.say("The training set had too few crystals to learn from.")
    if spec.methods:
        paper.say(spec.methods.replace("{works}", paper.works(*spec.cites)))
        return
    curve = STAGE.read(paper.job.folder)
    checked = curve.loc[curve["quantity"] == "new", "epoch"]
    if checked.empty:
        paper.say(f"The rows were learnt by {spec.title}{paper.works(*spec.cites)}.")
        return
    pause = int(checked.min())  # to the first check, and between all
    when = "after each epoch" if pause == 1 else f"every {pause} epochs"
    kept = "last weights" if spec.settles else "weights with the largest share of new crystals"
    works = paper.works(*spec.cites)
    optimiser = all_of([f"{name} {paper.cite(name.lower())}" for name in spec.optimisers])
    paper.say(
        f"The rows were learnt by {spec.title}{works} in {several(int(curve['epoch'].max()), 'epoch')}, with "
        f"{optimiser} at a learning rate of {settings.rate:g} in batches of {settings.batch}; {when} fresh samples "
        f"were relaxed and judged, and the {kept} were kept."
    )


STAGE = Stage(
    name="train",
    number=3,
    title="Train the model",
    work=_work,
    files=("shards/training.parquet", f"model/{MODEL}"),
    tables=(Table(name="training", columns=("job", "epoch", "quantity", "value")),),
    settings="train",
    needs=_needs,
    size=_size,
    least=_least,
    kind=learning_kind,
    methods=_methods,
)
