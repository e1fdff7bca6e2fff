"""Past jobs: how much disk they take, and what two of them have different."""

from pathlib import Path
from typing import Any

from legocryst.jobs.record import Job
from legocryst.settings import RunSettings, Settings, label
from legocryst.stages.catalogue import STAGES


def size(path: Path) -> int:
    """Return bytes of a file or of all files in a folder; a file that vanishes meanwhile counts nothing."""
    files = [path] if path.is_file() else path.rglob("*")
    total = 0
    for file in files:
        try:
            total += file.lstat().st_size if file.is_file() else 0
        except FileNotFoundError:
            continue
    return total


def spoken(number: int) -> str:
    """Return a size in words, such as "340 kB", "12.1 MB", "3.0 GB"."""
    if number < 1e6:
        return f"{max(1, round(number / 1e3))} kB"
    return f"{number / 1e6:.1f} MB" if number < 1e9 else f"{number / 1e9:.1f} GB"


def differing(first: Job, second: Job) -> list[tuple[str, str, Any, Any]]:
    """List settings of both jobs that differ, as stage, setting and both values; read from their records."""
    one, two = (_flat(job.record["settings"]) for job in (first, second))
    both = _parts(first) & _parts(second)
    missing = "no such setting"
    for settings, job in ((one, first), (two, second)):
        settings["curate", "training set"] = ", ".join(job.record["seeds"]) or "shipped"
    return [
        (stage, name, one.get((stage, name), missing), two.get((stage, name), missing))
        for stage, name in dict.fromkeys([*one, *two])
        if stage in both and one.get((stage, name), missing) != two.get((stage, name), missing)
    ]


def _parts(job: Job) -> set[str]:
    """Return names of the settings that meant something for a job; all of them where its version had others."""
    try:
        stages = job.stages
    except ValueError:
        return {"run", *job.record["settings"]}
    parts = {"run", *(STAGES[stage].settings for stage in stages)}
    return parts | {"goal"} if job.command == "run" else parts


def numbers(job: Job) -> dict[str, float]:
    """Return counts of a finished job by their names in words; empty before it has finished."""
    summary = job.summary
    if "invalid" in summary:
        summary["invalid"] = sum(summary["invalid"].values())
    out = {label: float(summary[name]) for name, label in _COUNTS.items() if name in summary}
    out |= {f"CPU-s, {stage}": float(value) for stage, value in summary.get("cpu_seconds", {}).items()}
    return out


_COUNTS = {
    "seeds": "Training crystals",
    "augmented": "Augmented rows",
    "sampled": "Sampled rows",
    "undecodable": "Undecodable",
    "invalid": "Invalid",
    "known": "Known",
    "duplicate": "Duplicates",
    "new": "New",
    "energies": "With an energy",
    "relaxed": "Relaxed with the potential",
    "low_energy": "Low in energy",
    "total_cpu_seconds": "CPU-s in all",
}


def _flat(settings: dict[str, Any]) -> dict[tuple[str, str], Any]:
    out: dict[tuple[str, str], Any] = {}
    for stage, value in settings.items():
        parts = value.items() if isinstance(value, dict) else [(stage, value)]
        out |= {(stage if isinstance(value, dict) else "run", name): part for name, part in parts}
    return out


def meaning(stage: str, name: str) -> tuple[str, str]:
    """Return label and help of a setting; its name and "" for one that this version does not have."""
    fields = RunSettings.model_fields
    kind = fields[stage].annotation if stage in fields else RunSettings
    if not (isinstance(kind, type) and issubclass(kind, Settings)) or name not in kind.model_fields:
        return name, ""
    return label(name, kind.model_fields[name]), kind.model_fields[name].description or ""
