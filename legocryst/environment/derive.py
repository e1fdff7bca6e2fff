"""A target of an atom in a crystal: its neighbours give bonds, angles and limits, the crystal the volumes.

The rules below give the shipped targets back, nearly, from graphite and from diamond; all lengths come from the bonds
and from the clear space between these and the next neighbour.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import ValidationError

from legocryst.crystal.crystals import Crystals
from legocryst.crystal.elements import SYMBOLS
from legocryst.environment.neighbors import neighbor_list
from legocryst.environment.strain import angles, reference_angles
from legocryst.environment.target import (
    DescriptorSettings,
    ReferenceCrystal,
    ReferenceSite,
    Target,
    VertexFigure,
    fault,
    shipped_names,
)
from legocryst.environment.target_library import target
from legocryst.environment.vertex_figure import OCTAHEDRON, fit

MOST_BONDS = 12
CLEAR = 1.05
"""The next neighbour is farther than the farthest bond by at least this factor."""
SHORTEST = 0.87
"""The shortest bond allowed, of the shortest there is."""
LONGEST, PUBLISHED, GAP, CUTOFF, SHELL = 0.24, 0.40, 0.465, 0.61, 0.91
"""Lengths between the farthest bond, 0, and the next neighbour, 1: the longest bond allowed, the published criterion's
radius, the nearest allowed other atom, the descriptor's cutoff, and where the relaxation pushes other atoms."""
FAR = 0.75
"""Where the next neighbour is farther off the bonds than this, in bond lengths, it counts as that far."""
ANGLE = 0.7
"""The smallest angle allowed, of the smallest there is."""
SHAPE, OCTAHEDRAL = 0.15, 0.28
"""Largest RMSD of unit bond vectors from the vertex figure; the second of octahedra."""
VOLUMES, START = (0.75, 1.45), 0.69
"""Volumes per atom of random crystals and of a relaxation's start, in those of the crystal."""
LOOSE = 3.1
"""Largest volume per atom that counts, in cubes of the bond length: that of graphite; sheets with vacuum have more."""


@dataclass(frozen=True, slots=True)
class Site:
    """A Wyckoff site of a crystal as one that may become a target."""

    number: int  # from 1
    element: str
    wyckoff: str  # multiplicity and letter
    distances: np.ndarray  # (k,) of its neighbours, ascending, angstrom
    elements: list[str]  # (k,) of its neighbours
    coordination: int  # neighbours before the clearest gap, 0 where there is none


def sites(crystals: Crystals) -> list[Site]:
    """Return the sites of a batch of one, each with its nearest neighbours."""
    atoms, radius = crystals.atoms(), 4.0
    edges = neighbor_list(crystals, radius, atoms=atoms)
    while np.bincount(edges.site, minlength=len(crystals.species)).min() <= MOST_BONDS and radius < 20:
        radius *= 1.25
        edges = neighbor_list(crystals, radius, atoms=atoms)
    out = []
    for k, (number, letter, count) in enumerate(
        zip(crystals.species, crystals.letters, crystals.multiplicity, strict=True)
    ):
        here = np.flatnonzero(edges.site == k)
        here = here[np.argsort(edges.distance[here], kind="stable")]
        distance = edges.distance[here]
        elements = [SYMBOLS[z] for z in atoms.species[edges.atom[here]]]
        out.append(Site(k + 1, SYMBOLS[number], f"{count}{letter}", distance, elements, _coordination(distance)))
    return out


def _coordination(distance: np.ndarray) -> int:
    """Return neighbours before the largest gap, as a ratio of distances; 0 where no gap is clear."""
    most = min(MOST_BONDS, len(distance) - 1)
    if most < 1:
        return 0
    ratio = distance[1 : most + 1] / distance[:most]
    return int(ratio.argmax()) + 1 if ratio.max() >= CLEAR else 0


def derive(
    crystals: Crystals, atom: int, *, name: str, title: str = "", coordination: int = 0, reference: str = ""
) -> Target:
    """Return the target of one site of a batch of one; `atom` counts its sites from 1, `coordination` 0 is by the gap.

    `reference` is the name of the crystal. Raises ValueError with one sentence for a site that is not there, a crystal
    of several elements, or neighbours without a gap behind the last bond.
    """
    choices = sites(crystals)
    if not 1 <= atom <= len(choices):
        raise ValueError(f"the crystal has no atom {atom}: its atoms, one for each site, are 1 to {len(choices)}")
    elements = sorted({site.element for site in choices})
    if len(elements) > 1:
        raise ValueError(
            f"the crystal has several elements ({', '.join(elements)}), and a target has one: pick a crystal of one"
        )
    site = choices[atom - 1]
    bonds = coordination or site.coordination
    _check(site, bonds)
    distance = site.distances
    shortest, farthest, bond = distance[0], distance[bonds - 1], float(distance[:bonds].mean())
    clear = min(distance[bonds] - farthest, FAR * bond)
    cutoff = round(farthest + CUTOFF * clear, 3)
    usual = DescriptorSettings()
    descriptor = DescriptorSettings(r_cut=cutoff, alpha=round(usual.alpha * (usual.r_cut / cutoff) ** 2, 4))
    volume = min(float(crystals.volume[0] / crystals.atom_count[0]), LOOSE * bond**3)
    like = _like(site.element, bonds)
    return Target(
        name=name,
        title=title or f"{bonds}-coordinated {site.element} as in {reference or 'a crystal of the user'}",
        element=site.element,
        coordination=bonds,
        bond=round(bond, 4),
        bond_window=(round(SHORTEST * shortest, 3), round(farthest + LONGEST * clear, 3)),
        gap=round(farthest + GAP * clear, 3),
        second_shell=round(farthest + SHELL * clear, 3),
        min_angle=_min_angle(crystals, atom - 1, farthest + LONGEST * clear),
        published_cutoff=round(farthest + PUBLISHED * clear, 3),
        volume_per_atom=(round(VOLUMES[0] * volume, 2), round(VOLUMES[1] * volume, 2)),
        start_volume=round(START * volume, 2),
        descriptor=descriptor,
        reference=reference_crystal(crystals, atom - 1, name=reference or name),
        orbitals=like.orbitals if like else None,
        vertex_figure=vertex_figure(crystals, atom - 1, farthest + LONGEST * clear),
        energy_reference=_energy_reference(site.element),
    )


def vertex_figure(crystals: Crystals, site: int, reach: float) -> VertexFigure | None:
    """Return the directions of the neighbours of a site within reach (angstrom), None where it has but one.

    Octahedra may be distorted more than other shapes, as those of known oxides are.
    """
    edges = neighbor_list(crystals, reach)
    vectors = edges.vector[edges.site == site]
    if len(vectors) < 2:
        return None
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    octahedral = len(units) == len(OCTAHEDRON) and fit(units[None], OCTAHEDRON).rmsd[0] < SHAPE
    listed = tuple((float(x), float(y), float(z)) for x, y, z in np.round(units, 6) + 0.0)
    return VertexFigure(directions=listed, limit=OCTAHEDRAL if octahedral else SHAPE)


def reference_crystal(crystals: Crystals, first: int, *, name: str) -> ReferenceCrystal:
    """Return a batch of one as the reference of a target, with one of its sites put first."""
    order = [first, *(k for k in range(len(crystals.species)) if k != first)]
    lengths, angle = crystals.cell[0, :3], np.degrees(crystals.cell[0, 3:])
    a, b, c, alpha, beta, gamma = (round(float(x), 8) for x in (*lengths, *angle))
    points = np.round(crystals.coordinates, 10) + 0.0
    listed = [
        ReferenceSite(
            element=SYMBOLS[crystals.species[k]],
            letter=str(crystals.letters[k]),
            point=(float(points[k, 0]), float(points[k, 1]), float(points[k, 2])),
        )
        for k in order
    ]
    group = int(crystals.group[0])
    return ReferenceCrystal(name=name, space_group=group, cell=(a, b, c, alpha, beta, gamma), sites=tuple(listed))


def _check(site: Site, bonds: int) -> None:
    distance = site.distances
    if len(distance) <= max(bonds, 1):
        raise ValueError(f"atom {site.number} has {len(distance)} neighbours within 20 angstrom: pick another")
    near = ", ".join(f"{r:.2f}" for r in distance[:8])
    if not bonds:
        raise ValueError(
            f"the neighbours of atom {site.number} are at {near} ... angstrom, without a clear gap: say how many are "
            "bonds"
        )
    if bonds > MOST_BONDS:
        raise ValueError(f"an atom has at most {MOST_BONDS} bonds, not {bonds}")
    if distance[bonds] < CLEAR * distance[bonds - 1]:
        raise ValueError(
            f"the neighbours of atom {site.number} are at {near} ... angstrom: there is no gap after number {bonds}"
        )


def _min_angle(crystals: Crystals, site: int, reach: float) -> float:
    edges = neighbor_list(crystals, reach)
    between = angles(edges.vector[edges.site == site][None])
    return round(ANGLE * float(np.degrees(between.min())), 1) if between.size else 0.0


def _like(element: str, bonds: int) -> Target | None:
    """Return the shipped target with this element and number of bonds, whose tight-binding model then holds too."""
    every = map(target, shipped_names())
    return next((each for each in every if (each.element, each.coordination) == (element, bonds)), None)


def _energy_reference(element: str) -> str:
    """Return the shipped target of this element from which energies are counted, "" for the new target's own."""
    every = map(target, shipped_names())
    return next((each.name for each in every if each.element == element and not each.energy_reference), "")


def edited(of: Target, changes: Mapping[str, Any]) -> Target:
    """Return a target with other values; raises ValueError, one sentence, for an unknown field or a wrong value.

    The reference crystal has to keep the target's number of bonds within the window. Another number of bonds has no
    vertex figure yet.
    """
    known = [name for name in Target.model_fields if name not in ("reference", "orbitals")]
    for name in changes:
        if name not in known:
            raise ValueError(f"a target has no {name!r} that can be changed: choose one of {', '.join(known)}")
    figure = {} if changes.get("coordination", of.coordination) == of.coordination else {"vertex_figure": None}
    try:
        new = Target.model_validate({**of.model_dump(), **figure, **changes})
    except ValidationError as error:
        raise ValueError(f"the target cannot be so: {fault(error)}") from error
    if new.element != of.element:
        raise ValueError(f"the element is that of the atom, {of.element}: pick another crystal for {new.element}")
    reference_angles(new)
    return new
