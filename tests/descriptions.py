"""Periodic graphs and crystals written in another way, for tests and benchmarks."""

import numpy as np

from legocryst.crystal import cell as cells_of
from legocryst.crystal.crystals import Crystals
from legocryst.topology.graphs import Quotient, lattice_basis


def rewritten(quotient: Quotient, rng: np.random.Generator, *, cells: int = 1) -> Quotient:
    """The same graph with another cell, `cells` times as large, other labels, origins and directions of edges."""
    i, j, image = quotient.edges[:, 0], quotient.edges[:, 1], quotient.edges[:, 2:]
    d = image.shape[1]
    sublattice = lattice_basis(larger_cell(cells, d, rng))
    corners = list(np.ndindex(*sublattice.diagonal()))
    number = {corner: k for k, corner in enumerate(corners)}
    rows = []
    for corner in corners:
        for a, b, there in zip(i.tolist(), j.tolist(), image + corner, strict=True):
            inside, cell = divided(there, sublattice)
            rows.append([a * cells + number[corner], b * cells + number[inside], *cell])
    table = np.array(rows).reshape(-1, 2 + d)
    n = quotient.n * cells
    origin = rng.integers(-2, 3, (n, d))
    table[:, 2:] = (table[:, 2:] + origin[table[:, 1]] - origin[table[:, 0]]) @ unimodular(d, rng)
    table[:, :2] = rng.permutation(n)[table[:, :2]]
    swapped = rng.random(len(table)) < 0.5
    table[swapped] = np.column_stack([table[:, 1], table[:, 0], -table[:, 2:]])[swapped]
    return Quotient(n, rng.permutation(table))


def divided(vector: np.ndarray, basis: np.ndarray) -> tuple[tuple[int, ...], list[int]]:
    """A vector as a remainder inside the cell of a basis in Hermite normal form, and the cell."""
    left, cell = vector.copy(), []
    for k, row in enumerate(basis):
        cell.append(int(left[k] // row[k]))
        left = left - cell[-1] * row
    return tuple(left.tolist()), cell


def unimodular(d: int, rng: np.random.Generator) -> np.ndarray:
    """A random change of the basis of a lattice."""
    matrix = np.diag(rng.choice([-1, 1], d))
    for _ in range(4 if d > 1 else 0):
        a, b = rng.choice(d, 2, replace=False)
        matrix[a] += rng.integers(-2, 3) * matrix[b]
    return matrix


def larger_cell(cells: int, d: int, rng: np.random.Generator) -> np.ndarray:
    """A random cell `cells` times as large; its rows are in units of the cell."""
    return unimodular(d, rng) @ np.diag(rng.permutation([cells] + [1] * (d - 1))) @ unimodular(d, rng)


def crystal_rewritten(crystals: Crystals, transform: np.ndarray, rng: np.random.Generator, *, noise: float) -> Crystals:
    """A crystal in P1 with another cell, origin and order of atoms, every atom moved at random (angstrom)."""
    lattice = transform @ crystals.lattice[0]
    corners = np.array(list(np.ndindex(*lattice_basis(transform).diagonal())))
    points = (crystals.atoms().fractional[:, None] + corners).reshape(-1, 3) @ crystals.lattice[0]
    points += rng.normal(size=points.shape) * noise / 3**0.5
    points = rng.permutation(points @ np.linalg.inv(lattice) + rng.random(3)) % 1
    return Crystals.build([1], cells_of.cell_of(lattice)[None], [[(6, 0, x) for x in points]])
