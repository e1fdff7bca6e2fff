"""Density functional theory of one crystal, as a row that a job leaves."""

import json
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd

from legocryst.crystal.crystals import Crystals
from legocryst.infra.files import write_parquet
from legocryst.infra.run_context import SILENT, RunContext
from legocryst.settings import DftSettings
from legocryst.stages.base import Attempt, JobFiles, Paper, Stage, Table
from legocryst.vocabulary.quantities import DFT_COLUMNS

GRID = 32
"""Most points of the kept charge density along an axis of the primitive cell."""


def dft(crystal: Crystals, settings: DftSettings, context: RunContext = SILENT, *, name: str) -> pd.DataFrame:
    """Return one row with the columns `quantities.DFT_COLUMNS` of the one crystal of a batch.

    Energies are those of the primitive cell's atoms. Raises DftError as `electronic.dft.calculate`, and ValueError
    where the crystal has no standard path.
    """
    from legocryst.crystal.io.structures import to_cif
    from legocryst.electronic.brillouin import primitive
    from legocryst.electronic.dft import calculate

    cell = primitive(crystal)
    result = calculate(cell, settings, progress=context.progress)
    n, path, gap = len(cell.species), result.path, result.gap
    density = coarse(result.density, GRID)
    convergence = {
        "steps": result.steps,
        "energy_change_eV": result.change["energy"],
        "density_change": result.change["density"],
        "mesh": cell.divisions(settings.spacing).tolist(),
        "points_on_path": len(path.kpoints),
        "overlap_eV": gap.overlap,
        "top_at": gap.top_at.round(5).tolist(),
        "bottom_at": gap.bottom_at.round(5).tolist(),
    }
    bands = {
        "distance": path.distance.round(5).tolist(),
        "branch": path.branch.tolist(),
        "ticks": path.ticks,
        "kpoints": path.kpoints.round(6).tolist(),
        "levels": result.bands.round(4).tolist(),
    }
    dos = {"energy": result.dos_energy.round(3).tolist(), "dos": (result.dos / n).round(5).tolist()}
    charge = {
        "lattice": cell.lattice.round(6).tolist(),
        "fractional": cell.fractional.round(6).tolist(),
        "species": cell.species.tolist(),
        "density": density.round(4).tolist(),
    }
    row = {
        "crystal_id": name,
        "dft_energy": result.energy / n,
        "dft_gap": gap.gap,
        "dft_class": gap.band_class,
        "dft_direct": gap.direct,
        "dft_atoms": n,
        "dft_steps": result.steps,
        "dft_settings": settings.model_dump(),
        "dft_convergence": convergence,
        "dft_bands": bands,
        "dft_dos": dos,
        "dft_density": charge,
        "dft_versions": {package: version(package) for package in ("gpaw", "gpaw-data", "ase")},
        "dft_cif": to_cif(crystal),
    }
    return pd.DataFrame([{key: json.dumps(value) if isinstance(value, dict) else value for key, value in row.items()}])


def coarse(density: np.ndarray, most: int) -> np.ndarray:
    """Return a periodic density on at most `points` points along each axis, its short waves left out."""
    size = tuple(min(n, most) for n in density.shape)
    waves = np.fft.fftn(density) / density.size
    for axis, (n, m) in enumerate(zip(density.shape, size, strict=True)):
        kept = np.rint(np.fft.fftfreq(m) * m).astype(int) % n
        waves = np.take(waves, kept, axis=axis)
        if m < n and m % 2 == 0:  # the wave of half the points stands for two
            waves[(slice(None),) * axis + (m // 2,)] = 0
    return np.fft.ifftn(waves * np.prod(size)).real


def _work(attempt: Attempt, _: int) -> None:
    """Compute the one crystal of the job's input, which is named as the crystal."""
    from legocryst.crystal.io.readers import from_cif

    path = attempt.job.training_files[0]
    crystal = from_cif(path.read_text(encoding="utf-8"))

    def progress(done: int, total: int, **numbers: Any) -> None:
        attempt.check()
        attempt.tick(done, total, **numbers)

    context = attempt.context(STAGE.name).with_progress(progress)
    write_parquet(dft(crystal, attempt.settings.dft, context, name=path.stem), STAGE.path(attempt.job.folder))


def _counts(job: JobFiles) -> dict[str, Any]:
    row = STAGE.read(job.folder).iloc[0]
    return {name: row[name] for name in ("crystal_id", "dft_energy", "dft_gap", "dft_class")}


def _methods(paper: Paper) -> None:
    settings, summary = paper.settings.dft, paper.summary
    paper.say(
        f"The crystal {summary['crystal_id']} was computed with LEGO-Cryst {paper.version} {paper.cite('legocryst')} "
        f"by density functional theory with GPAW {paper.cite('gpaw')}, {settings.functional}, plane waves "
        f"up to {settings.cutoff:g} eV and k-points at most {settings.spacing:g} per angstrom apart: gap "
        f"{summary['dft_gap']:.2f} eV, {summary['dft_class']}."
    )


STAGE = Stage(
    name="dft",
    number=101,
    title="Density functional theory",
    work=_work,
    when="alone",
    files=("shards/dft.parquet",),
    tables=(Table(name="dft", columns=("job", *DFT_COLUMNS)),),
    settings="dft",
    counts=_counts,
    needs=lambda *_: {"dft": ""},
    methods=_methods,
)
