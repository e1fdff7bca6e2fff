"""Input files of one crystal for VASP and Quantum ESPRESSO, in its standard primitive cell.

The POTCAR of VASP is licensed, so that only the names of its parts are given; pseudopotentials of Quantum ESPRESSO are
named as in the SSSP library (Prandini et al., npj Comput. Mater. 4, 72, 2018), which its users download.
"""

from io import StringIO

from legocryst.crystal.crystals import Crystals
from legocryst.crystal.elements import SYMBOLS
from legocryst.electronic.brillouin import Primitive, primitive
from legocryst.settings import DftSettings

VASP_XC = {"PBE": "PE", "PBEsol": "PS", "LDA": "CA"}
ESPRESSO_XC = {"PBE": "pbe", "PBEsol": "pbesol", "LDA": "pz"}
RYDBERG = 13.605693
DENSITY_CUTOFF = 8
"""Of the density to that of the waves, which ultrasoft pseudopotentials need."""


def input_files(crystal: Crystals, settings: DftSettings, *, name: str) -> dict[str, str]:
    """Return text of each file by its path, `NAME/vasp/POSCAR` and so on, for the one crystal of a batch.

    Raises ValueError where the crystal has no standard primitive cell.
    """
    cell = primitive(crystal)
    vasp = {f"{name}/vasp/{file}": text for file, text in _vasp(cell, settings, name).items()}
    return vasp | {f"{name}/espresso/pw.in": _espresso(cell, settings, name)}


def _vasp(cell: Primitive, settings: DftSettings, name: str) -> dict[str, str]:
    from pymatgen.core import Structure
    from pymatgen.io.vasp.inputs import Incar, Kpoints, Poscar

    structure = Structure(cell.lattice, cell.species.tolist(), cell.fractional).get_sorted_structure()
    poscar = Poscar(structure, comment=name)
    incar = {
        "SYSTEM": name,
        "GGA": VASP_XC[settings.functional],
        "PREC": "Accurate",
        "ENCUT": settings.cutoff,
        "EDIFF": settings.energy_error * len(cell.species),
        "NELM": settings.max_steps,
        "ISMEAR": 0,
        "SIGMA": settings.smearing,
        "NSW": 0,
        "LASPH": True,
        "LCHARG": True,
        "LWAVE": False,
    }
    divisions = tuple(cell.divisions(settings.spacing).tolist())
    return {
        "POSCAR": poscar.get_str(significant_figures=10),
        "INCAR": f"{Incar(incar)}\n",
        "KPOINTS": f"{Kpoints.gamma_automatic(divisions)}\n",
        "POTCAR.names": "".join(f"PAW_PBE {symbol}\n" for symbol in poscar.site_symbols),
    }


def _espresso(cell: Primitive, settings: DftSettings, name: str) -> str:
    from ase import Atoms
    from ase.io.espresso import write_espresso_in

    atoms = Atoms(cell.species, cell=cell.lattice, scaled_positions=cell.fractional, pbc=True)
    data = {
        "control": {"calculation": "scf", "prefix": name, "pseudo_dir": "./pseudo", "outdir": "./out"},
        "system": {
            "ecutwfc": round(settings.cutoff / RYDBERG, 2),
            "ecutrho": round(DENSITY_CUTOFF * settings.cutoff / RYDBERG, 2),
            "input_dft": ESPRESSO_XC[settings.functional],
            "occupations": "smearing",
            "smearing": "fd",
            "degauss": round(settings.smearing / RYDBERG, 6),
        },
        "electrons": {"conv_thr": 1e-8, "electron_maxstep": settings.max_steps},
    }
    symbols = {SYMBOLS[kind] for kind in cell.species}
    text = StringIO()
    write_espresso_in(
        text,
        atoms,
        input_data=data,
        pseudopotentials={symbol: f"{symbol}.upf" for symbol in sorted(symbols)},
        kpts=tuple(cell.divisions(settings.spacing).tolist()),
        koffset=(0, 0, 0),
    )
    return text.getvalue()
