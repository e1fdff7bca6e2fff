"""Minimisers of one crystal after another: L-BFGS (see `lbfgs`) and Adam, through all stages.

Adam: Kingma & Ba, arXiv 1412.6980.
"""

from math import inf, sqrt
from typing import NamedTuple

import numpy as np

from legocryst.environment.descriptors import Scratch, scratch
from legocryst.environment.neighbors import find_neighbors
from legocryst.infra.compiled import compiled
from legocryst.relax.lbfgs import FAILS, HISTORY, Descent, begin, bound, propose, take
from legocryst.relax.objective import Objectives, add_coordination, add_environment
from legocryst.relax.system import System, place, pull_back

SKIN = 0.6
"""A neighbour list reaches this many angstrom beyond the cutoff."""
GAMMA = 0.1
"""Inverse Hessian that L-BFGS begins with."""
TOLERANCE = 1e-6
"""A stage ends below this value per atom, or when WINDOW evaluations lower it by a smaller share than its `stall`."""
WINDOW = 10
PATIENCE = 25
"""Evaluations of a stage after which a hopeless crystal leaves before the stage ends."""
BONDS, BONDS_OF_SITE = 4096, 256
"""Most bonds on a crystal's list, in all, or for each site; where more are found the value is infinite."""


class Stages(NamedTuple):
    """Minimisations one after the other; the last one's end is the result."""

    weight: np.ndarray  # (stages, objectives) in the order of `OBJECTIVES`
    steps: np.ndarray  # (stages,) most evaluations
    stall: np.ndarray  # (stages,) see TOLERANCE
    hopeless: np.ndarray  # (stages,) a crystal above this value per atom is given up
    cutoff: float  # angstrom, the largest of the objectives'
    max_step: float  # angstrom that an atom moves in one step, at most


class Workspace(NamedTuple):
    """Where one crystal is minimised; room for s sites, a atoms, v variables and e bonds."""

    x: np.ndarray  # (v,) the best so far
    trial: np.ndarray  # (v,)
    gradient: np.ndarray  # (v,) at x
    trial_gradient: np.ndarray  # (v,)
    step: np.ndarray  # (v,)
    moves: np.ndarray  # (HISTORY, v); Adam's mean gradient and its mean square
    changes: np.ndarray  # (HISTORY, v)
    inverse: np.ndarray  # (HISTORY,) of the products of moves and changes
    product: np.ndarray  # (HISTORY,)
    past: np.ndarray  # (WINDOW,) values
    lattice: np.ndarray  # (3, 3)
    fractional: np.ndarray  # (a, 3)
    lattice_pull: np.ndarray  # (3, 3)
    fractional_pull: np.ndarray  # (a, 3)
    listed_lattice: np.ndarray  # (3, 3) inverse, when the list was made; NaN where there is none
    listed_points: np.ndarray  # (s, 3)
    first: np.ndarray  # (s + 1,) bonds of each site, the nearest first
    atom: np.ndarray  # (e,)
    image: np.ndarray  # (e, 3)
    vector: np.ndarray  # (e, 3)
    distance: np.ndarray  # (e,)
    force: np.ndarray  # (e, 3) gradient over the vectors
    lists: np.ndarray  # (1,) neighbour lists made so far
    scratch: Scratch


def workspace(system: System, objectives: Objectives) -> Workspace:
    """Return room for any crystal of a system."""
    variables = int(np.diff(system.first_variable).max(initial=1))
    sites = int(np.diff(system.first_site).max(initial=1))
    atoms = int(np.diff(system.first_atom[system.first_site]).max(initial=1))
    bonds = max(BONDS, BONDS_OF_SITE * sites)
    return Workspace(
        x=np.zeros(variables),
        trial=np.zeros(variables),
        gradient=np.zeros(variables),
        trial_gradient=np.zeros(variables),
        step=np.zeros(variables),
        moves=np.zeros((HISTORY, variables)),
        changes=np.zeros((HISTORY, variables)),
        inverse=np.zeros(HISTORY),
        product=np.zeros(HISTORY),
        past=np.zeros(WINDOW),
        lattice=np.zeros((3, 3)),
        fractional=np.zeros((atoms, 3)),
        lattice_pull=np.zeros((3, 3)),
        fractional_pull=np.zeros((atoms, 3)),
        listed_lattice=np.zeros((3, 3)),
        listed_points=np.zeros((sites, 3)),
        first=np.zeros(sites + 1, np.int64),
        atom=np.zeros(bonds, np.int64),
        image=np.zeros((bonds, 3)),
        vector=np.zeros((bonds, 3)),
        distance=np.zeros(bonds),
        force=np.zeros((bonds, 3)),
        lists=np.zeros(1, np.int64),
        scratch=scratch([each.descriptor for each in objectives.environments], bonds),
    )


@compiled
def minimize(
    system: System,
    objectives: Objectives,
    stages: Stages,
    adam: bool,
    work: Workspace,
    x: np.ndarray,
    evaluations: np.ndarray,
) -> None:
    """Minimise all crystals; fills x (v,) and evaluations (n,)."""
    for k in range(len(evaluations)):
        minimize_one(system, k, objectives, stages, adam, work, x, evaluations)


@compiled
def minimize_one(
    system: System,
    k: int,
    objectives: Objectives,
    stages: Stages,
    adam: bool,
    work: Workspace,
    x: np.ndarray,
    evaluations: np.ndarray,
) -> None:
    """Take crystal k through the stages until it is hopeless; fills its part of x and evaluations."""
    first, last = system.first_variable[k], system.first_variable[k + 1]
    work.x[: last - first] = 0.0
    work.listed_lattice[:, :] = np.nan
    evaluations[k] = 0
    for stage in range(len(stages.steps)):
        if adam:
            count, hopeless = _adam(system, k, objectives, stages, stage, work)
        else:
            count, hopeless = _lbfgs(system, k, objectives, stages, stage, work)
        evaluations[k] += count
        if hopeless:
            break
    _copy(work.x, x[first:last])


@compiled
def evaluate(
    system: System,
    k: int,
    objectives: Objectives,
    weight: np.ndarray,
    cutoff: float,
    work: Workspace,
    x: np.ndarray,
    gradient: np.ndarray,
) -> float:
    """Compute the value of crystal k at variables x, sum of its atoms, and gradient; infinite for too many bonds."""
    place(system, k, x, work.lattice, work.fractional)
    if not _list_holds(system, k, cutoff, work) and not _make_list(system, k, objectives, cutoff, work):
        return inf
    site, value = system.first_site[k], 0.0
    start = system.first_atom[site]
    work.lattice_pull[:, :] = 0.0
    work.fractional_pull[: system.first_atom[system.first_site[k + 1]] - start] = 0.0
    for s in range(site, system.first_site[k + 1]):
        begin, end = work.first[s - site], work.first[s - site + 1]
        centre, multiplicity = system.first_atom[s] - start, system.first_atom[s + 1] - system.first_atom[s]
        _measure(centre, begin, end, work)
        scale = weight[0] * multiplicity
        if scale > 0:
            c = objectives.coordination
            value += scale * add_coordination(c, begin, end, work.vector, work.distance, scale, work.force)
        for i in range(len(objectives.environments)):
            scale = weight[i + 1] * multiplicity
            if scale > 0:
                value += scale * add_environment(
                    objectives.environments[i],
                    begin,
                    end,
                    work.vector,
                    work.distance,
                    work.atom,
                    system.species[start:],
                    scale,
                    work.scratch,
                    work.force,
                )
        _collect(centre, begin, end, work)
    pull_back(system, k, work.lattice_pull, work.fractional_pull, gradient)
    return value


@compiled
def _measure(centre: int, begin: int, end: int, work: Workspace) -> None:
    """Compute vectors and distances of the bonds of one site; no force yet."""
    for e in range(begin, end):
        square = 0.0
        for i in range(3):
            work.vector[e, i] = 0.0
            work.force[e, i] = 0.0
        for j in range(3):
            f = work.fractional[work.atom[e], j] - work.fractional[centre, j] + work.image[e, j]
            for i in range(3):
                work.vector[e, i] += f * work.lattice[j, i]
        for i in range(3):
            square += work.vector[e, i] * work.vector[e, i]
        work.distance[e] = sqrt(square)


@compiled
def _collect(centre: int, begin: int, end: int, work: Workspace) -> None:
    """Add the forces on the bonds of one site to the gradients over the lattice and over the atoms."""
    for e in range(begin, end):
        fx, fy, fz = work.force[e]
        if fx == 0 and fy == 0 and fz == 0:
            continue
        for j in range(3):
            f = work.fractional[work.atom[e], j] - work.fractional[centre, j] + work.image[e, j]
            work.lattice_pull[j, 0] += f * fx
            work.lattice_pull[j, 1] += f * fy
            work.lattice_pull[j, 2] += f * fz
            pull = work.lattice[j, 0] * fx + work.lattice[j, 1] * fy + work.lattice[j, 2] * fz
            work.fractional_pull[work.atom[e], j] += pull
            work.fractional_pull[centre, j] -= pull


@compiled
def _list_holds(system: System, k: int, cutoff: float, work: Workspace) -> bool:
    """Return False where an atom that is not on the list may have come within the cutoff.

    A vector v becomes v F + u with the change F of the lattice and the difference u of two displacements, so that it
    keeps at least |v| (1 - |F - 1|) - |u|. The operations keep lengths: all atoms of a site move as the first.
    """
    if np.isnan(work.listed_lattice[0, 0]):
        return False
    change = 0.0
    for i in range(3):
        for j in range(3):
            each = -1.0 if i == j else 0.0
            for m in range(3):
                each += work.listed_lattice[i, m] * work.lattice[m, j]
            change += each * each
    furthest, site = 0.0, system.first_site[k]
    for s in range(site, system.first_site[k + 1]):
        a, square = system.first_atom[s] - system.first_atom[site], 0.0
        for j in range(3):
            shift = 0.0
            for m in range(3):
                shift += (work.fractional[a, m] - work.listed_points[s - site, m]) * work.lattice[m, j]
            square += shift * shift
        furthest = max(furthest, square)
    return (cutoff + SKIN) * (1 - sqrt(change)) - 2 * sqrt(furthest) >= cutoff


@compiled
def _make_list(system: System, k: int, objectives: Objectives, cutoff: float, work: Workspace) -> bool:
    """Make a new list of the bonds of crystal k, the nearest of each site first; False where there are too many."""
    site, atoms = system.first_site[k], system.first_atom[system.first_site[k + 1]]
    start, nearest = system.first_atom[site], objectives.coordination.coordination
    room = max(BONDS, BONDS_OF_SITE * (system.first_site[k + 1] - site))
    work.first[0] = 0
    work.lists[0] += 1
    work.listed_lattice[:, :] = np.nan
    for s in range(site, system.first_site[k + 1]):
        centre, begin = system.first_atom[s] - start, work.first[s - site]
        end = find_neighbors(
            work.lattice,
            work.fractional,
            0,
            atoms - start,
            centre,
            cutoff + SKIN,
            begin,
            work.atom[:room],
            work.image,
            work.distance,
        )
        if end < 0:
            return False
        _nearest_first(begin, min(begin + nearest, end), end, work)
        work.first[s - site + 1] = end
        for j in range(3):
            work.listed_points[s - site, j] = work.fractional[centre, j]
    _invert(work.lattice, work.listed_lattice)
    return True


@compiled
def _nearest_first(begin: int, middle: int, end: int, work: Workspace) -> None:
    """Bring the nearest to the places begin..middle - 1; of equally near ones, those first on the list."""
    for place_of in range(begin, middle):
        best = place_of
        for e in range(place_of + 1, end):
            if work.distance[e] < work.distance[best] - 1e-7:
                best = e
        work.atom[place_of], work.atom[best] = work.atom[best], work.atom[place_of]
        work.distance[place_of], work.distance[best] = work.distance[best], work.distance[place_of]
        for j in range(3):
            work.image[place_of, j], work.image[best, j] = work.image[best, j], work.image[place_of, j]


@compiled
def _invert(matrix: np.ndarray, out: np.ndarray) -> None:
    """Invert a matrix (3, 3) by its cofactors."""
    for i in range(3):
        for j in range(3):
            a, b = (j + 1) % 3, (j + 2) % 3
            c, d = (i + 1) % 3, (i + 2) % 3
            out[i, j] = matrix[a, c] * matrix[b, d] - matrix[a, d] * matrix[b, c]
    determinant = matrix[0, 0] * out[0, 0] + matrix[0, 1] * out[1, 0] + matrix[0, 2] * out[2, 0]
    for i in range(3):
        for j in range(3):
            out[i, j] /= determinant


@compiled
def _ended(value: float, count: int, atoms: int, stall: float, past: np.ndarray) -> bool:
    """Say whether the value is small, or the last evaluations lowered it too little."""
    before = past[count % WINDOW]
    past[count % WINDOW] = value
    return value <= TOLERANCE * atoms or (count > WINDOW and before - value < stall * before)


@compiled
def _copy(source: np.ndarray, target: np.ndarray) -> None:
    """Fill `target` from the start of `source`; slices of arrays cannot be assigned to each other on a CUDA device."""
    for v in range(len(target)):
        target[v] = source[v]


@compiled
def _lbfgs(
    system: System,
    k: int,
    objectives: Objectives,
    stages: Stages,
    stage: int,
    work: Workspace,
) -> tuple[int, bool]:
    """Run one stage by L-BFGS from `work.x` on; returns the evaluations, and whether it is hopeless.

    It ends early when `FAILS` shorter steps in a row did not lower the value.
    """
    first, last = system.first_variable[k], system.first_variable[k + 1]
    n = last - first
    atoms = system.first_atom[system.first_site[k + 1]] - system.first_atom[system.first_site[k]]
    weight, limit = stages.weight[stage], stages.hopeless[stage] * atoms
    d = Descent(
        work.x[:n],
        work.trial[:n],
        work.gradient[:n],
        work.trial_gradient[:n],
        work.step[:n],
        system.reach[first:last],
        work.moves,
        work.changes,
        work.inverse,
        work.product,
    )
    s, count = begin(d, GAMMA), 0
    while count < stages.steps[stage]:
        propose(d, s)
        new = evaluate(system, k, objectives, weight, stages.cutoff, work, d.trial, d.trial_gradient)
        count += 1
        s = take(d, s, new, stages.max_step)
        ended = _ended(s.value, count, atoms, stages.stall[stage], work.past) or s.fails >= FAILS
        if ended or (s.value > limit and count >= PATIENCE):
            break
    return count, s.value > limit


@compiled
def _adam(
    system: System,
    k: int,
    objectives: Objectives,
    stages: Stages,
    stage: int,
    work: Workspace,
) -> tuple[int, bool]:
    """Run one stage by Adam from `work.x` on, the step falling from `max_step` / 4; the best point met is kept."""
    first, last = system.first_variable[k], system.first_variable[k + 1]
    n, reach = last - first, system.reach[first:last]
    x, trial, step, gradient = work.x[:n], work.trial[:n], work.step[:n], work.gradient[:n]
    mean, square = work.moves[0, :n], work.moves[1, :n]
    atoms = system.first_atom[system.first_site[k + 1]] - system.first_atom[system.first_site[k]]
    weight, limit = stages.weight[stage], stages.hopeless[stage] * atoms
    mean[:], square[:] = 0.0, 0.0
    _copy(x, trial)
    value, count = inf, 0
    while count < stages.steps[stage]:
        new = evaluate(system, k, objectives, weight, stages.cutoff, work, trial, gradient)
        count += 1
        if new < value:
            value = new
            _copy(trial, x)
        elif new == inf:  # too far: the gradient is that of the point before
            mean[:], square[:], gradient[:] = 0.0, 0.0, 0.0
            _copy(x, trial)
        rate = stages.max_step / 4 / (1 + count / 50)
        for v in range(n):
            mean[v] = 0.9 * mean[v] + 0.1 * gradient[v]
            square[v] = 0.99 * square[v] + 0.01 * gradient[v] ** 2
            root = sqrt(square[v] / (1 - 0.99**count)) + 1e-12
            step[v] = -rate / reach[v] * mean[v] / (1 - 0.9**count) / root
        bound(step, reach, stages.max_step)
        for v in range(n):
            trial[v] += step[v]
        if _ended(value, count, atoms, stages.stall[stage], work.past) or (value > limit and count >= PATIENCE):
            break
    return count, value > limit
