"""Optional packages: which extra installs them, what needs them, and one sentence where they are missing."""

from dataclasses import dataclass
from importlib.util import find_spec

from legocryst import ROOT


class MissingExtra(ValueError):
    """A package of an extra is not installed; the message is one sentence that names the extra."""


@dataclass(frozen=True, slots=True)
class Extra:
    """Packages that are installed together, by the names under which they are imported."""

    purpose: str
    modules: tuple[str, ...]
    target: str = "app"  # of the Makefile


EXTRAS = {
    "app": Extra("the pages and their drawings", ("streamlit", "plotly")),
    "gan": Extra("the models vae and gan and the quality report", ("ctgan", "rdt", "sdv")),
    "energy": Extra("energies", ("sevenn", "dftd3")),
    "dft": Extra("density functional theory", ("gpaw",), "dft"),
    "cluster": Extra("a cluster", ("distributed",), "cluster"),
}


def missing(*names: str) -> str:
    """Return one sentence that says what is not installed of some extras and how to get it, "" if nothing is."""
    lacking = [name for name in names if not all(map(find_spec, EXTRAS[name].modules))]
    if not lacking:
        return ""
    what = "; ".join(f"{EXTRAS[name].purpose} ({', '.join(EXTRAS[name].modules)})" for name in lacking)
    if (ROOT / "Makefile").exists():
        how = f"run `make {' '.join(dict.fromkeys(EXTRAS[name].target for name in lacking))}`"
    else:
        how = f"run `pip install 'legocryst[{','.join(lacking)}]'`"
    return f"packages are missing for {what}: {how}"


def require(*names: str) -> None:
    """Raise MissingExtra unless the packages of some extras are installed."""
    if sentence := missing(*names):
        raise MissingExtra(sentence)
