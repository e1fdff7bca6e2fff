"""Settings as files name them: right, or refused as ambiguous with what to add, and never another crystal."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from legocryst.crystal.io.hall_settings import named, numbered, of_hall_symbol, settings
from legocryst.crystal.io.readers import from_cif
from legocryst.crystal.io.structures import FileError
from tests.crystal.io.dialects import AXES, HALLS, OLD, dialects, example, outcome

CLEAR = ("operators", "Hall symbol", "name :code", "number, coordinate", "name R H", "name RS")


def test_a_sample_of_settings_in_every_dialect(tmp_path: Path) -> None:
    results: dict[str, Counter[str]] = {}
    for hall in np.random.default_rng(29).choice(np.arange(1, HALLS + 1), 16, replace=False):
        case = example(int(hall), general=False)
        for dialect, symmetry in dialects(case):
            result, words = outcome(case, symmetry, tmp_path)
            assert result != "wrong", (hall, dialect, symmetry, words)
            assert result == "right" or "add the symmetry operators" in words, words
            results.setdefault(dialect, Counter())[result] += 1
    for dialect, count in results.items():
        assert count["refused"] == 0 or not dialect.startswith(CLEAR), (dialect, count)
    assert results["name"]["right"] > 9 > 7 > results["number"]["right"] > 0


def test_every_name_stands_for_settings_of_one_group() -> None:
    of_name: dict[str, set[int]] = {}
    for setting in settings():
        for name in setting.names:
            of_name.setdefault(name, set()).add(setting.number)
    assert len(of_name) > 700 and all(len(numbers) == 1 for numbers in of_name.values())


@pytest.mark.parametrize("number", OLD)
def test_old_names_are_those_of_the_old_tables(number: int) -> None:
    for axes, name in zip(AXES, OLD[number].split(", "), strict=True):
        codes = {code.lstrip("12") for setting in named(name) for code in setting.codes}
        assert axes in codes, name
        assert {setting.number for setting in named(name)} == {number}


def test_dialects_of_one_setting() -> None:
    (expected,) = [setting for setting in numbered(227) if setting.codes == ("2",)]
    for text in ("F d -3 m :2", "Fd-3m:2", "FD-3MZ", "F d -3 m Z", "F 41/d -3 2/m :2", "F_d_-3_m_:2", "F d 3 m Z"):
        assert named(text) == [expected], text
    assert of_hall_symbol("-F 4vw 2vw 3") == of_hall_symbol("-f4vw2vw3") == expected
    assert len(named("F d -3 m")) == 2 and named("F d -3 m :3") == named("F d -3 q") == []
    assert [setting.codes[0] for setting in named("R -3 m RS")] == ["r"]


def of(symmetry: str, cell: str = "3 4 5 90 90 90", sites: str = "C1 C 0.1 0.2 0.3") -> str:
    names = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
    edges = "\n".join(f"_cell_{name} {value}" for name, value in zip(names, cell.split(), strict=True))
    loop = "loop_\n_atom_site_label\n_atom_site_type_symbol\n" + "\n".join(f"_atom_site_fract_{axis}" for axis in "xyz")
    return f"data_x\n{symmetry}\n{edges}\n{loop}\n{sites}\n"


def test_the_cell_excludes_axes_and_else_the_name_is_ambiguous() -> None:
    short = "_symmetry_space_group_name_H-M 'P 2/m'"
    assert from_cif(of(short, "3 4 5 90 100 90")).group[0] == 10
    with pytest.raises(FileError, match=r"may be P 1 2/m 1:b, P 1 1 2/m:c, P 2/m 1 1:a, which give different crystals"):
        from_cif(of(short))
    assert from_cif(of(short, sites="C1 C 0 0 0")).group[0] == 47, "all three give the same crystal"


def test_a_number_is_ambiguous_where_its_settings_differ() -> None:
    with pytest.raises(FileError, match=r"P n m a, P m n b:ba-c, .* add the symmetry operators"):
        from_cif(of("_space_group_IT_number 62"))
    assert from_cif(of("_space_group_IT_number 19")).group[0] == 19
