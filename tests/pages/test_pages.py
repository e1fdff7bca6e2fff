"""Every page under AppTest: an empty workspace, one with a finished run, one with jobs that failed or run."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from legocryst import ROOT
from legocryst.crystal.io.structures import to_cif
from legocryst.crystal.io.table import OUTSIDE_GROUPS, encode
from legocryst.database.filters import Filters
from legocryst.database.store import Store
from legocryst.environment.target_library import target
from legocryst.infra.files import write_json, write_parquet
from legocryst.jobs.create import create
from legocryst.jobs.lease import claim
from legocryst.jobs.record import jobs
from legocryst.jobs.worker import work
from legocryst.stages.curate import shipped
from legocryst.ui.shell.shell import PAGES, _writer
from legocryst.ui.widgets.scene import Scene
from legocryst.ui.widgets.viewer import Look
from legocryst.vocabulary.quantities import CRYSTAL_COLUMNS
from tests.test_project import HEAVY
from tests.workspaces import HOLD, TRAINING_CRYSTALS, few_training_crystals, tiny, tiny_job

TRAINED: dict[str, dict[str, object]] = {
    "augment": {"rows_per_crystal": 12},
    "features": {"fit_rows": 100, "components": 2},
    "train": {"model": "vae", "epochs": 2, "check_every": 1, "check_samples": 5, "hidden": 16, "latent": 4},
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a small run and a curated training set of the user's."""
    folder = tmp_path_factory.mktemp("demo")
    work(create(folder / "w", "run", tiny(**TRAINED), training=[few_training_crystals(folder)], threads=1))
    work(tiny_job(folder, command="curate"))
    with Store.open(folder / "w") as store:
        store.ingest()
    return folder / "w"


@pytest.fixture(autouse=True)
def _close_database() -> Iterator[None]:
    opened.folders.clear()
    yield
    for folder in opened.folders:
        _writer(str(folder)).stop()
    _writer.clear()


class Opener:
    """Opens pages, and remembers whose databases are then open."""

    def __init__(self) -> None:
        self.folders: set[Path] = set()

    def __call__(
        self,
        page: str,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        *,
        busy: bool = False,
        query: Mapping[str, str | list[str]] | None = None,
        **state: object,
    ) -> AppTest:
        folder = folder.resolve()
        monkeypatch.setenv("LEGOCRYST_WORKSPACE", str(folder))
        monkeypatch.setattr("legocryst.ui.shell.shell.link", lambda *_, **__: None)  # AppTest has one page only
        if not busy:
            self.folders.add(folder)
        test = AppTest.from_file(str(ROOT / "pages" / PAGES[page].file), default_timeout=60)
        for name, value in {"routed": True, **state}.items():
            test.session_state[name] = value
        for name, value in (query or {}).items():
            test.query_params[name] = value
        return test.run()


opened = Opener()


NEEDY = ("augment", "features", "train", "generate", "database", "structure", "jobs")
"""Pages that have nothing to show in an empty workspace, and say so."""


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a job that failed, one that was stopped, one whose process is gone, and one that runs."""
    folder = tmp_path_factory.mktemp("troubled")
    failed, stopped, lost, running = (tiny_job(folder) for _ in range(4))
    write_json(failed.folder / "state.json", {"state": "failed", "reason": "the table has no rows", "summary": {}})
    (failed.folder / "log.txt").write_text("Traceback: the table has no rows\n")
    write_json(stopped.folder / "state.json", {"state": "stopped", "reason": "The job was stopped.", "summary": {}})
    write_json(lost.folder / "lease.json", asdict(replace(claim(lost.folder), start=-1)))
    claim(running.folder)
    for job in (failed, running):
        job.report(attempt=1, stage="curate", cpu_seconds=1.0)
        job.report(attempt=1, stage="curate", cpu_seconds=2.0, done=3, total=12)
    assert [job.state for job in (failed, stopped, lost, running)] == ["failed", "stopped", "lost", "running"]
    return folder / "w"


def test_every_page_has_its_file() -> None:
    assert {page.file for page in PAGES.values()} == {path.name for path in (ROOT / "pages").glob("*.py")}


@pytest.mark.parametrize("kind", ["empty", "demo", "troubled"])
@pytest.mark.parametrize("page", PAGES)
def test_page_draws(
    page: str, kind: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path if kind == "empty" else request.getfixturevalue(kind)
    test = opened(page, folder, monkeypatch)
    assert not test.exception
    assert [error.value for error in test.error if "failed" not in error.value.lower()] == []
    assert test.title[0].value == ("LEGO-Cryst" if page == "home" else PAGES[page].title)
    if kind != "troubled":
        assert len([info for info in test.info if "yet" in info.value]) == (kind == "empty" and page in NEEDY)


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("failed", "Failed. The table has no rows."),
        ("stopped", "Stopped. The job was stopped."),
        ("lost", "Lost. The process of this job ended on"),
        ("running", ""),
    ],
)
def test_jobs_page_tells_how_a_job_stands(
    state: str, told: str, troubled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = next(job for job in jobs(troubled) if job.state == state)
    test = opened("jobs", troubled, monkeypatch, chosen={"shown_job": job.id})
    assert not test.exception
    shown = [element.value for element in (*test.error, *test.warning)]
    assert [text for text in shown if text.startswith(told)] == shown and bool(shown) == bool(told)
    labels = [button.label for button in test.button]
    assert ("Stop" in labels) == (state == "running") and ("Resume" in labels) == (state != "running")


def test_augment_page_follows_a_crystal(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store.open(demo) as store:
        rows = store.query("SELECT * FROM augmented WHERE label = 3")
    test = opened("augment", demo, monkeypatch)
    assert any("Every row is proved to be its crystal" in text.value for text in test.markdown)
    test.session_state["augment.tabs"] = "Follow one crystal"
    test.run()
    test.selectbox(key="followed").set_value(3).run()
    assert not test.exception
    listed = test.dataframe[0].value
    assert listed["rows"].sum() == len(rows) == 12
    assert listed["Kind"][0] == "itself" and set(listed["Kind"]) <= {"itself", "t", "k", "t + k"}
    assert listed["basis"][0] == "a,b,c" and set(listed["basis"]) == set(rows["basis"])
    sites = [sum(map(int, re.findall(r"(\d+) × ", text))) for text in listed["Wyckoff sites"]]
    assert sites[0] == (rows.filter(regex="^wp").iloc[0] >= 0).sum() and max(sites) <= 8
    titles = [text.value for text in test.markdown]
    assert any(text.startswith("**As known: ") for text in titles)
    assert any(text.startswith("**As written: ") for text in titles)


def crystal_of(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, *, part: str = "", compare: str = ""
) -> AppTest:
    """The Structure page of a crystal and, where one is named, another tab than the first open."""
    test = opened("structure", folder, monkeypatch)
    for key, value in {"part": part, "compare": compare}.items():
        if value:
            test.session_state[key] = value
    test.query_params["id"] = name
    return test.run()


def tables_of(test: AppTest) -> str:
    """All that is written on a page as text."""
    return "\n".join(text.value for text in (*test.markdown, *test.caption, *test.warning, *test.info))


def pairs_of(test: AppTest) -> dict[str, str]:
    """The first two columns of the tables that are written as text."""
    return dict(re.findall(r"^\| ([^|]+) \| ([^|]+) \|", tables_of(test), re.MULTILINE))


def test_structure_page_shows_the_row(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store.open(demo) as store:
        row = store.query("SELECT * FROM candidates WHERE status = 'valid' ORDER BY loss").iloc[0]
    test = crystal_of(demo, monkeypatch, row["id"])
    assert not test.exception and not test.warning
    assert f"(No. {row['space_group']})" in test.header[0].value
    assert any(f"/structure?id={row['id']}" in text.value for text in test.markdown)
    sites = re.findall(r"^\| \d+ \| C \| (\d+)\w \|", tables_of(test), re.MULTILINE)
    assert len(sites) == row["sites"] and sum(map(int, sites)) == row["atoms"]
    assert [tab.label for tab in test.tabs][:3] == ["Cell and sites", "Net and novelty", "Similar crystals"]
    assert not test.get("plotly_chart") and not test.dataframe  # what is not open is not computed
    test = crystal_of(demo, monkeypatch, row["id"], part="Distances and angles")
    assert not test.exception and len(test.get("plotly_chart")) == 2


def test_structure_page_draws_as_asked(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[Scene, Look]] = []
    monkeypatch.setattr("legocryst.ui.structure.drawing.view", lambda scene, *, look, **_: sent.append((scene, look)))
    with Store.open(demo) as store:
        row = store.query("SELECT * FROM candidates WHERE status = 'valid' ORDER BY atoms, id").iloc[0]
    test = crystal_of(demo, monkeypatch, row["id"])
    scene, look = sent[-1]
    assert look.marks is not None and look.marks.title == "Element" and not look.labels and look.cell
    test.selectbox(key="marked").set_value("Ring size")
    test.number_input(key="cells_c").set_value(2)
    test.checkbox(key="labels").set_value(True)
    test.checkbox(key="cell").set_value(False)
    test.run()
    larger, look = sent[-1]
    assert not test.exception and look.marks is not None and look.marks.title == "Ring size"
    assert look.labels and not look.cell and len(larger.edges) == 20 > len(scene.edges)
    test.slider(key=f"cutoff_{row['target']}").set_value(0.5).run()
    assert not len(sent[-1][0].bonds) and len(larger.bonds)
    test.number_input(key="cells_a").set_value(9)
    test.number_input(key="cells_b").set_value(9)
    test.number_input(key="cells_c").set_value(9)
    test.run()
    assert not test.exception and "choose a smaller supercell" in test.warning[0].value


def test_structure_page_tells_the_history(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Values of the job's own files: model, seed, losses, and the row that the model wrote."""
    with Store.open(demo) as store:
        row = store.query("SELECT * FROM candidates WHERE status = 'valid' AND loss_before > 0 ORDER BY id").iloc[0]
    job = next(job for job in jobs(demo) if job.id == row["job"])
    test = crystal_of(demo, monkeypatch, row["id"], part="History")
    assert not test.exception
    values = pairs_of(test)
    assert values["Model"] == job.record["settings"]["train"]["model"] == "vae"
    assert values["Seed"] == str(job.record["settings"]["seed"]) and values["Row"] == str(row["row"])
    assert float(values["Loss as sampled"]) == pytest.approx(row["loss_before"], rel=1e-3)
    assert float(values["Loss"]) == pytest.approx(row["loss"], rel=1e-3)
    written = next(frame.value for frame in test.dataframe if "spg" in frame.value)
    sampled = pd.read_parquet(job.folder / "samples.parquet").iloc[row["row"]]
    assert (written.iloc[0] == sampled[written.columns]).all()
    assert len(written.filter(regex="^wp").columns) == (sampled.filter(regex="^wp") >= 0).sum()
    assert [json.loads(shown.value) for shown in test.code[-2:]] == [
        job.record["settings"],
        job.record["versions"] | {"legocryst": job.record["version"]},
    ]


def test_structure_page_tells_why_a_row_was_rejected(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store.open(demo) as store:
        row = store.query(
            "SELECT * FROM candidates WHERE reason IN ('too few bonds', 'too many bonds') ORDER BY atoms, id"
        ).iloc[0]
    test = crystal_of(demo, monkeypatch, row["id"])
    assert not test.exception and not test.error
    assert test.warning[0].value.startswith(f"**Not valid: {row['reason']}.** An atom has")
    assert "larger *Restarts*" in tables_of(test)
    assert test.selectbox(key="marked_rejected").value == "Coordination"  # which shows what is wrong
    assert [tab.label for tab in test.tabs] == ["Cell and sites", "Distances and angles", "History"]
    test.segmented_control(key="geometry").set_value("As drawn by the model").run()
    assert not test.exception and not test.error


def test_structure_page_shows_rows_that_are_no_crystal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that would have too many atoms is drawn as it was sampled; of one that is no crystal the numbers are told."""
    job = tiny_job(tmp_path)
    diamond = encode(target("sp3-carbon").reference.crystals())
    write_parquet(pd.concat([diamond, diamond.assign(spg=999)]), job.folder / "samples.parquet")
    lost = pd.DataFrame({"row": [0, 1], "status": "undecodable", "reason": ["too many atoms", OUTSIDE_GROUPS]})
    write_parquet(lost.assign(published=False), job.shards / "crystals-00000.parquet")
    with Store.open(tmp_path / "w") as store:
        store.ingest()
    test = crystal_of(tmp_path / "w", monkeypatch, f"{job.id}-0")
    assert not test.exception and "a = 3.5670" in tables_of(test) and "Drawn as the model wrote it" in tables_of(test)
    assert "larger *Most atoms*" in tables_of(test)
    test = crystal_of(tmp_path / "w", monkeypatch, f"{job.id}-1")
    assert not test.exception and "give no crystal" in test.info[0].value
    assert "numbers that describe no crystal" in test.warning[0].value
    assert [tab.label for tab in test.tabs] == ["History"] and test.dataframe[0].value["spg"].iloc[0] == 999
    test = crystal_of(tmp_path / "w", monkeypatch, "nobody")
    assert not test.exception and test.error[0].value.startswith("There is no crystal 'nobody'")


def test_structure_page_shows_the_relaxed_crystal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Diamond that a job is said to have made, relaxed to a larger cell, with all that is told of that."""
    job, diamond = tiny_job(tmp_path), target("sp3-carbon").reference.crystals()
    row = {"row": 0, "status": "valid", "reason": "", "net_key": "n", "net_name": "dia", "kind": "framework"}
    shape = {"symbol": "Fd-3m", "space_group": 227, "sites": 1, "atoms": 8, "loss": 1.0, "published": False}
    described = pd.concat([encode(diamond), pd.DataFrame([row | shape])], axis=1)
    write_parquet(described, job.shards / "crystals-00000.parquet")
    write_parquet(pd.DataFrame([{"spg": 1, "net_key": "k"}]), job.shards / "seeds.parquet")
    larger = replace(diamond, cell=diamond.cell * [1.1, 1.1, 1.1, 1, 1, 1])
    energies = {"energy": 0.12, "screen_energy": 0.2, "energy_model": "7net-0", "relax_steps": 9, "net_kept": True}
    energies |= {"relaxed_energy": 0.12, "relaxed_density": 2.64}
    texts = {"energy_reason": "", "relax_reason": "", "rattle_reason": "another net", "rattle_kept": False}
    ranked = pd.DataFrame([{"row": 0, **energies, **texts, "relaxed_cif": to_cif(larger)}])
    write_parquet(ranked, job.shards / "ranked.parquet")
    with Store.open(tmp_path / "w") as store:
        store.ingest()
    test = crystal_of(tmp_path / "w", monkeypatch, f"{job.id}-0", part="Energy")
    assert not test.exception
    values = pairs_of(test)
    assert values["Relaxation steps"] == "9" and values["Net kept"] == "yes" and values["Came back"] == "no"
    assert values["Energy as it stands"] == "0.2 eV/atom" and "Displacement" not in values
    assert any("another net" in text.value for text in test.caption)
    test = crystal_of(tmp_path / "w", monkeypatch, f"{job.id}-0", part="Cell and sites")
    assert any("a = 3.5670" in text.value for text in test.markdown)
    values = pairs_of(test)
    assert (
        values["Energy as it stands"] == "0.2 eV/atom"
        and values["Loss"] == "1"
        and "Energy above reference" not in values
    )
    test.segmented_control(key="geometry").set_value("Relaxed with 7net-0").run()
    assert not test.exception and any("a = 3.9237" in text.value for text in test.markdown)
    values = pairs_of(test)  # of this geometry alone
    assert (values["Energy above reference"], values["Density"]) == (
        "0.12 eV/atom",
        "2.64 g/cm3",
    ) and "Loss" not in values


def test_structure_page_tells_net_neighbours_and_pattern(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store.open(demo) as store:
        rows = store.query("SELECT * FROM candidates WHERE status <> 'undecodable' ORDER BY status DESC, id")
    row, other = rows.iloc[0], rows.iloc[-1]
    assert row["status"] == "valid"
    near = set(rows.loc[rows["status"] == "valid", "id"]) - {row["id"]}
    test = crystal_of(demo, monkeypatch, row["id"], part="Net and novelty")
    assert not test.exception and not test.warning
    assert test.header[1].value == f"Why it counts as {row['class']}"
    shown = next(text.value for text in test.markdown if f"Key `{row['net_key']}`" in text.value)
    assert f"{row['kind']}, {row['periodicity']}-periodic" in shown and row["novelty"] in shown
    arranged = f"arranged most like its own is **{row['nearest']}** of the {row['nearest_set']}"
    assert any(arranged in text.value and f"**{row['class']}**" in text.value for text in test.markdown)
    monkeypatch.setattr(
        "legocryst.ui.structure.net_section.MOST", 1000
    )  # known crystals may be nearer than those of the database
    test = crystal_of(demo, monkeypatch, row["id"], part="Similar crystals")
    nearest = f"Nearest known crystal: **{row['nearest']}** of the {row['nearest_set']}"
    assert any(text.value.startswith(nearest) for text in test.markdown)
    listed = next(frame.value for frame in test.dataframe if "Same net" in frame.value)
    known = listed[(listed["Net"] == row["nearest"]) & (listed["Of"] == row["nearest_set"])]
    assert known["Distance (Å)"].iloc[0] == pytest.approx(row["nearest_distance"], abs=1e-4)
    opened_by = {str(address).removeprefix("/structure?id=") for address in listed["Open"] if address}
    assert opened_by == near
    test = crystal_of(demo, monkeypatch, row["id"], part="Powder pattern")
    peaks = next(frame.value for frame in test.dataframe if "h k l" in frame.value)
    assert peaks["Intensity (%)"].max() == pytest.approx(100) and peaks["Crystal"].nunique() == 1
    test.selectbox(key="compare").set_value(row["nearest"]).run()
    peaks = next(frame.value for frame in test.dataframe if "h k l" in frame.value)
    assert row["nearest"] in set(peaks["Crystal"]) and any("likeness" in text.value for text in test.caption)
    for name, wrong in ((other["id"], False), ("nobody", True)):
        test = crystal_of(demo, monkeypatch, row["id"], part="Powder pattern", compare=name)
        assert not test.exception and bool(test.warning) == wrong
        peaks = next(frame.value for frame in test.dataframe if "h k l" in frame.value)
        assert (name in set(peaks["Crystal"])) != wrong
    assert test.warning[0].value.startswith("There is no crystal 'nobody'")


def test_database_page_filters_in_sql(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store.open(demo) as store:
        small = store.query("SELECT count(*) AS n FROM candidates WHERE atoms <= 12")["n"].iloc[0]
    test = opened("database", demo, monkeypatch)
    test.multiselect(key="class").set_value([]).run()
    test.number_input(key="atoms_to").set_value(12).run()
    assert any(f"**{small}** of 50 sampled rows pass" in text.value for text in test.markdown)
    frame = test.dataframe[0].value
    assert len(frame) == min(small, 50) and frame["atoms"].max() <= 12


def test_database_page_takes_any_filter_from_the_address(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also without the list of filters, as a colleague may type it."""
    with Store.open(demo) as store:
        rows = store.page(Filters(between={"written_group": (2, 150), "loss": (None, 5.0)}))
    query: dict[str, str | list[str]] = {"class": "", "written_group_from": "2", "written_group_to": "150"}
    test = opened("database", demo, monkeypatch, query={**query, "loss_to": "5"})
    assert not test.exception and {"written_group", "loss"} < set(test.multiselect(key="filters").value)
    assert any(f"**{len(rows)}** of 50 sampled rows pass" in text.value for text in test.markdown)
    shown = next(frame.value for frame in test.dataframe if "symbol" in frame.value)
    assert sorted(shown["id"]) == sorted("/structure?id=" + rows["id"])
    command = next(code.value for code in test.code if "export" in code.value)
    text = command.split("'")[1]
    assert set(text.split("&")) == {"written_group_from=2", "written_group_to=150", "loss_to=5"}
    test.button[0].click().run()
    assert test.number_input(key="loss_to").value is None


@pytest.mark.parametrize("tab", ["Figure", "Gallery", "Compare", "Failures", "SQL"])
def test_database_tabs(tab: str, demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store.open(demo) as store:
        rows = store.page(order="row", limit=50)
    pair = ",".join(rows["id"].iloc[:2])
    test = opened("database", demo, monkeypatch, query={"tab": tab, "class": "", "compare": pair})
    assert not test.exception and not test.error
    frames = [frame.value for frame in test.dataframe]
    if tab == "Figure":
        assert len(frames[0]) == 50
    elif tab == "Compare":
        assert list(frames[0].columns[2:]) == pair.split(",")
    elif tab == "Failures":
        rejected = rows[rows["reason"] != ""]
        assert any(f"**{len(rejected)}** sampled rows were rejected" in text.value for text in test.markdown)
        reason = rejected["reason"].value_counts().idxmax()
        test.selectbox(key="why").set_value(reason).run()
        assert not test.exception and set(test.dataframe[0].value["reason"]) == {reason}
        assert len(test.dataframe[0].value) == (rejected["reason"] == reason).sum()
    elif tab == "SQL":
        test.text_area(key="sql").set_value("SELECT count(*) AS n FROM crystals")
        test.button[-1].click().run()
        assert not test.exception and test.dataframe[0].value["n"].tolist() == [50]
        test.text_area(key="sql").set_value("DROP TABLE crystals")
        test.button[-1].click().run()
        assert test.error[0].value.startswith("This box takes one SELECT")


OWN = "Filters and own crystals"


def test_own_crystals_are_judged_before_anything_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    test = opened("data", tmp_path / "w", monkeypatch, view=OWN)
    for name, content, sentence in (
        ("a.cif", b"", "a.cif is empty: give a file with at least one crystal."),
        ("a.cif", b"no crystal", "a.cif cannot be read as a CIF"),
        ("a.csv", b"spg,a\n194,2.4\n", "a.csv"),
        ("a.zip", b"PK", "a.zip cannot be read as a zip archive"),
    ):
        test.file_uploader[0].set_value((name, content, "text/plain")).run()
        assert not test.exception
        assert len(test.error) == 1 and test.error[0].value.startswith(sentence)
        assert "Use as training set" not in [button.label for button in test.button]
    table = few_training_crystals(tmp_path / "s").read_bytes()
    test.file_uploader[0].set_value([("few.csv", table, "text/csv"), ("b.cif", b"", "text/plain")]).run()
    assert not test.error and jobs(tmp_path / "w") == []
    verdicts = next(frame.value for frame in test.dataframe if "reason" in frame.value)
    assert len(verdicts) == TRAINING_CRYSTALS + 1 and verdicts["kept"].sum() == TRAINING_CRYSTALS
    assert [metric.value for metric in test.metric] == [
        str(TRAINING_CRYSTALS + 1),
        str(TRAINING_CRYSTALS),
        str(TRAINING_CRYSTALS),
    ]
    assert "Use as training set" in [button.label for button in test.button]


def test_surfaces_are_refused_for_a_target_with_four_bonds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    test = opened("generate", tmp_path / "w", monkeypatch)
    test.selectbox(key="train.model").set_value("surfaces").run()
    test.selectbox(key="curate.target").set_value("sp3-carbon").run()
    next(button for button in test.button if button.label == "Generate").click().run()
    assert [error.value[:52] for error in test.error] == ["The model surfaces makes atoms of 3 bonds, and those"]
    assert jobs(tmp_path / "w") == []


def test_filters_tell_at_once_what_they_leave_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = shipped("sp2-carbon")
    test = opened("data", tmp_path, monkeypatch, view=OWN)
    assert [metric.value for metric in test.metric] == [str(len(known))] * 3
    test.number_input(key="curate.max_energy").set_value(0.5).run()
    test.multiselect(key="curate.periodicities").set_value([3]).run()
    kept = (~(known["energy"] > 0.5) & (known["periodicity"] == 3)).sum()  # unknown energies pass
    assert test.metric[2].value == str(kept)
    verdicts = next(frame.value for frame in test.dataframe if "reason" in frame.value)
    assert set(verdicts["reason"]) == {"energy above 0.5 eV/atom", "periodicity not 3", ""}
    test.number_input(key="curate.max_strain").set_value(0.0).run()
    assert [error.value for error in test.error] == ["Nothing is left: loosen the filters."]
    test.text_input(key="curate.space_groups").set_value("231").run()
    assert test.error[0].value == "Space groups: there are no space groups 231: they run from 1 to 230."


def test_training_set_with_a_reference_is_made_and_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = pd.read_csv(few_training_crystals(tmp_path / "s"))
    halves = [part.to_csv(index=False).encode() for part in (table.head(5), table.tail(4))]
    monkeypatch.setattr("legocryst.ui.shell.shell.launch", work)  # in this process
    test = opened("data", tmp_path / "w", monkeypatch, view=OWN)
    for k, (name, content) in enumerate(zip(("own.csv", "other.csv"), halves, strict=True)):
        test.file_uploader[k].set_value([(name, content, "text/csv"), ("bad.cif", b"", "text/plain")]).run()
    next(button for button in test.button if button.label == "Use as training set").click().run()
    (job,) = jobs(tmp_path / "w")
    assert job.state == "finished" and job.summary["seeds"] == 5 and job.summary["reference"] == 4
    assert not test.exception and not test.error
    frameworks = (pd.read_parquet(job.shards / "seeds.parquet")["periodicity"] == 3).sum()
    text = f"5 crystals, {frameworks} of them with a 3-periodic net. The nets of 4 more are known for novelty only."
    assert text in [markdown.value for markdown in test.markdown]
    test = opened("data", tmp_path / "w", monkeypatch, view="Table", chosen={"training_set": job.id})
    became = next(frame.value for frame in test.dataframe if "use" in frame.value)
    assert became.groupby("use")["kept"].agg(["sum", "size"]).to_numpy().tolist() == [[4, 5], [5, 6]]


@pytest.mark.parametrize("view", ["Gallery", "Distributions", "Environment"])
@pytest.mark.parametrize("own", [False, True], ids=["shipped", "own"])
def test_views_of_a_training_set(view: str, own: bool, demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = next(job for job in jobs(demo) if job.command == "curate")
    chosen = {"training_set": job.id} if own else {}
    test = opened(
        "data", demo, monkeypatch, view=view, chosen=chosen, picked={job.id: 3, "shipped for sp2-carbon": 170}
    )
    assert not test.exception and not test.error
    table = shipped("sp2-carbon")
    if own:
        table = table[table["atoms"] <= 24].reset_index(drop=True)  # `few_training_crystals`
    number = 3 if own else 170
    if view == "Distributions":
        assert len(test.get("plotly_chart")) == (7 if own else 8)  # the user's crystals have no energies
        return
    assert table["name"][number] in [heading.value for heading in test.header]
    if view == "Environment":
        assert test.number_input[0].value == number
        test.number_input[0].set_value(1).run()
        assert table["name"][1] in [heading.value for heading in test.header] and not test.exception


def test_what_a_row_becomes(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    test = opened("features", demo, monkeypatch, features_view="A row", feature_row=5)
    assert not test.exception and not test.error
    with Store.open(demo) as store:
        row = store.query("SELECT * FROM augmented ORDER BY rowid LIMIT 1 OFFSET 5").iloc[0]
    shown = next(frame.value for frame in test.dataframe if "back" in frame.value)
    assert len(shown) == 39 and shown["value"].tolist() == pytest.approx(row[list(CRYSTAL_COLUMNS)].tolist())
    assert shown["back"].tolist() == pytest.approx(shown["value"].tolist(), abs=1e-6)


def test_second_app_is_told_in_one_sentence(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(demo)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None and holder.stdout.readline()
    test = opened("home", demo, monkeypatch, busy=True)
    holder.communicate(b"\n")
    assert not test.exception
    assert len(test.error) == 1 and test.error[0].value.startswith("Another program has the workspace")


def test_job_whose_folder_is_gone_leaves_the_page(demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = tiny_job(tmp_path)
    test = opened("jobs", tmp_path / "w", monkeypatch)
    assert not test.exception
    job.delete()
    assert not test.run().exception


def test_first_page_loads_no_heavy_package(tmp_path: Path) -> None:
    code = f"""
import sys
from streamlit.testing.v1 import AppTest
import legocryst.ui.shell.shell as shell
shell.link = lambda *_, **__: None
test = AppTest.from_file({str(ROOT / "pages" / "home.py")!r}, default_timeout=60)
test.session_state["routed"] = True
test.run()
assert not test.exception, test.exception
found = {HEAVY!r} & set(sys.modules)
assert not found, found
"""
    environment = {"LEGOCRYST_WORKSPACE": str(tmp_path), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr


def test_settings_and_choices_survive_a_change_of_page(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Widgets of one name on two pages are two widgets, of which the second would begin at its first option."""
    monkeypatch.setenv("LEGOCRYST_WORKSPACE", str(demo.resolve()))
    opened.folders.add(demo.resolve())
    test = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()

    def go(page: str) -> None:
        test.switch_page(f"pages/{PAGES[page].file}").run()
        assert not test.exception

    go("train")
    first = test.selectbox(key="train.model").value
    go("generate")
    assert test.selectbox(key="train.model").value == first
    test.selectbox(key="train.model").set_value("gan").run()
    go("train")
    assert test.selectbox(key="train.model").value == "gan" != first
    own = next(job for job in jobs(demo) if job.command == "curate")
    go("data")
    test.selectbox(key="training_set").set_value(own.id).run()
    go("augment")
    assert test.selectbox(key="training_set").value == own.id
    go("generate")
    assert any("It learns from the training set of" in text.value for text in test.caption)
