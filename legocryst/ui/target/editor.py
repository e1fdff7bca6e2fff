"""Targets on the page: crystals to pick an atom from, the numbers of a target as a form, and its figures."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from legocryst import settings as s
from legocryst.crystal.crystals import Crystals
from legocryst.environment.target import Target, read, shipped_names
from legocryst.infra.phrases import several
from legocryst.infra.workspace import TARGETS
from legocryst.ui.shell import forms, shell
from legocryst.ui.widgets import figures
from legocryst.ui.widgets.environment_figures import ORDERS, shaded

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Number:
    """A number of a target as the form shows it."""

    label: str
    bounds: tuple[float, float]
    help: str
    step: float = 0.01


NUMBERS: dict[str, Number] = {
    "bond": Number("Ideal bond (Å)", (0.3, 20.0), "Length that the relaxation draws each bond to."),
    "bond_window.0": Number("Shortest bond (Å)", (0.1, 20.0), "A crystal with a shorter one is not valid."),
    "bond_window.1": Number("Longest bond (Å)", (0.3, 20.0), "Atoms up to this distance count as bonded."),
    "gap": Number("End of the gap (Å)", (0.3, 20.0), "Between the longest bond and this there may be no atom."),
    "second_shell": Number("Second shell (Å)", (0.3, 20.0), "The relaxation pushes other atoms out to this distance."),
    "published_cutoff": Number(
        "Published cutoff (Å)", (0.3, 20.0), "The weaker published criterion counts neighbours up to this distance."
    ),
    "min_angle": Number("Smallest angle (°)", (0.0, 180.0), "No angle between two bonds may be smaller.", 1.0),
    "vertex_figure.limit": Number(
        "Largest deviation from the shape", (0.01, 2.0), "RMSD of an atom's unit bond vectors from the vertex figure."
    ),
    "start_volume": Number(
        "Start volume (Å³ per atom)", (0.1, 1000.0), "Cells are scaled to this before they are relaxed.", 0.1
    ),
    "volume_per_atom.0": Number(
        "Smallest random volume (Å³ per atom)", (0.1, 1000.0), "Of cells that the random generator draws.", 0.1
    ),
    "volume_per_atom.1": Number(
        "Largest random volume (Å³ per atom)", (0.1, 1000.0), "Of cells that the random generator draws.", 0.1
    ),
    "descriptor.r_cut": Number("Descriptor's cutoff (Å)", (0.5, 20.0), "The descriptor sees neighbours up to this."),
    "descriptor.alpha": Number(
        "Descriptor's exponent (1/Å²)", (0.001, 100.0), "Of the Gaussian at each neighbour; small ones blur.", 0.1
    ),
}
"""Fields of a target that the form changes; a dot leads to a part of a field."""
PLAIN = ("bond", "bond_window.0", "bond_window.1", "gap", "min_angle")


@st.cache_data(show_spinner="Reading the file", max_entries=10)
def uploaded(name: str, content: bytes) -> "list[tuple[str, Crystals | None, str]]":
    """Return the crystals of an upload: where each stands, and it, or one sentence why it cannot be read."""
    from legocryst.crystal.io.inputs import offers
    from legocryst.crystal.io.structures import FileError

    with TemporaryDirectory() as folder:
        path = Path(folder) / Path(name).name
        path.write_bytes(content)
        try:
            candidates = offers(path)
        except FileError as error:
            return [(path.name, None, shell.sentence(error))]
    return [(offer.place, offer.crystal, offer.reason) for offer in candidates]


@st.cache_data(show_spinner=False, max_entries=4)
def shipped_crystals() -> "pd.DataFrame":
    """Return all shipped crystals: columns `of`, the target's name, `title`, and METHOD's."""
    import pandas as pd

    from legocryst.stages.curate import shipped
    from legocryst.vocabulary.quantities import CRYSTAL_COLUMNS

    parts = []
    for name in shipped_names():
        table = shipped(name)
        numbers = [f"without a name, {k}" for k in range(len(table))]
        title = np.where(table["name"] == "", numbers, table["name"])
        parts.append(table[list(CRYSTAL_COLUMNS)].assign(of=name, title=title))
    return pd.concat([part for part in parts if len(part)], ignore_index=True)


def shipped_crystal(number: int) -> Crystals:
    """Return a row of `shipped_crystals`."""
    from legocryst.crystal.io.table import decode

    row = shipped_crystals().iloc[[number]]
    return decode(row, element=shell.target(row["of"].iloc[0]).atomic_number, max_atoms=10**6).crystals


def edit(start: Target, *, key: str) -> dict[str, Any]:
    """Show a form of a target's numbers; returns all values, for `derive.edited` to check. `key` names the atom."""
    values = start.model_dump()
    has = [name for name in NUMBERS if values[name.partition(".")[0]] is not None]
    _row(values, [name for name in has if name in PLAIN], key)
    with st.expander("More numbers"):
        _row(values, [name for name in has if name not in PLAIN], key)
    return values


def _row(values: dict[str, Any], names: list[str], key: str) -> None:
    columns = st.columns(3)
    for k, name in enumerate(names):
        field, _, part = name.partition(".")
        spec, inside = NUMBERS[name], int(part) if part.isdecimal() else part
        value = float(values[field][inside] if part else values[field])
        low, high = min(spec.bounds[0], value), max(spec.bounds[1], value)  # a saved target may lie outside
        with columns[k % 3]:
            new = st.number_input(
                spec.label, low, high, value, step=spec.step, format="%g", help=spec.help, key=f"{key}.{name}"
            )
        if not part:
            values[field] = new
        elif isinstance(inside, int):
            values[field] = tuple(new if j == inside else old for j, old in enumerate(values[field]))
        else:
            values[field][inside] = new


def in_words(target: Target) -> str:
    """Return a target in a sentence."""
    from legocryst.environment.strain import reference_angles

    low, high = target.bond_window
    angle, count = np.unique(np.round(np.degrees(reference_angles(target)), 1), return_counts=True)
    listed = [f"{value:g}° ({times} times)" for value, times in zip(angle, count, strict=True)]
    between = ", ".join(listed[:6]) + (" and more" if len(listed) > 6 else "")
    return (
        f"{several(target.coordination, 'bond')} of {low:g} to {high:g} Å (ideal {target.bond:g} Å) at each "
        f"{target.element} atom, no other atom nearer than {target.gap:g} Å"
        + (f", no angle below {target.min_angle:g}°." if target.coordination > 1 else ".")
        + (f" Their shape is within {target.vertex_figure.limit:g} (RMSD) of its own." if target.vertex_figure else "")
        + (f" Angles between its bonds: {between}." if listed else "")
    )


def figures_of(target: Target, others: Mapping[str, Target]) -> None:
    """Show radial distribution, angular Fourier series and power spectrum of the reference's first site by target."""
    from legocryst.environment.descriptors import spectra
    from legocryst.environment.distributions import first_angular, first_radial

    every = {target.name: target, **{name: one for name, one in others.items() if name != target.name}}
    crystals = {name: one.reference.crystals() for name, one in every.items()}
    left, middle, right = st.columns(3)
    with left:
        r = np.linspace(0.7 * target.bond, max(2.3 * target.bond, 1.1 * target.gap), 400)
        curves = {name: first_radial(crystal, r) for name, crystal in crystals.items()}
        figure = figures.lines(r, curves, across="Distance (Å)", up="Neighbours per Å")
        caption = "Radial distribution of the atom: the area of a peak is the number of neighbours there. " + shaded(
            figure, target
        )
        figures.show(figure, caption=caption, key="target.radial")
    with middle:
        bars = {
            name: first_angular(crystals[name], cutoff=one.bond_window[1], l_max=ORDERS) for name, one in every.items()
        }
        figure = figures.columns(np.arange(ORDERS + 1), bars, across="Order l", up="Sum of cos(lθ) over pairs of bonds")
        caption = "Angular Fourier series: cos(lθ) summed over all pairs of bonds; θ is the angle between two bonds."
        figures.show(figure, caption=caption, key="target.angular")
    with right:
        size = {"n_max": target.descriptor.n_max, "l_max": target.descriptor.l_max}
        powers = {
            name: spectra(crystals[name], one.descriptor.model_copy(update=size))[0] for name, one in every.items()
        }
        bars = {name: power / np.linalg.norm(power) for name, power in powers.items()}
        figure = figures.columns(np.arange(len(powers[target.name])), bars, across="Component", up="Share of length")
        caption = (
            "Power spectrum, the descriptor that the relaxation brings to this shape; each with its own cutoff and in "
            "units of its own length."
        )
        figures.show(figure, caption=caption, key="target.power")


def use(name: str) -> None:
    """Make a target the one of the next run, whatever else its settings are."""
    forms.fill_in(forms.with_target(forms.run_settings(), name))


def forget(name: str) -> None:
    """Delete a saved target; the next run goes to the default one where it was to this."""
    from legocryst.environment.target_library import delete

    delete(name, shell.workspace())
    if st.session_state.get("settings", {}).get("curate", {}).get("target") == name:
        use(s.CurateSettings().target)


def saved() -> list[tuple[str, "Target | None", str]]:
    """Return each saved target by its name, or the sentence that says what is wrong with its file."""
    out: list[tuple[str, Target | None, str]] = []
    for path in sorted((shell.workspace() / TARGETS).glob("*.json")):
        try:
            out.append((path.stem, read(path), ""))
        except ValueError as error:
            out.append((path.stem, None, shell.sentence(error)))
    return out


def free_name(start: Target) -> str:
    """Return a name for a new target that is not taken yet."""
    stem = f"{start.element}-{start.coordination}".lower()
    taken = shell.target_names()
    numbers = range(1, len(taken) + 2)
    return next(name for k in numbers if (name := stem if k == 1 else f"{stem}-{k}") not in taken)


def nearest_distances(distance: np.ndarray) -> str:
    """Return the first neighbours of an atom by distance, equal ones together: "3 at 1.420, 6 at 2.460"."""
    parts: list[tuple[float, int]] = []
    for r in distance[:20]:
        if parts and math.isclose(parts[-1][0], r, abs_tol=1e-3):
            parts[-1] = parts[-1][0], parts[-1][1] + 1
        else:
            parts.append((float(r), 1))
    return ", ".join(f"{count} at {r:.3f}" for r, count in parts[:4])
