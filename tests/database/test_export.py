import hashlib
import json
from dataclasses import replace
from io import BytesIO, StringIO
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from ase.io import read
from pymatgen.core import Structure
from pymatgen.io.cif import CifParser
from pymatgen.io.vasp import Poscar

from legocryst.crystal.io.structures import to_cif
from legocryst.database.citations import ALWAYS, used
from legocryst.database.export import GENERATED, RELAXED, bundle
from legocryst.database.filters import Filters
from legocryst.database.geometry import crystals_of
from legocryst.database.store import Store
from legocryst.vocabulary.references import bibtex


@pytest.fixture(scope="module")
def made(workspace: Path) -> tuple[bytes, pd.DataFrame]:
    """All rows of the workspace as an archive, and the rows."""
    with Store.open(workspace) as store:
        rows = store.page(order="row", limit=100)
        assert set(rows["status"]) >= {"valid", "invalid"}
        return bundle(store, rows, filters="", order="row")[0], rows


def apart(a: np.ndarray, b: np.ndarray) -> float:
    """Largest difference of fractional coordinates, atom by atom."""
    assert len(a) == len(b)
    return float(np.abs((a - b) - np.rint(a - b)).max())


def test_files_hold_the_same_crystals_atom_by_atom(made: tuple[bytes, pd.DataFrame]) -> None:
    archive, rows = made
    decoded = rows[rows["status"] != "undecodable"]
    with ZipFile(BytesIO(archive)) as files:
        frames = read(StringIO(files.read("crystals.extxyz").decode()), index=":", format="extxyz")
        assert [frame.info["id"] for frame in frames] == list(decoded["id"])
        for frame, (_, row) in list(zip(frames, decoded.iterrows(), strict=True))[:25]:
            cif = files.read(f"cif/{row['id']}.cif").decode()
            poscar = Poscar.from_str(files.read(f"poscar/{row['id']}.vasp").decode()).structure
            (by_pymatgen,) = CifParser.from_str(cif, frac_tolerance=0).parse_structures(primitive=False)
            by_ase = read(StringIO(cif), format="cif")
            assert isinstance(by_ase, Atoms) and isinstance(frame, Atoms)
            assert len(poscar) == row["atoms"]
            for points in (by_pymatgen.frac_coords, by_ase.get_scaled_positions(), frame.get_scaled_positions()):
                assert apart(points, poscar.frac_coords) < 1e-6
            cells = [poscar.lattice.abc + poscar.lattice.angles, frame.cell.cellpar(), by_ase.cell.cellpar()]
            assert np.allclose(cells, cells[0], atol=1e-6)
            if row["status"] == "valid":
                assert poscar.get_space_group_info(0.01)[1] == row["space_group"]


def test_tables_manifest_and_hashes(made: tuple[bytes, pd.DataFrame], workspace: Path) -> None:
    archive, rows = made
    with ZipFile(BytesIO(archive)) as files:
        assert files.testzip() is None
        names = set(files.namelist())
        manifest = json.loads(files.read("manifest.json"))
        assert set(manifest["sha256"]) == names - {"manifest.json"}
        for path, digest in manifest["sha256"].items():
            assert hashlib.sha256(files.read(path)).hexdigest() == digest
        assert list(pd.read_csv(BytesIO(files.read("crystals.csv")))["id"]) == list(rows["id"])
        pd.testing.assert_frame_equal(pd.read_parquet(BytesIO(files.read("crystals.parquet"))), rows)
        text = files.read("citations.bib").decode()
    assert [crystal["id"] for crystal in manifest["crystals"]] == list(rows["id"])
    for described, status in zip(manifest["crystals"], rows["status"], strict=True):
        assert described["geometry"] == (None if status == "undecodable" else GENERATED)
        assert bool(described["reason"]) == (status != "valid")
    (job,) = manifest["jobs"]
    assert job["settings"]["sample"]["samples"] == 50 and job["seed"] == 0 and "numpy" in job["versions"]
    assert all(f"{{{key}," in text for key in manifest["citations"]) and text.count("@") == len(used(rows))
    with Store.open(workspace) as store:
        assert bundle(store, rows, order="row")[0] == archive  # byte for byte
        with pytest.raises(ValueError, match="no crystal is selected"):
            bundle(store, rows.iloc[:0])


def test_relaxed_geometry_is_taken_where_there_is_one(workspace: Path) -> None:
    with Store.open(workspace) as store:
        rows = store.page(Filters(among={"status": ["valid"]}), order="row", limit=2)
        first = next(crystals_of(rows, workspace))[1]
        larger = to_cif(replace(first, cell=first.cell * [1.1, 1.1, 1.1, 1, 1, 1]))
        rows = rows.assign(relaxed_cif=[larger, ""])
        archive, manifest = bundle(store, rows, relaxed=True)
    described = [crystal["geometry"] for crystal in manifest["crystals"]]
    assert described == [RELAXED, GENERATED]
    with ZipFile(BytesIO(archive)) as files:
        written = Structure.from_str(files.read(f"cif/{rows['id'][0]}.cif").decode(), "cif")
    assert written.volume / first.volume[0] == pytest.approx(1.1**3, rel=1e-4)


def test_every_work_has_an_entry_and_follows_what_was_used(workspace: Path) -> None:
    with Store.open(workspace) as store:
        rows = store.page(limit=100)
    always = {reference.key for reference in used(rows)}
    assert {*ALWAYS, "nets"} <= always and "sevennet" not in always
    with_energy = rows.assign(model="vae", screen_energy=0.1, dispersion=0.2, gap=0.0, net_name="dia")
    everything = used(with_energy)
    keys = {reference.key for reference in everything}
    assert {"sevennet", "d3", "ctgan", "tight_binding", "rcsr", "legocryst"} < keys
    text = bibtex(everything)
    assert text.count("{") == text.count("}") and text.count("@") == len(everything) == len(keys)
