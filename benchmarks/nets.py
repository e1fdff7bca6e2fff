"""Net keys: names of the RCSR nets, one key however a net is written, CPU-s, and the Systre program as a judge.

python -m benchmarks.nets speed                       CPU-ms for shipped crystals, CPU-s for up to 700 atoms
python -m benchmarks.nets rewritten [--nets 100]      20 random cells, labels and shakes of each shipped crystal
python -m benchmarks.nets names                       each three-connected net of the packages of requirements-seeds.txt
python -m benchmarks.nets systre JAR [--nets 400]     the same partition of nets as Systre's (needs Java)

The last two need those packages where Python finds them: `pip install --no-deps --target FOLDER -r
requirements-seeds.txt`, then PYTHONPATH=FOLDER. The archive of Systre comes with the package moffragmentor.
"""

import argparse
import os
import re
import subprocess
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from benchmarks.features import random_table
from legocryst.crystal.crystals import Crystals
from legocryst.crystal.io.table import decode
from legocryst.environment.target_library import target
from legocryst.relax import relax
from legocryst.settings import RelaxSettings
from legocryst.stages.curate import shipped
from legocryst.topology.canonical_form import canonical_form
from legocryst.topology.graphs import Quotient, connected_parts
from legocryst.topology.nets import bond_graph, net, nets
from tests.descriptions import crystal_rewritten, larger_cell, rewritten

TARGET = target("sp2-carbon")
CUTOFF = TARGET.bond_window[1]
RATTLE = 0.02
"""Angstrom by which atoms are moved."""


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["speed", "rewritten", "names", "systre"])
    parser.add_argument("jar", nargs="?", help="Systre's archive")
    parser.add_argument("--nets", type=int, default=400, help="most nets of each source (default 400)")
    parser.add_argument("--random", type=int, default=3000, help="random rows that are relaxed (default 3000)")
    options = parser.parse_args()
    began = time.process_time()
    net(bond_graph(TARGET.reference.crystals(), 0, cutoff=CUTOFF))
    if options.what == "speed":
        speed()
    elif options.what == "rewritten":
        one_key(options.nets)
    elif options.what == "names":
        names()
    elif options.jar is None:
        parser.error("systre needs the path of its archive")
    else:
        judged(options.jar, options.nets, options.random)
    print(f"{time.process_time() - began:.0f} CPU-s")


def seconds(work: Callable[[], object]) -> float:
    """Return CPU-s of a call, the least of three."""
    times = []
    for _ in range(3):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times)


def speed() -> None:
    """Measure shipped crystals as a relaxation has them, then up to 700 atoms without symmetry."""
    crystals = decode(shipped("sp2-carbon"), max_atoms=1000, element=6).crystals
    few = crystals.take(crystals.atom_count <= 40)
    each = np.array([seconds(partial(nets, few.take([k]), cutoff=CUTOFF)) for k in range(len(few))])
    together = seconds(partial(nets, few, cutoff=CUTOFF)) / len(few)
    print(
        f"shipped crystals of up to 40 atoms, sites known: {_spread(1e3 * each)} ms; mean in one batch {together:.2g} s"
    )
    rng = np.random.default_rng(0)
    for low, high in ((6, 20), (21, 60), (61, 200), (201, 500), (501, 700)):
        graphs = list(larger(crystals, low, high, rng))
        alike = np.array([seconds(partial(net, graph)) for graph in graphs])
        rewired = np.array([seconds(partial(net, exchanged(graph, rng))) for graph in graphs])
        print(f"{low} to {high} atoms in P1: {_spread(alike)} s; two edges exchanged: {_spread(rewired)} s")


def _spread(values: np.ndarray) -> str:
    return f"median {np.median(values):.3g}, largest {values.max():.3g} of {len(values)}"


def larger(crystals: Crystals, low: int, high: int, rng: np.random.Generator) -> Iterator[Quotient]:
    """Yield graphs of 20 shipped crystals in random cells that hold a number of atoms."""
    count = crystals.atom_count
    for k in rng.permutation(np.flatnonzero(high // count * count >= low))[:20]:
        cells = rng.integers(-(-low // count[k]), high // count[k], endpoint=True)
        yield rewritten(bond_graph(crystals, int(k), cutoff=CUTOFF), rng, cells=int(cells))


def exchanged(graph: Quotient, rng: np.random.Generator) -> Quotient:
    """Return the graph with the ends of two edges exchanged: it has no translations but those of its cell."""
    edges = graph.edges.copy()
    a, b = rng.choice(len(edges), 2, replace=False)
    edges[[a, b], 1:] = edges[[b, a], 1:]
    return Quotient(graph.n, edges)


def simple(graph: Quotient) -> bool:
    """Say whether no edge is there twice and none joins a vertex with itself."""
    edges = graph.edges
    both = np.concatenate([edges, np.column_stack([edges[:, 1], edges[:, 0], -edges[:, 2:]])])
    return len(np.unique(both, axis=0)) == len(both)


def one_key(count: int) -> None:
    """Compare keys of crystals in other cells, rattled, and of their graphs with other labels and directions."""
    table = shipped("sp2-carbon")
    crystals = decode(table[table["atoms"] <= 100].iloc[:count], element=6).crystals
    rng = np.random.default_rng(0)
    wrong: list[tuple[int, int, str]] = []
    for k in range(len(crystals)):
        one = crystals.take([k])
        key = nets(one, cutoff=CUTOFF)[0].key
        for cells in range(1, 21):
            other = crystal_rewritten(one, larger_cell(1 + cells % 4, 3, rng), rng, noise=RATTLE)
            graph = rewritten(bond_graph(one, 0, cutoff=CUTOFF), rng, cells=1 + cells % 4)
            wrong += [(k, cells, "crystal")] * (nets(other, cutoff=CUTOFF)[0].key != key)
            wrong += [(k, cells, "graph")] * (net(graph).key != key)
    print(
        f"{len(crystals)} shipped crystals of up to 100 atoms, 20 random descriptions each: {len(wrong)} other keys",
        wrong,
    )


def names() -> None:
    """Name every three-connected net of the source files by its graph alone."""
    from scripts.rcsr import blueprints

    every, left_out = blueprints({3})
    pairs = [(blueprint.name, net(blueprint.quotient).name) for blueprint in every]
    own = [name for name, computed in pairs if name == computed]
    shared = sorted({computed for name, computed in pairs if name != computed and name in computed.split("/")})
    lost = [pair for pair in pairs if pair[0] not in pair[1].split("/")]
    print(f"{len(every)} entries, {len({name for name, _ in pairs})} names, left out: {dict(left_out)}")
    print(f"{len(set(own))} names come back; one graph under several names: {shared}; lost: {lost}")


def judged(jar: str, count: int, rows: int) -> None:
    """Judge nets of the sources, of relaxed random rows, these rewritten, and these with two edges exchanged."""
    rng = np.random.default_rng(0)
    graphs = {f"{kind}{k}": graph for kind, k, graph in chosen(count, rows, rng)}
    for name, graph in list(graphs.items()):
        graphs[f"{name}-again"] = rewritten(graph, rng, cells=1 + int(rng.integers(3)))
        changed = _padded(exchanged(graph, rng))
        parts = list(connected_parts(changed))
        if len(parts) == 1 and simple(changed):
            graphs[f"{name}-exchanged"] = parts[0].quotient
    ours = {name: canonical_form(graph, range(graph.n))[0] for name, graph in graphs.items()}
    theirs, refused = systre(jar, graphs)
    both = [name for name in graphs if ours[name] and name in theirs]
    print(
        f"{len(graphs)} graphs {Counter(re.sub('[0-9]+', '', name) for name in graphs)}; both have a key: {len(both)}"
    )
    print(f"distinct keys: ours {len({ours[name] for name in both})}, Systre's {len({theirs[name] for name in both})}")
    for one, other, text in ((ours, theirs, "ours is"), (theirs, ours, "Systre's is")):
        split = defaultdict(set)
        for name in both:
            split[one[name]].add(other[name])
        print(f"one key of {text} several of the other: {sum(len(keys) > 1 for keys in split.values())}")
    print(f"equal texts: {sum(ours[name] == theirs[name] for name in both)}")
    print("no form of ours, a key of Systre's:", [name for name in theirs if not ours[name]])
    print("refused by Systre:", Counter((reason, bool(ours[name])) for name, reason in refused.items()))


def chosen(count: int, rows: int, rng: np.random.Generator) -> Iterator[tuple[str, int, Quotient]]:
    """Yield connected graphs, each cut out with its own translations: of the sources, and of random rows, relaxed."""
    from scripts.rcsr import blueprints

    every = [blueprint for blueprint in blueprints({3, 4})[0] if blueprint.quotient.n <= 60]
    sources = [every[k].quotient for k in rng.permutation(len(every))[:count]]
    crystals = decode(random_table(rows), element=6).crystals
    relaxed = relax(crystals, TARGET, RelaxSettings())
    valid = np.flatnonzero(relaxed.valid & (crystals.atom_count <= 60))[:count]
    random = [bond_graph(relaxed.crystals, int(k), cutoff=CUTOFF) for k in valid]
    for kind, graphs in (("source", sources), ("random", random)):
        for k, graph in enumerate(graphs):
            part = next(iter(connected_parts(graph)))
            if part.periodicity >= 2:
                yield kind, k, part.quotient


def _padded(graph: Quotient) -> Quotient:
    missing = 5 - graph.edges.shape[1]
    return Quotient(graph.n, np.column_stack([graph.edges, np.zeros((len(graph.edges), missing), int)]))


def systre(jar: str, graphs: dict[str, Quotient]) -> tuple[dict[str, str], dict[str, str]]:
    """Return Systre's keys, and why it refused the others."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "nets.cgd"
        path.write_text("".join(_entry(name, graph.edges) for name, graph in graphs.items()), encoding="utf-8")
        program = ["java", "-cp", jar, "org.gavrog.apps.systre.SystreCmdline"]
        options = ["--systreKey", "--skipEmbedding", "--noBuiltin"]
        done = subprocess.run([*program, *options, str(path)], capture_output=True, text=True, check=True)
    keys: dict[str, str] = {}
    refused: dict[str, str] = {}
    name = ""
    for line in done.stdout.splitlines():
        if match := re.match(r'Structure #\d+ - "(.*)"', line):
            name = match[1]
        elif match := re.match(r'\s*Systre key: "(.*)"', line):
            keys[name] = match[1]
        elif match := re.match(r"!!! ERROR \(\w+\) - (.*)", line):
            refused[name] = match[1]
    return keys, refused | {name: "no answer" for name in graphs if name not in keys and name not in refused}


def _entry(name: str, edges: Iterable[np.ndarray]) -> str:
    rows = "".join(f"    {i + 1} {j + 1} {' '.join(map(str, image))}\n" for i, j, *image in edges)
    return f"PERIODIC_GRAPH\n  ID {name}\n  EDGES\n{rows}END\n\n"


if __name__ == "__main__":
    main()
