"""Novelty: how well duplicates are found, at which tolerance, and what distances cost.

python -m benchmarks.novelty copies [--copies 1000]   distorted copies of 100 shipped crystals, grouped again
python -m benchmarks.novelty tolerance                distances of copies, and between different nets
python -m benchmarks.novelty judged [--rows 3000]     crystals from random rows: what StructureMatcher says of pairs
python -m benchmarks.novelty speed                    CPU-ms of a distribution, of a distance, of the nearest of 180
"""

import argparse
import os
import time
from collections.abc import Sequence
from itertools import combinations

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from benchmarks.features import random_table
from legocryst.comparison.duplicates import TOLERANCE, grouped, matches
from legocryst.comparison.novelty import SHIPPED
from legocryst.comparison.pdd import PDD, amds, distance, pdds
from legocryst.crystal import cell as cells_of
from legocryst.crystal.crystals import Crystals
from legocryst.crystal.io.structures import to_structure
from legocryst.crystal.io.table import decode
from legocryst.environment.target_library import target
from legocryst.relax import relax
from legocryst.settings import RelaxSettings
from legocryst.stages.curate import known, shipped
from legocryst.topology.nets import nets
from tests.descriptions import crystal_rewritten, larger_cell

TARGET = target("sp2-carbon")
CUTOFF = TARGET.bond_window[1]
SOURCES, MAX_ATOMS = 100, 40
"""Shipped crystals, and the most atoms of each in the conventional cell."""
MOST_JUDGED = 60
"""Larger crystals are not given to StructureMatcher, which takes long."""
NOISE, STRAIN = 0.02, 0.005
"""Angstrom by which atoms move (root mean square), and largest component of the strain of the cell."""


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["copies", "tolerance", "judged", "speed"])
    parser.add_argument("--copies", type=int, default=1000, help="how many copies (default 1000)")
    parser.add_argument("--rows", type=int, default=3000, help="how many random rows are relaxed (default 3000)")
    options = parser.parse_args()
    nets(TARGET.reference.crystals(), cutoff=CUTOFF)  # compiled functions are loaded
    distance(*pdds(Crystals.concatenate([TARGET.reference.crystals()] * 2), TARGET))
    matches(*[to_structure(TARGET.reference.crystals())] * 2)
    if options.what == "copies":
        copies(options.copies)
    elif options.what == "tolerance":
        tolerance()
    elif options.what == "judged":
        judged(options.rows)
    else:
        speed()


def sources() -> Crystals:
    """Return the crystals that are copied; all have different nets."""
    table = shipped("sp2-carbon")
    return decode(table[table["atoms"] <= MAX_ATOMS].iloc[:SOURCES], element=6).crystals


def distorted(crystal: Crystals, rng: np.random.Generator, noise: float = NOISE, most: float = STRAIN) -> Crystals:
    """Return crystals in another cell, up to four times as large, with other origin and order, rattled and strained."""
    other = crystal_rewritten(crystal, larger_cell(int(rng.integers(1, 5)), 3, rng), rng, noise=noise)
    strain = most * rng.uniform(-1, 1, (3, 3))
    lattice = other.lattice[0] @ (np.eye(3) + (strain + strain.T) / 2)
    cell = cells_of.cell_of(lattice)[None]
    return Crystals(other.group, cell, other.first_site, other.species, other.position, other.coordinates)


def copies(number: int) -> None:
    """Measure precision and recall over pairs of copies, by nets, by distances and by both, as `duplicates` does."""
    few, rng = sources(), np.random.default_rng(0)
    truth = np.arange(number) % len(few)
    made = Crystals.concatenate([distorted(few.take([int(k)]), rng) for k in truth])
    count = made.atom_count
    print(
        f"{number} copies of {len(few)} crystals in P1, {count.min()} to {count.max()} atoms, mean {count.mean():.0f}"
    )
    began = time.process_time()
    keys = [net.key for net in nets(made, cutoff=CUTOFF)]
    by_net = time.process_time()
    invariants = pdds(made, TARGET)
    by_pdd = time.process_time()
    groups = labels(number, [(one.same_as, one.crystal) for one in grouped(keys, invariants, made)])
    end = time.process_time()
    both = f"{by_net - began:.1f} + {by_pdd - by_net:.1f} + {end - by_pdd:.1f} = {end - began:.1f} CPU-s"
    print(f"as duplicates does (nets + distributions + groups): {score(truth, groups)}; {both}")
    first = {key: k for k, key in reversed(list(enumerate(keys)))}
    print(f"by net key alone: {score(truth, np.array([first[key] for key in keys]))}; {by_net - began:.1f} CPU-s")
    began = time.process_time()
    near = labels(number, [(i, j) for i, j, _ in within(invariants, TOLERANCE)])
    seconds = by_pdd - by_net + time.process_time() - began
    print(f"by distance alone, up to {TOLERANCE} angstrom: {score(truth, near)}; {seconds:.1f} CPU-s")


def within(invariants: Sequence[PDD], limit: float) -> list[tuple[int, int, float]]:
    """Return all pairs within a distance."""
    average, out = amds(invariants), []
    for i in range(len(invariants)):
        near = (np.flatnonzero(np.abs(average[i + 1 :] - average[i]).max(axis=1) <= limit) + i + 1).tolist()
        out += [(i, j, apart) for j in near if (apart := distance(invariants[i], invariants[j])) <= limit]
    return out


def labels(number: int, pairs: list[tuple[int, int]]) -> np.ndarray:
    """Return a label (n,) for each of some things, the same for those that a chain of pairs joins."""
    label = np.arange(number)
    for i, j in pairs:
        label[label == label[j]] = label[i]
    return label


def score(truth: np.ndarray, label: np.ndarray) -> str:
    """Return precision and recall over all pairs."""
    same, said = truth[:, None] == truth, label[:, None] == label
    above = np.triu_indices(len(truth), 1)
    right = (same & said)[above].sum()
    return f"precision {right / said[above].sum():.4f}, recall {right / same[above].sum():.4f}"


def tolerance() -> None:
    """Measure distances of copies by noise and strain, and between the shipped crystals, all different nets."""
    few, rng = sources(), np.random.default_rng(0)
    for noise, strain in ((0.0, 0.0), (0.02, 0.0), (0.02, 0.005), (0.02, 0.01), (0.05, 0.01)):
        apart = []
        for k in range(0, len(few), 2):
            invariants = pdds(
                Crystals.concatenate([distorted(few.take([k]), rng, noise, strain) for _ in range(3)]), TARGET
            )
            apart += [distance(one, other) for one, other in combinations(invariants, 2)]
        print(f"noise {noise}, strain {strain}: median {np.median(apart):.3f}, largest {max(apart):.3f} angstrom")
    table = shipped("sp2-carbon")
    invariants = pdds(decode(table, max_atoms=1000, element=6).crystals, TARGET)
    pairs = sorted((apart, table["name"][i], table["name"][j]) for i, j, apart in within(invariants, 0.25))
    total = len(invariants) * (len(invariants) - 1) // 2
    for limit in (0.05, 0.1, 0.15, 0.2, 0.25):
        print(f"pairs of shipped crystals within {limit} angstrom: {sum(p[0] <= limit for p in pairs)} of {total}")
    print("nearest:", ", ".join(f"{one}-{other} {apart:.3f}" for apart, one, other in pairs[:8]))


def judged(rows: int) -> None:
    """Count pairs of valid crystals: of one net, each with its first, and of two nets within the tolerance."""
    made = relax(decode(random_table(rows), element=6).crystals, TARGET, RelaxSettings())
    crystals = made.crystals.take(made.valid & (made.crystals.atom_count <= MOST_JUDGED))
    every = nets(crystals, cutoff=CUTOFF)
    keys, periodicity = [net.key for net in every], [net.components[-1].periodicity for net in every]
    invariants = pdds(crystals, TARGET)
    first = {key: k for k, key in reversed(list(enumerate(keys)))}
    pairs = [
        (first[key], k, distance(invariants[first[key]], invariants[k]))
        for k, key in enumerate(keys)
        if first[key] != k
    ]
    print(f"{len(crystals)} valid crystals of up to {MOST_JUDGED} atoms, {len(first)} nets")
    others = [pair for pair in within(invariants, TOLERANCE) if keys[pair[0]] != keys[pair[1]]]
    kinds = {"of two nets, within the tolerance": others}
    for whole in (True, False):
        of = "frameworks" if whole else "layers, chains, cages, mixtures"
        of_kind = [pair for pair in pairs if (periodicity[pair[1]] == 3) == whole]
        kinds[f"of one net, {of}, within the tolerance"] = [pair for pair in of_kind if pair[2] <= TOLERANCE]
        kinds[f"of one net, {of}, beyond it"] = [pair for pair in of_kind if pair[2] > TOLERANCE]
    for words, chosen in kinds.items():
        said = [matches(*(to_structure(crystals, k) for k in pair[:2])) for pair in chosen]
        print(f"pairs {words}: {len(chosen)}, StructureMatcher takes {sum(said)} for the same")


def speed() -> None:
    """Measure the speed on shipped crystals with their symmetry, and on the same in P1."""
    crystals = decode(shipped("sp2-carbon"), max_atoms=1000, element=6).crystals
    began = time.process_time()
    invariants = pdds(crystals, TARGET)
    print(f"distribution: {1e3 * (time.process_time() - began) / len(invariants):.2f} ms for each of {len(invariants)}")
    pairs = list(combinations(range(0, len(invariants), 3), 2))
    began = time.process_time()
    for i, j in pairs:
        distance(invariants[i], invariants[j])
    print(f"distance: {1e6 * (time.process_time() - began) / len(pairs):.0f} us for each of {len(pairs)} pairs")
    every, rng = known(shipped("sp2-carbon"), TARGET, of_set=SHIPPED), np.random.default_rng(0)
    few = sources()
    plain = pdds(Crystals.concatenate([distorted(few.take([k]), rng) for k in range(len(few))]), TARGET)
    began = time.process_time()
    for pdd in plain:
        every.nearest(pdd)
    each = 1e3 * (time.process_time() - began) / len(plain)
    print(f"nearest of {len(every)}: {each:.2f} ms for each of {len(plain)} in P1")


if __name__ == "__main__":
    main()
