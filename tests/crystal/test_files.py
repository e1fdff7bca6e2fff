from pathlib import Path

import numpy as np
import pytest
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice, Structure
from pymatgen.io.cif import CifParser

from legocryst.crystal.files import FileError, from_structure, hall_number, read_crystals, to_cif, to_structure
from legocryst.crystal.representation import Crystals
from legocryst.crystal.table import encode
from tests.crystal import by_spglib
from tests.crystals_at_random import separated_crystal

DIAMOND = Crystals.build([227], [[3.567] * 3 + [np.pi / 2] * 3], [[(6, 8, (0.125, 0.125, 0.125))]])
PARTIAL = """data_x
_cell_length_a 3
_cell_length_b 3
_cell_length_c 3
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'P 1'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
C1 C 0 0 0 0.5
"""
POSCAR = """carbon
1.0
2.46 0 0
-1.23 2.1304 0
0 0 6.7
C
4
direct
0 0 0.25
0 0 0.75
0.3333333 0.6666667 0.25
0.6666667 0.3333333 0.75
"""


@pytest.fixture(scope="module")
def crystals() -> Crystals:
    return Crystals.concatenate([separated_crystal(g, max_atoms=96) for g in range(1, 231)])


def test_structures_come_back_in_all_groups(crystals: Crystals) -> None:
    matcher = StructureMatcher(scale=False)
    compared = 0
    for k in range(230):
        structure = to_structure(crystals, k)
        back = from_structure(structure)
        again = to_structure(back)
        assert back.group[0] == by_spglib.group(structure, 0.01) == by_spglib.group(again, 0.01)
        assert again.volume / len(again) == pytest.approx(structure.volume / len(structure), rel=1e-3)
        if len(structure) <= 16:
            compared += 1
            assert matcher.fit(structure, again), k + 1
    assert compared > 100


def test_letters_are_spglibs(crystals: Crystals) -> None:
    for k in range(0, 230, 3):
        structure = to_structure(crystals, k)
        back = from_structure(structure)
        theirs = by_spglib.dataset(structure, 0.01, hall_number=hall_number(int(back.group[0])))
        _, first = np.unique(theirs.crystallographic_orbits, return_index=True)
        assert sorted(back.letters) == sorted(theirs.wyckoffs[j] for j in first), k + 1


@pytest.mark.filterwarnings("ignore:Issues encountered while parsing CIF")
def test_cifs_keep_structure_and_group_in_all_groups(crystals: Crystals) -> None:
    for k in range(230):
        structure, text = to_structure(crystals, k), to_cif(crystals, k, name=f"net {k}")
        assert text.startswith(f"data_net_{k}\n") and f"_symmetry_Int_Tables_number   {k + 1}\n" in text
        (read,) = CifParser.from_str(text).parse_structures(primitive=False)
        offset = read.frac_coords[:, None] - structure.frac_coords
        nearest = np.linalg.norm((offset - np.rint(offset)) @ structure.lattice.matrix, axis=-1)
        assert len(read) == len(structure) and np.allclose(read.lattice.abc, structure.lattice.abc)
        assert nearest.min(axis=1).max() < 1e-4 and nearest.min(axis=0).max() < 1e-4
        assert by_spglib.group(read, 1e-3) == by_spglib.group(structure, 1e-3)


def test_cif_has_one_row_for_each_site() -> None:
    text = to_cif(DIAMOND)
    assert text.rstrip().endswith("C1 C 8 a 0.12500000 0.12500000 0.12500000 1")
    assert text.count("'") == 2 * 193, "192 operations and the symbol"


def test_graphite_and_diamond_are_recognised() -> None:
    layers = [[0, 0, 0.25], [0, 0, 0.75], [1 / 3, 2 / 3, 0.25], [2 / 3, 1 / 3, 0.75]]
    graphite = from_structure(Structure(Lattice.hexagonal(2.46, 6.7), ["C"] * 4, layers))
    assert graphite.group[0] == 194 and sorted(graphite.letters) == ["b", "c"]
    # The other origin of Fd-3m, in the primitive cell.
    face_centred = 3.567 / 2 * (np.ones((3, 3)) - np.eye(3))
    diamond = Structure(face_centred, ["C", "C"], [[0.0, 0.0, 0.0], [0.25, 0.25, 0.25]])
    back = from_structure(diamond)
    assert back.group[0] == 227 and list(back.letters) in (["a"], ["b"]) and back.atom_count[0] == 8
    assert back.cell[0, 0] == pytest.approx(3.567)


def test_species_stay_with_their_sites() -> None:
    centred = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    salt = Structure(Lattice.cubic(5.64), ["Na"] * 4 + ["Cl"] * 4, np.r_[centred, centred + 0.5])
    back = from_structure(salt)
    assert back.group[0] == 225 and sorted(zip(back.species, back.multiplicity, strict=True)) == [(11, 4), (17, 4)]


def test_a_coarser_tolerance_finds_more_symmetry() -> None:
    structure = to_structure(DIAMOND)
    structure.perturb(0.02, seed=0)
    assert from_structure(structure, symprec=0.001).group[0] < 227
    assert from_structure(structure, symprec=0.2).group[0] == 227


def test_files_of_every_kind_are_read(tmp_path: Path) -> None:
    (tmp_path / "two.cif").write_text(to_cif(DIAMOND) + "\n" + to_cif(DIAMOND, name="again"))
    (tmp_path / "POSCAR").write_text(POSCAR)
    encode(DIAMOND).to_csv(tmp_path / "t.csv", index=False)
    assert read_crystals(tmp_path / "two.cif").group.tolist() == [227, 227]
    assert read_crystals(tmp_path / "POSCAR").group.tolist() == [194]
    assert read_crystals(tmp_path / "t.csv").group.tolist() == [227]
    (tmp_path / "notes.txt").write_text("not read: of no known kind")
    assert sorted(read_crystals(tmp_path).group) == [194, 227, 227, 227]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.cif", None, "there is no file"),
        ("empty.cif", "", "is empty"),
        ("text.cif", "this is only text", "cannot be read as a CIF"),
        ("partial.cif", PARTIAL, "partial occupancy"),
        ("nan.cif", PARTIAL.replace("0 0 0 0.5", "nan 0 0 1"), "not numbers"),
        ("flat.cif", PARTIAL.replace("_cell_length_a 3", "_cell_length_a 0").replace(" 0.5", " 1"), "flat.cif"),
        ("overlap.cif", PARTIAL.replace("C1 C 0 0 0 0.5", "C1 C 0 0 0 1\nC2 C 0.05 0 0 1"), "overlap"),
        ("dummy.cif", PARTIAL.replace("C1 C 0 0 0 0.5", "Q1 Q 0 0 0 1"), "dummy.cif"),
        ("a.vasp", "hello", "cannot be read as a POSCAR"),
        ("b.vasp", POSCAR.replace("C\n4", "4"), "does not name its elements"),
        ("c.vasp", POSCAR.replace("0 0 0.25", "nan 0 0.25"), "not numbers"),
        ("d.vasp", POSCAR.replace("0.3333333 0.6666667 0.25", "0 0 0.26"), "overlap"),
        ("e.xyz", "hello", "of no known kind"),
        ("t.csv", encode(DIAMOND).assign(spg=231).to_csv(index=False), "space group outside"),
        ("u.csv", encode(DIAMOND).assign(x0=0.3).to_csv(index=False), "shift above"),
        ("v.csv", encode(DIAMOND).drop(columns="beta").to_csv(index=False), "lacks the column beta"),
        ("w.csv", "", "is empty"),
    ],
)
def test_wrong_files_get_one_sentence(tmp_path: Path, name: str, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(FileError, match=message) as caught:
        read_crystals(tmp_path / name)
    assert name in str(caught.value) and "\n" not in str(caught.value)


def test_a_folder_without_crystals_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="holds no CIF"):
        read_crystals(tmp_path)
