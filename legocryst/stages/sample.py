"""Stage: rows are drawn from a fitted generator."""

import pandas as pd

from legocryst.generators.base import Generator
from legocryst.generators.conditions import Conditions
from legocryst.infra.files import write_parquet
from legocryst.infra.phrases import all_of, several
from legocryst.infra.run_context import RunContext
from legocryst.settings import SampleSettings
from legocryst.stages import drawn, train
from legocryst.stages.base import Attempt, Paper, Stage
from legocryst.vocabulary.quantities import CRYSTAL_COLUMNS

DECODED = {
    "snap": "each site was moved to the nearest point of its Wyckoff position",
    "strict": "rows with a site farther than 0.1 Å from its Wyckoff position were refused",
    "drop": "sites that did not fit their Wyckoff position were left out, as the reference programs do",
}


def sample(generator: Generator, settings: SampleSettings, context: RunContext) -> pd.DataFrame:
    """Return `settings.samples` rows with METHOD's columns; the same seed gives the same rows.

    Raises ValueError where the settings ask for what the generator cannot be asked for, or no row can be.
    """
    conditions = Conditions.of(settings)
    return generator.sample(
        settings.samples, seed=context.seed, temperature=settings.temperature, conditions=conditions
    )


def refined(generator: Generator, relaxed: pd.DataFrame, settings: SampleSettings, context: RunContext) -> pd.DataFrame:
    """Return rows drawn again near those of a relaxed table that are valid by no criterion, one for each.

    Raises ValueError for a generator that cannot do that, and for a table that was not relaxed.
    """
    if missing := [name for name in ("status", "published", *CRYSTAL_COLUMNS) if name not in relaxed]:
        raise ValueError(f"the table has no column {missing[0]}; give one that relax made")
    invalid = (relaxed["status"] == "invalid") & ~relaxed["published"].astype(bool)
    rows = relaxed.loc[invalid, list(CRYSTAL_COLUMNS)].reset_index(drop=True)
    return generator.refine(rows, seed=context.seed, temperature=settings.temperature, step=settings.refine_step)


def _work(attempt: Attempt, turn: int) -> None:
    """Draw a lot: fresh rows, or, after those of a round, rows near the ones that stayed invalid."""
    from legocryst.generators.base import load

    job, settings, context = attempt.job, attempt.settings.sample, attempt.context(STAGE.name, turn)
    model = load(train.STAGE.path(job.folder, file=1))
    if turn % drawn.first_batch(job, 1) == 0:
        table = sample(model, settings, context)
    else:
        table = refined(model, drawn.relaxed_rows(job, drawn.batches(job)[turn - 1]), settings, context)
    write_parquet(table, STAGE.path(job.folder, turn))


def _methods(paper: Paper) -> None:
    settings, spec = paper.settings.sample, paper.settings.train.spec
    requested = f", asked for {all_of(settings.conditions)}" if settings.conditions else ""
    if spec.guided and settings.lowest_energies < 1:
        requested += f" with a guidance of {settings.guidance:g} {paper.cite('guidance')}"
    heat = f" at the temperature {settings.temperature:g}" if spec.tempered else ""
    rows = several(paper.summary.get("sampled", settings.samples), "row")
    paper.say(f"{rows} were drawn{heat}{requested}; {DECODED[settings.decode]}.")


STAGE = Stage(
    name="sample",
    number=4,
    title="Draw samples",
    work=_work,
    when="batch",
    files=(drawn.SAMPLES,),
    settings="sample",
    size=lambda amount: amount.samples,
    kind=train.learning_kind,
    methods=_methods,
)
