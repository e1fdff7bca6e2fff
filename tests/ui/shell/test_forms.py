"""Forms drawn from the settings: every setting has its widget, bounds hold, values outlive a change of page."""

import pytest
from streamlit.testing.v1 import AppTest

from legocryst.settings import PRESETS, RunSettings, preset
from legocryst.ui.shell.forms import STAGES


def script() -> None:
    import streamlit as st

    from legocryst.environment.target_library import target_names
    from legocryst.ui.shell import forms

    if st.checkbox("Other page", key="other"):
        st.write("nothing")
    else:
        forms.preset_choice()
        st.session_state["good"] = [
            forms.form(name, options={"target": target_names()} if name == "curate" else None) for name in forms.STAGES
        ]
        forms.seed()
        st.session_state["named"] = forms.cluster()
    try:
        st.session_state["values"] = forms.run_settings()
    except ValueError:
        st.session_state["values"] = None


def opened() -> AppTest:
    test = AppTest.from_function(script, default_timeout=30).run()
    assert not test.exception
    return test


def values(test: AppTest) -> RunSettings:
    result = test.session_state["values"]
    assert result is not None
    return RunSettings.model_validate(result.model_dump())


def test_every_setting_has_a_widget_with_its_help() -> None:
    test = opened()
    widgets = [*test.number_input, *test.selectbox, *test.multiselect, *test.checkbox, *test.text_input]
    by_key = {widget.key: widget for widget in widgets}
    for stage, model in STAGES.items():
        for name, field in model.model_fields.items():
            assert by_key[f"{stage}.{name}"].help == field.description
    assert by_key["relax.max_step"].label == "Longest move (angstrom)"
    assert (by_key["augment.max_sites"].min, by_key["augment.max_sites"].max) == (1, 8)


def test_first_values_are_the_preset_and_another_fills_in() -> None:
    test = opened()
    assert values(test) == preset("quick")
    for name in PRESETS:
        test.selectbox(key="preset").select(name).run()
        assert values(test) == preset(name)


def test_values_outlive_a_change_of_page() -> None:
    test = opened()
    test.number_input(key="sample.samples").set_value(77).run()
    test.number_input(key="run.seed").set_value(5).run()
    test.checkbox(key="other").check().run()
    assert values(test).sample.samples == 77
    test.checkbox(key="other").uncheck().run()
    assert test.number_input(key="sample.samples").value == 77
    assert values(test).seed == 5


def test_cluster_is_remembered_and_a_wrong_one_refused() -> None:
    pytest.importorskip("distributed", reason="Dask distributed is not installed: call `make cluster`")
    test = opened()
    assert test.session_state["named"] and test.text_input(key="cluster").value == ""
    test.text_input(key="cluster").set_value("local:2").run()
    test.checkbox(key="other").check().run()
    test.checkbox(key="other").uncheck().run()
    assert test.session_state["named"] and test.text_input(key="cluster").value == "local:2"
    test.text_input(key="cluster").set_value("node7").run()
    assert not test.session_state["named"]
    assert [error.value[:42] for error in test.error] == ["Cluster: 'node7' names no cluster: give lo"]


def test_settings_that_may_be_empty_and_sets() -> None:
    test = opened()
    assert values(test).curate.max_strain is None and values(test).curate.crystal_systems == ()
    test.number_input(key="curate.max_strain").set_value(0.05).run()
    test.multiselect(key="curate.periodicities").set_value([2, 3]).run()
    test.text_input(key="curate.space_groups").set_value("194, 200-230").run()
    result = values(test).curate
    assert (result.max_strain, result.periodicities, result.space_groups) == (0.05, (2, 3), "194, 200-230")
    test.number_input(key="curate.max_strain").set_value(None).run()
    assert values(test).curate.max_strain is None
    test.text_input(key="curate.space_groups").set_value("all").run()
    sentence = "Space groups: 'all' is no list of space groups: write it as 194, 200-230."
    assert [error.value for error in test.error] == [sentence]


def test_open_bound_is_refused_in_one_sentence() -> None:
    test = opened()
    test.number_input(key="train.learning_rate").set_value(0.0).run()
    assert not test.exception
    assert [error.value for error in test.error] == ["Learning rate: input should be greater than 0."]
    assert test.session_state["good"].count(False) == 1
