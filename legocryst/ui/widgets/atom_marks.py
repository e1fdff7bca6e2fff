"""What sets atoms of a drawing apart: their site, their bonds or their rings; each mark is a colour and a word."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from legocryst.crystal.crystals import Crystals
from legocryst.crystal.elements import SYMBOLS
from legocryst.crystal.symmetry.wyckoff import wyckoff

KINDS = ("Element", "Site", "Coordination", "Ring size")
COLORS = ("#2f7ab0", "#d9822b", "#3d8f6e", "#a0527f", "#8a7a3d", "#7a6fb0", "#c0504d", "#5d9aa8")
"""Distinct for most colour-blind readers; each stands by its word in the legend, and on the atoms on request."""


@dataclass(frozen=True, slots=True)
class Marks:
    """Marks of the atoms of a crystal's conventional cell."""

    title: str
    short: tuple[str, ...]  # (k,) what is written on an atom
    words: tuple[str, ...]  # (k,) what the legend says
    of: np.ndarray  # (atoms,) number of each atom's mark

    def legend(self) -> list[dict[str, str]]:
        """Return each mark with its colour, where it has one: elements are drawn in their usual ones."""
        colors = [""] * len(self.short) if self.title == KINDS[0] else COLORS
        return [
            {"short": short, "words": words, "color": colors[k % len(colors)]}
            for k, (short, words) in enumerate(zip(self.short, self.words, strict=True))
        ]


def marks(crystals: Crystals, i: int = 0, *, kind: str, cutoff: float) -> Marks:
    """Return marks of one of `KINDS`; pairs up to `cutoff` angstrom are bonds. Raises ValueError for another kind."""
    one = crystals.take([i])
    site = one.atoms().site
    match kind:
        case "Element":
            return _marks(kind, [SYMBOLS[z] for z in one.species], site, "{}")
        case "Site":
            data, ids = wyckoff(), one.position_id
            words = [
                f"{SYMBOLS[z]} at {m}{letter} ({symmetry})"
                for z, m, letter, symmetry in zip(
                    one.species, data.multiplicity[ids], data.letter[ids], data.site_symmetry[ids], strict=True
                )
            ]
            return Marks(kind, tuple(str(k + 1) for k in range(len(words))), tuple(words), site)
        case "Coordination":
            return _marks(kind, [str(n) for n in coordination(one, cutoff=cutoff)], site, "{} bonds")
        case "Ring size":
            sizes = ring_sizes(one, cutoff=cutoff)
            return _marks(kind, [" ".join(map(str, of_atom)) or "none" for of_atom in sizes], site, "rings: {}")
    raise ValueError(f"atoms are not marked by {kind!r}: choose one of {', '.join(KINDS)}")


def _marks(kind: str, of_site: Sequence[str], site: np.ndarray, words: str) -> Marks:
    """Return each value of the sites once, in order of number."""
    short = sorted(set(of_site), key=lambda text: ([int(n) for n in text.split() if n.isdigit()], text))
    number = np.array([short.index(text) for text in of_site], int)
    texts = [words.format(text) for text in short]
    return Marks(kind, tuple(short), tuple("1 bond" if text == "1 bonds" else text for text in texts), number[site])


def coordination(crystal: Crystals, *, cutoff: float) -> list[int]:
    """Return bonds of an atom of each site of the one crystal of a batch, images of one neighbour counted each."""
    from legocryst.environment.neighbors import neighbor_list

    edges = neighbor_list(crystal, cutoff)
    return [int(n) for n in np.bincount(edges.site, minlength=len(crystal.species))]


def ring_sizes(crystal: Crystals, *, cutoff: float) -> list[tuple[int, ...]]:
    """Find sizes of the shortest rings at the angles of an atom of each site, each size once.

    () where there is none.
    """
    from legocryst.topology.graphs import PeriodicGraph
    from legocryst.topology.nets import bond_graph

    walks, site = PeriodicGraph(bond_graph(crystal, 0, cutoff=cutoff)), crystal.atoms().site.tolist()
    angles = [walks.angles(site.index(k)) for k in range(len(crystal.species))]
    return [tuple(sorted({size for size, _ in of_atom if size})) for of_atom in angles]
