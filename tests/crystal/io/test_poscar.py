"""POSCAR: scales as VASP reads them, modes, elements; what is none gets its sentence."""

import numpy as np
import pytest

from legocryst.crystal.io.poscar import atoms_of
from legocryst.crystal.io.structures import FileError

SMALL = "title\n1.0\n3 0 0\n0 3 0\n0 0 3\nC O\n1 1\nDirect\n0 0 0\n0.5 0.5 0.5\n"


@pytest.mark.parametrize("mode", ["Direct", "Cartesian", "Selective dynamics\nkartesisch"])
@pytest.mark.parametrize("kind", ["one", "volume", "three"])
def test_crystals_come_back_whatever_the_scale(kind: str, mode: str) -> None:
    """Line 2 multiplies Cartesian x, y and z, of vectors and atoms; a negative number is the volume."""
    rng = np.random.default_rng(1)
    for _ in range(20):
        lattice, points = rng.uniform(-1, 1, (3, 3)) + 4 * np.eye(3), rng.random((4, 3))
        factor = rng.uniform(0.5, 4, 3) if kind == "three" else np.full(3, rng.uniform(0.5, 4))
        scale = {"one": factor[:1], "three": factor, "volume": [-np.linalg.det(lattice)]}[kind]
        rows = points if mode == "Direct" else points @ lattice / factor
        lines = [scale, *lattice / factor, "C Si_pv/1f2e O", "2 1 1", mode, *rows]
        text = "\n".join(line if isinstance(line, str) else " ".join(f"{x:.14f}" for x in line) for line in lines)
        result = atoms_of(f"title\n{text} T T F\n\n0 0 0\n", "x.vasp")
        np.testing.assert_allclose(result[0], lattice, atol=1e-9)
        np.testing.assert_allclose(result[1], points, atol=1e-9)
        assert list(result[2]) == [6, 6, 14, 8]


def test_elements_behind_the_coordinates() -> None:
    text = SMALL.replace("C O\n", "").replace("0 0 0\n0.5", "0 0 0 C\n0.5").replace("0.5\n", "0.5 O\n")
    assert list(atoms_of(text, "x.vasp")[2]) == [6, 8]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("1.0", "0", "line 2 is no scale"),
        ("1.0", "1 2", "line 2 is no scale"),
        ("1.0", "-1 1 1", "line 2 is no scale"),
        ("1.0", "scale", "'scale' stands for a number"),
        ("Direct\n", "", "line 8 is neither Direct nor Cartesian"),
        ("1 1\n", "1 1 1\n", "2 symbols for 3 numbers of atoms"),
        ("1 1\n", "1 2\n", "a line lacks its numbers"),
        ("1 1\n", "1 0\n", "the list of atoms is not of 1 lines"),
        ("0 3 0\n", "0 3\n", "cannot be read as a POSCAR"),
        ("C O\n", "", "does not name its elements"),
        ("C O", "C Du", "dummy atoms (Du)"),
        (SMALL, "title\n1.0", "it ends too early"),
    ],
)
def test_what_is_no_poscar_gets_a_sentence(old: str, new: str, message: str) -> None:
    with pytest.raises(FileError) as caught:
        atoms_of(SMALL.replace(old, new), "x.vasp")
    assert message in str(caught.value) and "\n" not in str(caught.value)
