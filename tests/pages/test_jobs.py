"""The page Jobs: methods, comparison, repeating with changes, deleting."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from legocryst import ROOT
from legocryst.jobs.record import Job, jobs
from legocryst.settings import RunSettings, preset
from legocryst.ui.shell.shell import _writer
from tests.workspaces import finished

Open = Callable[..., AppTest]


@pytest.fixture
def two(tmp_path: Path) -> tuple[Job, Job]:
    """Two finished jobs; the second, of another seed, drew more rows."""
    values = preset("smoke").model_dump()
    values["sample"] |= {"samples": 200}
    first = finished(tmp_path, preset("smoke"))
    return first, finished(tmp_path, RunSettings.model_validate(values | {"seed": 5}))


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    monkeypatch.setenv("LEGOCRYST_WORKSPACE", str(tmp_path))
    monkeypatch.setattr("legocryst.ui.shell.shell.link", lambda *_, **__: None)  # AppTest has one page only

    def page(job: Job, view: str) -> AppTest:
        test = AppTest.from_file(str(ROOT / "pages" / "jobs.py"), default_timeout=60)
        test.session_state["routed"], test.session_state["job_view"] = True, view
        test.query_params["job"] = job.id
        test.run()
        assert not test.exception
        return test

    yield page
    _writer(str(tmp_path.resolve())).stop()
    _writer.clear()


def test_methods_are_shown(two: tuple[Job, Job], opened: Open) -> None:
    test = opened(two[1], "Methods")
    text = " ".join(element.value for element in test.markdown)
    assert "200 rows were drawn" in text and "LEGO-Cryst 0" in text and "AI-Assisted" in text


def test_jobs_are_compared(two: tuple[Job, Job], opened: Open) -> None:
    test = opened(two[0], "Compare")
    differ = next(frame.value for frame in test.dataframe if "Setting" in frame.value)
    assert differ["Setting"].tolist() == ["Seed", "Samples"] and differ["The other"].tolist() == ["5", "200"]
    counts = next(frame.value for frame in test.dataframe if "Count" in frame.value).set_index("Count")
    assert list(counts.loc["Sampled rows"]) == [100, 200, -100]
    assert len(test.get("plotly_chart")) == 1  # both have losses, none was checked


def test_a_job_is_repeated_with_changes(
    two: tuple[Job, Job], opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("legocryst.ui.shell.shell.launch", lambda job: None)
    test = opened(two[1], "Repeat with changes")
    press(test, "Take over its settings")
    assert test.number_input(key="sample.samples").value == 200 and test.number_input(key="run.seed").value == 5
    test.number_input(key="sample.samples").set_value(300).run()
    press(test, "Start again")
    made = jobs(tmp_path)[0]
    assert made.id not in {job.id for job in two} and made.command == "run"
    old = two[1].settings
    assert made.settings == old.model_copy(update={"sample": old.sample.model_copy(update={"samples": 300})})
    assert test.selectbox(key="shown_job").value == made.id


def test_a_job_is_deleted_only_when_sure(two: tuple[Job, Job], opened: Open, tmp_path: Path) -> None:
    test = opened(two[0], "Delete")
    assert next(button for button in test.button if button.label == "Delete").disabled
    test.checkbox(key=f"sure.{two[0].id}").check().run()
    press(test, "Delete")
    assert [job.id for job in jobs(tmp_path)] == [two[1].id]


def test_a_job_that_is_gone_is_told(two: tuple[Job, Job], opened: Open) -> None:
    gone = two[0].id
    two[0].delete()
    test = opened(Job(two[0].folder), "State")
    assert [warning.value for warning in test.warning] == [
        f"There is no job {gone} in this workspace: it was deleted, or the address is wrong."
    ]
    assert test.selectbox(key="shown_job").value == two[1].id


def press(test: AppTest, label: str) -> None:
    next(button for button in test.button if button.label == label).click().run()
    assert not test.exception and not test.error
