"""The frame of every page: the page table, the guard for deep links, the database, and what surrounds a stage."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING

import streamlit as st

from legocryst import ROOT
from legocryst.database.schema import StoreError
from legocryst.database.store import Store, Writer
from legocryst.infra.workspace import default_workspace
from legocryst.jobs.create import create, launch
from legocryst.jobs.record import Job, cores, jobs
from legocryst.settings import CurateSettings, RunSettings
from legocryst.stages.catalogue import RUN, STAGES
from legocryst.ui.shell import forms, words

if TYPE_CHECKING:
    from streamlit.navigation.page import StreamlitPage

    from legocryst.environment.target import Target
    from legocryst.stages.curate import Examined

_ROUTED = "routed"
_HERE = "here"
"""The page that is shown."""
STYLE = """<style>
[data-testid="stMetricValue"] { font-size: 1.6rem; }
[data-testid="stMain"] [data-testid="stPageLink"] a p { text-decoration: underline; }
[data-testid^="stBaseButton-primary"]:enabled, [data-testid^="stBaseButton-primary"]:enabled p,
[data-testid="stMultiSelect"] span[title], [data-testid="stMultiSelect"] span[title] + button {
  color: light-dark(#ffffff, #10151a);
}
</style>"""
"""Streamlit writes white on the primary colour, which is too pale for that where the page is dark."""
WARM_SECONDS = 2.0
"""After the first page was asked for, so that it does not come later."""
LEARNING = ("run", "train")
"""Commands whose jobs have a model."""
SPREAD = ("run", *(name for name in RUN if STAGES[name].spread))
"""Commands whose jobs spread work."""
CORES = "It runs in a process of its own, on one core less than this computer has."


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its file, and what stands above and below its own part."""

    title: str
    file: str
    about: str = ""
    takes: str = ""
    gives: str = ""
    following: str = ""


PAGES: dict[str, Page] = {
    "home": Page("Home", "home.py"),
    "target": Page(
        "Target",
        "target.py",
        "A target is the local environment that every atom of the new crystals shall have: how many bonds, how long "
        "they are, the angles between them, and how far away all other atoms stay. Pick an atom in a crystal, and its "
        "surroundings become a target, with limits that you can change. Saved under a name, it can be chosen wherever "
        "a run asks for its target.",
        "An atom of a crystal: of a target, of a shipped set or of your own file.",
        "A target, which the training set is judged by and every sampled crystal is relaxed to.",
        "data",
    ),
    "data": Page(
        "Data",
        "data.py",
        "The training set holds known crystals in which every atom has the wanted local environment. Each one is "
        "judged strictly, and of crystals with the same net only the first is kept. You can use the crystals that are "
        "shipped with a target or bring your own.",
        "Crystals as files or archives of them; nothing for a shipped set.",
        "A training set: one row a crystal, with space group, cell and Wyckoff sites.",
        "augment",
    ),
    "augment": Page(
        "Augment",
        "augment.py",
        "Each crystal of the training set is written again in subgroups of its space group, some with a larger cell, "
        "with other axes, other origins and other points of its orbits. The crystals stay what they are; only their "
        "descriptions grow in number. From them a model learns many ways to write the same environment.",
        "A training set.",
        "A table with many rows for each crystal, every row proved to be its source.",
        "features",
    ),
    "features": Page(
        "Features",
        "features.py",
        "Each column of the table becomes numbers that a network can learn. A column of categories, such as the space "
        "group, becomes one number for each category. A column of lengths, angles or coordinates is described by a "
        "mixture of Gaussians: which one, and where in it.",
        "An augmented table.",
        "A matrix of numbers, and the way back from it to the table.",
        "train",
    ),
    "train": Page(
        "Train",
        "train.py",
        "A generative model learns the table. While it trains, fresh samples are drawn, relaxed shortly and judged, "
        "so that you see what matters: how many become valid crystals, and new ones. Training ends when the share of "
        "new ones no longer grows, and the weights that gave most are kept. A Transformer learns to the end.",
        "An augmented table and its features.",
        "A model from which any number of rows can be drawn.",
        "generate",
    ),
    "generate": Page(
        "Generate",
        "generate.py",
        "Rows are drawn from a model and become crystals. Each is relaxed along its symmetry-free variables until "
        "every atom has the wanted environment, or is set aside with the reason. What is valid and was not there "
        "before is new; the most promising of these get an energy.",
        "A trained model, or a preset that does all stages.",
        "Crystals in the database, each with its verdict, net, density and, if new, its energy.",
        "database",
    ),
    "database": Page(
        "Database",
        "database.py",
        "Every row that a model drew stands here with what became of it. The filters decide what the tabs below show; "
        "at first these are the new crystals, lowest energy first.",
    ),
    "structure": Page("Structure", "structure.py"),
    "jobs": Page("Jobs", "jobs.py"),
    "glossary": Page("Glossary", "glossary.py"),
}
"""Every page by its address."""


def pages() -> "list[StreamlitPage]":
    """Return the pages for `st.navigation`; Home is the default one, which answers at the bare address only."""
    return [
        st.Page(ROOT / "pages" / page.file, title=page.title, url_path=name, default=name == "home")
        for name, page in PAGES.items()
    ]


def route() -> None:
    """Run the page that the address names; called by app.py alone."""
    _warmed()
    st.session_state[_ROUTED] = True
    st.navigation(pages()).run()


@st.cache_resource(show_spinner=False)
def _warmed() -> None:
    """Load, once in a server, what the first picture of a crystal needs a second for, while nobody waits for it."""

    def load() -> None:
        from legocryst.ui.widgets.scene import scene

        shipped = target(CurateSettings().target)
        scene(shipped.reference.crystals(), cutoff=shipped.bond_window[1])

    timer = Timer(WARM_SECONDS, load)
    timer.daemon = True
    timer.start()


def guard() -> None:
    """Go to app.py first where a deep link to a fresh server has Streamlit run the page without it."""
    if _ROUTED not in st.session_state:
        st.session_state[_ROUTED] = True
        st.navigation(pages(), position="hidden")
        st.rerun()


def link(name: str, label: str = "", *, query: dict[str, str] | None = None) -> None:
    """Show a link to another page."""
    st.page_link(str(ROOT / "pages" / PAGES[name].file), label=label or PAGES[name].title, query_params=query)


def begin(name: str) -> None:
    """Show the title of a page and, of a stage's, what it does and what comes in."""
    guard()
    if st.session_state.get(_HERE) != name:
        st.session_state[_HERE] = name
        forms.arrive()
        for key in st.session_state.get("chosen", {}):
            st.session_state.pop(key, None)  # see `forms.arrive`
    st.html(STYLE)
    page = PAGES[name]
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.title("LEGO-Cryst" if name == "home" else page.title, anchor=False, width="content")
        words.popover(name)
    if page.about:
        st.write(page.about)
    if page.takes:
        st.markdown(f"**What comes in:** {page.takes}")
    if writer_error():
        st.warning(f"The database cannot be kept up to date: {writer_error()}")


def end(name: str) -> None:
    """Show what a stage gives, and the link to the next."""
    page = PAGES[name]
    st.divider()
    left, right = st.columns([3, 1], vertical_alignment="center")
    left.markdown(f"**What goes out:** {page.gives}")
    with right:
        link(page.following, f"Next: {PAGES[page.following].title}")


def tabs(views: Mapping[str, Callable[[], None]], *, key: str) -> None:
    """Show tabs by their names, the open one in the address.

    Only that one is drawn: the others cost nothing, and a 3D view needs a place on the page.
    """
    for tab, draw in zip(st.tabs(list(views), key=key, bind="query-params"), views.values(), strict=True):
        if tab.open:
            with tab:
                draw()


def workspace() -> Path:
    """Return the folder that the app serves."""
    return default_workspace().resolve()


def target(name: str) -> "Target":
    """Return the target of a name, a shipped one or one of the workspace; raises ValueError where there is none."""
    from legocryst.environment.target_library import target

    return target(name, workspace())


def target_names() -> list[str]:
    """Return names of the shipped targets, then of the saved ones."""
    from legocryst.environment.target_library import target_names

    return target_names(workspace())


@st.cache_resource(show_spinner=False)
def _writer(folder: str) -> Writer:
    return Writer(Path(folder)).start()


def store() -> Store:
    """Return the database of the workspace; when it cannot be opened the page says why and ends."""
    try:
        return _writer(str(workspace())).store
    except StoreError as error:
        st.error(sentence(error))
        st.stop()


def writer_error() -> str:
    """Return what keeps the database from being up to date, "" if nothing."""
    store()
    return _writer(str(workspace())).error


def sentence(error: Exception | str) -> str:
    """Return a message as a sentence: capital first letter, unless it begins with the name of a file, and full stop."""
    text = str(error).strip()
    name = "." in text.split(" ")[0]
    return (text[:1] if name else text[:1].upper()) + text[1:] + ("" if text.endswith((".", "`")) else ".")


def record(content: object) -> None:
    """Show plain values as they stand in a record; st.json writes some of them in colours too pale to read."""
    st.code(json.dumps(content, indent=1, default=str), language=None, wrap_lines=True)


def start(
    command: str,
    settings: RunSettings,
    *,
    parent: Job | None = None,
    through: str = "train",
    training: Sequence[Path] = (),
    reference: Sequence[Path] = (),
    examined: "Mapping[str, Examined] | None" = None,
) -> Job | None:
    """Make a job and start it; None when that is refused, which the page then says."""
    try:
        _check_target(command, settings, parent, through)
        job = create(
            workspace(),
            command,
            settings,
            training=training,
            reference=reference,
            examined=examined,
            threads=max(1, cores() - 1),
            cluster=forms.cluster_text() if command in SPREAD else "",
            parent=parent,
            through=through,
        )
        launch(job)
    except ValueError as error:
        st.error(sentence(error))
        return None
    return job


def _check_target(command: str, settings: RunSettings, parent: Job | None, through: str) -> None:
    """Raise ValueError where a job would train a generator that is not for its target."""
    trained = parent is not None and through == "train"  # a model that is there already
    if settings.train.spec.coordination and command in LEARNING and not trained:
        target((parent.settings if parent else settings).curate.target).check_generator(settings.train.spec)


def catch_up(job: Job) -> None:
    """Take the job's newest shards into the database now, rather than within a second."""
    taken = store().query("SELECT count(*) AS n FROM shards WHERE job = ?", [job.id])["n"].iloc[0]
    if taken < len(list(job.shards.glob("*.parquet"))):
        try:
            store().ingest()
        except StoreError as error:
            st.error(sentence(error))


def has(job: Job, stage: str) -> bool:
    """Say whether a job has the results of a stage."""
    if stage == "relax":
        return any(job.shards.glob("crystals-*.parquet"))
    return STAGES[stage].is_done(job)


def what(command: str) -> str:
    """Return what a job of a command does, in words."""
    return {"run": "whole run", "curate": "training set"}.get(command, command)


def name_of(job: Job) -> str:
    """Return a job in words: what it does, when it was made, how it stands."""
    training, known = job.record["seeds"], job.record.get("reference", ())
    own = (
        [", ".join(training[:2]) + (f" and {len(training) - 2} more" if len(training) > 2 else "")] if training else []
    )
    own += [f"{len(known)} for novelty"] if known else []
    model = job.model if job.command in LEARNING else ""
    inside = ", ".join(filter(None, [job.record["settings"]["curate"]["target"], model, *own]))
    return f"{_moment(job)}, {what(job.command)}{f' ({inside})' if inside else ''}, {job.state}"


def training_of(job: Job) -> str:
    """Return a training in few words, as a figure has room for: its model, and when it was made."""
    return f"{job.record['settings']['train']['model']}, {_moment(job)}"


def _moment(job: Job) -> str:
    return f"{job.record['started'][:16].replace('T', ' ')} UTC"


def labels(listed: Iterable[Job], name: Callable[[Job], str] = name_of) -> dict[str, str]:
    """Return jobs in words by their names, no two alike: a choice knows its options by their words."""
    words = {job.id: name(job) for job in listed}
    often = Counter(words.values())
    return {job: f"{text} ({job[-4:]})" if often[text] > 1 else text for job, text in words.items()}


def choose_job(label: str, *, key: str, fits: Callable[[Job], bool], none: str = "") -> Job | None:
    """Show a choice among the jobs that fit, newest first; `none` names the choice of no job, which comes first."""
    choices = {job.id: job for job in jobs(workspace()) if fits(job)}
    options = ([""] if none else []) + list(choices)
    remembered = st.session_state.setdefault("chosen", {})
    if not options:
        return None
    if remembered.get(key) not in options:
        remembered[key] = options[0]
    if st.session_state.get(key) not in options:
        st.session_state[key] = remembered[key]
    words = labels(choices.values()) | {"": none}
    st.selectbox(label, options, key=key, format_func=words.__getitem__)
    remembered[key] = st.session_state[key]
    return choices.get(remembered[key])


def choose(key: str, job: Job) -> None:
    """Make a job the one that `choose_job` of that key shows."""
    st.session_state.setdefault("chosen", {})[key] = job.id
    st.session_state.pop(key, None)


def shipped_target() -> str:
    """Return the target whose shipped crystals are the training set where no other was chosen."""
    from legocryst.stages.curate import shipped_file

    name = forms.target()
    return name if shipped_file(name).exists() else CurateSettings().target


def training_set() -> Job | None:
    """Show a choice of training set, one for all pages: a job that curated crystals, or None, the shipped set."""
    return choose_job(
        "Training set",
        key="training_set",
        fits=lambda job: job.command == "curate",
        none=f"Shipped: known crystals of {shipped_target()}",
    )


def chosen_training_set() -> Job | None:
    """Return what was chosen on the page where `training_set` stands."""
    name = st.session_state.get("chosen", {}).get("training_set", "")
    return next((job for job in jobs(workspace()) if job.id == name), None)
