"""CIF: the grammar, the symmetry that a block states, special positions, elements by type and label."""

import time
from pathlib import Path

import numpy as np
import pytest

from legocryst.crystal.io.cif import blocks, has_atoms
from legocryst.crystal.io.inputs import offers
from legocryst.crystal.io.readers import from_cif
from legocryst.crystal.io.structures import FileError, to_cif, to_structure
from legocryst.topology.nets import nets
from tests.crystal.io.dialects import HALLS, example, fingerprint
from tests.crystal.io.fault_files import BONDS, FOLDER, RIGHT
from tests.crystals_at_random import separated_crystal

GRAPHITE = (FOLDER / "gra_ok.cif").read_text()
NAME = "_symmetry_space_group_name_H-M 'P 63/m m c'"


def operators(*texts: str) -> str:
    """Graphite's cell and atoms with these operators for its space group."""
    return GRAPHITE.replace(NAME, "\n".join(["loop_", "_space_group_symop_operation_xyz", *map(repr, texts)]))


@pytest.mark.parametrize("name", RIGHT)
def test_files_that_readers_get_wrong(name: str) -> None:
    right = RIGHT[name]
    if isinstance(right, str):
        with pytest.raises(FileError) as caught:
            offers(FOLDER / name, element=6)
        assert right in str(caught.value)
        return
    (offer,) = offers(FOLDER / name, element=6)
    assert offer.crystal is not None
    cutoff = 2.7 if name in BONDS else 1.75
    (net,) = nets(offer.crystal, cutoff=cutoff)
    assert (net.name, int(offer.crystal.group[0]), int(offer.crystal.atom_count[0])) == right
    if name in BONDS:
        structure = to_structure(offer.crystal)
        near = sorted(neighbour.nn_distance for neighbour in structure.get_neighbors(structure[0], cutoff))
        np.testing.assert_allclose(near, BONDS[name], atol=2e-3)


def test_the_report_says_what_was_chosen() -> None:
    (offer,) = offers(FOLDER / "a01_p21n_short_IT.cif", element=6)
    assert offer.note == "read in the setting P 1 21/n 1:b2"
    (offer,) = offers(FOLDER / "gra_packed.cif", element=6)
    assert offer.note == "read in the setting P 63/m m c; 2 listed atoms are images of others"


def test_operators_count_whatever_the_name_says() -> None:
    mirror = GRAPHITE.replace("C2 C 0.33333 0.66667 0.25", "C2 C 0.3 0.6 0.2")
    text = mirror.replace(NAME, f"{NAME}\nloop_\n_symmetry_equiv_pos_as_xyz\n'x, y, z'\n'x, y, 1/2-Z'")
    crystal = from_cif(text)
    assert crystal.volume[0] / crystal.atom_count[0] == pytest.approx(2.46**2 * 6.71 * 3**0.5 / 2 / 3), "three atoms"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (operators("x,y,z", "-y,x-y,z"), "the 2 symmetry operators are no group"),
        (operators("x,y,z", "x,y,z+1/4", "x,y,z+1/2"), "the 3 symmetry operators are no group"),
        (operators("x,y,z", "x,y"), "the symmetry operator 'x,y' cannot be read"),
        (operators("x,y,z", "x,y,q"), "the symmetry operator 'x,y,q' cannot be read"),
        (operators("x,y,z", "x+1/00,y,z"), "the symmetry operator 'x+1/00,y,z' cannot be read"),
        (operators("x,y,z", "2x,y,z"), "the symmetry operator '2x,y,z' does not keep the volume"),
        (operators("x,y,z", "x/2,y,z"), "the symmetry operator 'x/2,y,z' cannot be read"),
        (
            GRAPHITE.replace("'P 63/m m c'", "P 63/m m c"),
            "'63/m' stands behind the value of _symmetry_space_group",
        ),
        (operators("x,y,z", "y,z,x", "z,x,y"), "the cell does not fit the symmetry operators"),
        (GRAPHITE.replace(NAME, ""), "the symmetry is not given"),
        (GRAPHITE.replace(NAME, "_symmetry_space_group_name_H-M ?"), "the symmetry is not given"),
        (GRAPHITE.replace("P 63/m m c", "P 64/m m c"), "the space group 'P 64/m m c' is not in the table"),
        (GRAPHITE.replace("P 63/m m c", "F d -3 m"), "the cell does not fit the space group"),
        (GRAPHITE.replace(NAME, f"{NAME}\n_space_group_IT_number 191"), "number 191 contradicts the name P 63/m m c"),
        (GRAPHITE.replace(NAME, "_space_group_IT_number 231"), "'231' is no number of a space group"),
        (GRAPHITE.replace(NAME, "_space_group_name_Hall '-P 6q 2c'"), "the Hall symbol '-P 6q 2c' is not in the table"),
        (GRAPHITE.replace("0 0 0.25", "0 0"), "the loop of _atom_site_label has 9 values for 5 names"),
        (GRAPHITE.replace("angle_beta 90", "angle_beta ?"), "the file gives no _cell_angle_beta: add it"),
        (GRAPHITE.replace("0 0 0.25", "0 0 1/4"), "(a coordinate of C1 is '1/4')"),
        (GRAPHITE.replace("C1 C", "Q1 Q"), "dummy atoms (Q)"),
        (GRAPHITE.replace("C1 C", "O1 O-H"), "dummy atoms (O-H)"),
        (f"{GRAPHITE}loop_\n_atom_site_attached_hydrogens\n0 1", "the atom C2 stands for hydrogens, too"),
        (GRAPHITE.replace("0 0 0.25", "0 0 0.235"), "overlap (0.20 angstrom apart)"),
        (f"{GRAPHITE}_cell_length_a 2.5\n", "_cell_length_a is given twice with different values"),
        (f"{GRAPHITE}\n;\nno end", "a text field that begins with a semicolon has no end"),
    ],
)
def test_what_leaves_no_crystal_gets_a_sentence(text: str, message: str) -> None:
    with pytest.raises(FileError) as caught:
        from_cif(text)
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_words_of_a_cif_come_back_however_they_are_written() -> None:
    rng = np.random.default_rng(0)
    letters = [*"ab '\"#;_$[]", "data_", "loop_", "\n"]
    for _ in range(300):
        word = "".join(rng.choice(letters, size=rng.integers(1, 12)))
        ways = [f"\n;{word}\n;\n"] if "\n;" not in word else []
        ways += [f"{quote}{word}{quote}" for quote in "'\"" if quote not in word and "\n" not in word]
        for way in ways:
            (block,) = blocks(f"data_x\n_a {way}\nloop_\n_b _c\n1 {way} 3 {way} # end\n_d .")
            assert (block["_a"], block["_b"], block["_c"], block["_d"]) == ([word], ["1", "3"], [word] * 2, ["."])


def test_a_fault_in_a_block_of_words_does_not_hurt_a_crystal() -> None:
    words = "_title two words\n_cell_measurement_temperature 293 K\nloop_\n_author _place\n'One' 'Here' 'Two'\n"
    about, crystal = blocks(f"data_about\n{words}{GRAPHITE}")
    assert not has_atoms(about) and has_atoms(crystal)
    assert from_cif(f"{GRAPHITE}{words}").group[0] == 194


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_other_encodings(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "x.cif"
    path.write_bytes(GRAPHITE.replace("\n", "\r\n").encode(encoding))
    (offer,) = offers(path)
    assert offer.crystal is not None and offer.crystal.group[0] == 194


@pytest.mark.parametrize(
    ("label", "about", "number"),
    [
        ("C1", "", 6),
        ("C", "", 6),
        ("Ca1", "", 20),
        ("CB2", "", 6),
        ("OW1", "", 8),
        ("SI1", "_chemical_formula_sum 'Si O2'", 14),
        ("CA", "_chemical_formula_sum 'C4 H4'", 6),
        ("CD1", "_chemical_formula_sum C", 6),
        ("Csp2", "_chemical_formula_sum C", 6),
        ("Csp2", "loop_\n_atom_type_symbol\nC", 6),
        ("CA", "", 0),
        ("Csp2", "", 0),
        ("SI1", "", 0),
        ("Wat1", "", 0),
        ("Si1", "_chemical_formula_sum C", 0),
    ],
)
def test_elements_by_label(label: str, about: str, number: int) -> None:
    text = GRAPHITE.replace("_atom_site_type_symbol\n", "").replace("C1 C ", f"{label} ").replace("C2 C ", f"{label} ")
    text = text.replace(NAME, f"{NAME}\n{about}")
    if not number:
        with pytest.raises(FileError, match="does not say which element it is: add _atom_site_type_symbol"):
            from_cif(text)
        return
    assert set(from_cif(text).species) == {number}
    assert set(from_cif(GRAPHITE.replace("C1 C ", f"{label} C4+ ")).species) == {6}, "the type decides"


def test_rounded_special_positions_are_one_atom_in_any_setting() -> None:
    """Three decimals move atoms by up to 0.01 angstrom here; the crystal keeps its atoms, group and distances."""
    for hall in np.random.default_rng(2).choice(np.arange(1, HALLS + 1), 25, replace=False):
        case = example(int(hall), general=False)
        text = case.cif("loop_", "_symmetry_equiv_pos_as_xyz", *map(repr, case.operators), digits=3)
        rounded = to_structure(from_cif(text))
        assert rounded.volume / len(rounded) == pytest.approx(case.structure.volume / len(case.structure), rel=1e-3)
        assert np.abs(fingerprint(rounded) - fingerprint(case.structure)).max() < 0.05, hall


def test_cifs_of_all_groups_come_back() -> None:
    for group in range(1, 231, 3):
        crystal = separated_crystal(group, max_atoms=60)
        again = from_cif(to_cif(crystal))
        assert again.group[0] == from_cif(to_cif(again)).group[0] >= 1
        np.testing.assert_allclose(
            fingerprint(to_structure(again)), fingerprint(to_structure(crystal)), atol=0.01, err_msg=str(group)
        )


@pytest.mark.parametrize(
    "filler", ["\n" * 300_000, " " * 3_000_000, "'a " * 300_000, "_" * 1_000_000, ";\n;\n" * 100_000]
)
def test_time_grows_with_the_size_of_the_text(filler: str) -> None:
    began = time.process_time()
    blocks(f"data_x\n_a 1\n{filler}")
    assert time.process_time() - began < 10, "a pattern that looks at each line from each line takes hours here"
