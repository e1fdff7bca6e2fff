"""Input files, read back by pymatgen and ASE."""

from io import StringIO

import numpy as np
from ase.io.espresso import read_espresso_in
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.io.ase import AseAtomsAdaptor
from pymatgen.io.vasp.inputs import Incar, Kpoints, Poscar

from legocryst.crystal.io.structures import to_structure
from legocryst.electronic.dft_inputs import input_files
from legocryst.environment.target_library import target
from legocryst.settings import DftSettings


def test_files_hold_the_crystal_and_the_settings() -> None:
    graphite = target("sp2-carbon").reference.crystals()
    files = input_files(graphite, DftSettings(cutoff=520, spacing=0.3, functional="PBEsol"), name="graphite")
    assert set(files) == {
        *(f"graphite/vasp/{name}" for name in ("POSCAR", "INCAR", "KPOINTS", "POTCAR.names")),
        "graphite/espresso/pw.in",
    }
    same, original = StructureMatcher(), to_structure(graphite)
    assert same.fit(Poscar.from_str(files["graphite/vasp/POSCAR"]).structure, original)
    atoms = read_espresso_in(StringIO(files["graphite/espresso/pw.in"]))
    assert same.fit(AseAtomsAdaptor.get_structure(atoms), original)
    incar = Incar.from_str(files["graphite/vasp/INCAR"])
    assert incar["ENCUT"] == 520 and incar["GGA"].upper() == "PS" and incar["NSW"] == 0
    mesh = Kpoints.from_str(files["graphite/vasp/KPOINTS"])
    lengths = 2 * np.pi * np.linalg.norm(np.linalg.inv(original.lattice.matrix), axis=0)
    assert sorted(mesh.kpts[0]) == sorted(np.ceil(lengths / 0.3).astype(int).tolist())
    assert files["graphite/vasp/POTCAR.names"] == "PAW_PBE C\n"
    assert "ecutwfc          = 38.22" in files["graphite/espresso/pw.in"]
