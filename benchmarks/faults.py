"""What readers of crystals get wrong: settings of space groups in every dialect, and small files, each by its name.

For each of spglib's 530 settings a small crystal is built from spglib's operators and written as a CIF without
operators in each dialect in which files name settings. Right is a crystal of the same group and the same distances
between atoms; refused is a sentence; wrong is anything else, and there must be none.

python -m benchmarks.faults [--every N] [--json FILE]
"""

import argparse
import json
import os
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from legocryst.crystal.io.inputs import offers
from legocryst.topology.nets import nets
from tests.crystal.io.dialects import HALLS, dialects, example, outcome
from tests.crystal.io.fault_files import BONDS, FOLDER, RIGHT

OUTCOMES = ("right", "refused", "wrong")


def of_file(name: str) -> str:
    """What becomes of one of the small files: net, space group and atoms, or the sentence, and whether it is right."""
    try:
        (offer,) = offers(FOLDER / name, element=6)
    except ValueError as error:
        return f"{'right' if isinstance(RIGHT[name], str) and str(RIGHT[name]) in str(error) else 'refused'}: {error}"
    assert offer.crystal is not None
    (net,) = nets(offer.crystal, cutoff=2.7 if name in BONDS else 1.75)
    result = net.name, int(offer.crystal.group[0]), int(offer.crystal.atom_count[0])
    return f"{'right' if result == RIGHT[name] else 'wrong'}: {result[0] or net.kind}, {result[1]}, {result[2]} atoms"


def main() -> None:
    """Print a line for each file, and a table with a line for each dialect."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="of the settings only each Nth")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write counts and what was wrong or refused")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    counts: dict[str, Counter[str]] = {}
    listed, seconds = [], 0.0
    with tempfile.TemporaryDirectory() as folder:
        for hall in range(1, HALLS + 1, options.every):
            case = example(hall)
            for dialect, symmetry in dialects(case):
                began = time.process_time()
                result, words = outcome(case, symmetry, Path(folder))
                seconds += time.process_time() - began
                counts.setdefault(dialect, Counter())[result] += 1
                if result != "right":
                    listed.append([hall, dialect, result, *symmetry[:2], words])
    by_name = {name: of_file(name) for name in RIGHT}
    print(*(f"{name:24} {words}" for name, words in by_name.items()), "", sep="\n")
    print(f"{'dialect':40}" + "".join(f"{name:>9}" for name in OUTCOMES))
    for dialect, count in counts.items():
        print(f"{dialect:40}" + "".join(f"{count[name]:9}" for name in OUTCOMES))
    total = sum(counts.values(), Counter())
    print(f"{'all':40}" + "".join(f"{total[name]:9}" for name in OUTCOMES) + f"   {seconds:.0f} CPU-s")
    if options.json:
        options.json.write_text(json.dumps({"counts": counts, "listed": listed}, indent=1))


if __name__ == "__main__":
    main()
