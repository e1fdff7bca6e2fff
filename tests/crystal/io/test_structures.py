import numpy as np
import pytest
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice, Structure
from pymatgen.io.cif import CifParser

from legocryst.crystal.crystals import Crystals
from legocryst.crystal.io.structures import FileError, from_structure, hall_number, to_cif, to_structure
from tests.crystal import by_spglib
from tests.crystals_at_random import separated_crystal

DIAMOND = Crystals.build([227], [[3.567] * 3 + [np.pi / 2] * 3], [[(6, 8, (0.125, 0.125, 0.125))]])


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


@pytest.mark.parametrize("cell", [[3, 3, 0.1], [600, 3, 3], [3, 3, 1e-9]])
def test_impossible_cells_are_refused(cell: list[float]) -> None:
    with pytest.raises(FileError, match="the cell of the structure is impossible"):
        from_structure(Structure(Lattice(np.diag(cell)), ["C"], [[0, 0, 0]]))


def test_far_points_are_the_same_points() -> None:
    structure = to_structure(DIAMOND)
    far = Structure(structure.lattice, structure.species, structure.frac_coords + np.array([1e6, -3e5, 7]))
    assert from_structure(far).group[0] == 227
