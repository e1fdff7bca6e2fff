"""Density functional theory: what is refused without it, the kept density, and diamond where GPAW is installed."""

import json
from pathlib import Path

import numpy as np
import pytest

from legocryst.crystal.io.structures import to_cif
from legocryst.database.store import Store
from legocryst.electronic import dft as theory
from legocryst.electronic.brillouin import primitive
from legocryst.environment.target_library import target
from legocryst.infra.extras import MissingExtra
from legocryst.jobs.create import create
from legocryst.jobs.worker import work
from legocryst.settings import DftSettings, RunSettings
from legocryst.stages.dft import coarse
from legocryst.vocabulary.quantities import DFT_COLUMNS

DIAMOND = target("sp3-carbon").reference.crystals()
QUICK = DftSettings(cutoff=250, spacing=0.9, line_spacing=0.6, rounds=2, empty=4)


def test_kept_density_is_the_same_function_on_fewer_points() -> None:
    def wave(n: int) -> np.ndarray:
        x, y, z = (2 * np.pi * part / n for part in np.indices((n, n, n)))
        return np.asarray(1 + np.cos(x - 2 * y) + 0.3 * np.sin(3 * z + x))

    np.testing.assert_allclose(coarse(wave(20), 10), wave(10), atol=1e-12)
    np.testing.assert_allclose(coarse(wave(20), 30), wave(20), atol=1e-12)
    rough = np.random.default_rng(0).random((12, 9, 7))
    assert coarse(rough, 8).shape == (8, 8, 7) and coarse(rough, 8).mean() == pytest.approx(rough.mean())


def test_without_gpaw_nothing_is_calculated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("legocryst.infra.extras.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match="run `make dft`"):
        theory.calculate(primitive(DIAMOND), DftSettings())


def test_large_cells_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("legocryst.infra.extras.find_spec", lambda name: True)
    with pytest.raises(theory.DftError, match="the primitive cell has 2 atoms, and 1 are the most"):
        theory.calculate(primitive(DIAMOND), DftSettings(max_atoms=1))


def test_row_of_diamond_and_its_place_in_the_database(tmp_path: Path) -> None:
    pytest.importorskip("gpaw", reason="make dft installs it")
    path = tmp_path / "diamond.cif"
    path.write_text(to_cif(DIAMOND))
    job = create(tmp_path / "w", "dft", RunSettings(dft=QUICK), training=[path], threads=1)
    seen: list[object] = []
    summary = work(job, progress=lambda line: seen.append(line.get("part")))
    with Store.open(tmp_path / "w") as store:
        store.ingest()
        row = store.query("SELECT * EXCLUDE job FROM dft")
    assert tuple(row.columns) == DFT_COLUMNS and {"density", "bands"} <= set(seen)
    assert list(row["crystal_id"]) == ["diamond"] and summary["dft_gap"] == row["dft_gap"].iloc[0]
    result = row.iloc[0]
    assert 3.7 < result["dft_gap"] < 4.4 and result["dft_class"] == "semiconductor" and not result["dft_direct"]
    charge = json.loads(result["dft_density"])
    volume = abs(np.linalg.det(charge["lattice"]))
    assert np.mean(charge["density"]) * volume == pytest.approx(8, abs=0.01)  # valence electrons
    dos = json.loads(result["dft_dos"])
    below = np.array(dos["energy"]) < 0
    assert np.trapezoid(np.array(dos["dos"])[below], np.array(dos["energy"])[below]) == pytest.approx(4, rel=0.1)
