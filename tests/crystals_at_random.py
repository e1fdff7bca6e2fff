"""Random symmetric crystals for tests: every group, any positions, plausible densities."""

import numpy as np

from legocryst.crystal import cell as cells
from legocryst.crystal.crystals import Crystals
from legocryst.crystal.symmetry.wyckoff import wyckoff


def random_crystals(
    n: int, *, seed: int, max_sites: int = 3, max_atoms: int = 96, groups: list[int] | None = None
) -> Crystals:
    """n crystals of carbon; `groups` names the groups to draw from (all if None)."""
    rng, table = np.random.default_rng(seed), wyckoff()
    number: list[int] = []
    cell: list[np.ndarray] = []
    sites: list[list[tuple]] = []
    while len(number) < n:
        group = int(rng.choice(groups)) if groups else int(rng.integers(1, 231))
        chosen = rng.integers(len(table.positions(group)), size=rng.integers(1, max_sites + 1))
        ids = table.first[group] + chosen
        repeated = len(set(chosen)) < len(chosen) and not table.free[ids].any(axis=1).all()
        atoms = int(table.multiplicity[ids].sum())
        if repeated or atoms > max_atoms:
            continue
        op = table.op_first[ids]
        points = np.einsum("sij,sj->si", table.rotation[op], rng.random((len(ids), 3))) + table.translation[op]
        edge = (atoms * rng.uniform(7, 12)) ** (1 / 3)
        number.append(group)
        cell.append(np.r_[edge * rng.uniform(0.7, 1.4, 3), np.radians(rng.uniform(75, 105, 3))])
        sites.append([(6, int(k), point % 1) for k, point in zip(chosen, points, strict=True)])
    groups_array = np.array(number)
    return Crystals.build(groups_array, cells.symmetrized(groups_array, np.array(cell)), sites)


def spaced_crystals(n: int, *, seed: int, distance: float, max_atoms: int, groups: list[int]) -> Crystals:
    """n random crystals in which no two atoms are nearer than `distance` angstrom."""
    from legocryst.environment.neighbors import neighbor_list

    result = Crystals.concatenate([])
    while len(result) < n:
        made = random_crystals(50, seed=seed, max_atoms=max_atoms, groups=groups)
        close = np.unique(made.crystal_of_site[neighbor_list(made, distance).site])
        result, seed = Crystals.concatenate([result, made.take(np.delete(np.arange(50), close))]), seed + 1
    return result.take(slice(0, n))


def separated_crystal(group: int, *, max_atoms: int, distance: float = 0.4) -> Crystals:
    """A random crystal of a group, no two atoms nearer than `distance` angstrom."""
    from legocryst.crystal.io.structures import to_structure

    for seed in range(group, group + 50):
        crystals = random_crystals(1, seed=seed, groups=[group], max_sites=2, max_atoms=max_atoms)
        between = to_structure(crystals).distance_matrix
        if len(between) == 1 or between[~np.eye(len(between), dtype=bool)].min() > distance:
            return crystals
    raise AssertionError(f"no crystal without overlap in group {group}")
