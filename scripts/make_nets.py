"""Write data/nets/names.json: names and keys of the three-, four- and three- and four-connected RCSR nets.

The nets are those of scripts/rcsr.py. Run from the repository root, 2 minutes:

    python -m scripts.make_nets
"""

import json
import time
from collections import Counter
from importlib.metadata import version
from typing import Any

from legocryst.topology.nets import NAMES, net
from scripts.rcsr import blueprints

DEGREES = {3, 4}


def main() -> None:
    """Read, find the keys, write, and print how many of what."""
    began = time.process_time()
    every, left_out = blueprints(DEGREES)
    entries: dict[str, dict[str, Any]] = {}
    keys: dict[str, set[str]] = {}
    for blueprint in every:
        of = net(blueprint.quotient, classes=blueprint.orbit)
        degrees = sorted({vertex.coordination_sequence[0] for part in of.components for vertex in part.vertices})
        source = f"{blueprint.source} {version(blueprint.source)}"
        entry: dict[str, Any] = {"name": [], "periodicity": of.periodicity, "degrees": degrees, "source": source}
        names = entries.setdefault(of.key, entry)["name"]
        if blueprint.name not in names:
            names.append(blueprint.name)
        keys.setdefault(blueprint.name, set()).add(of.key)
    for entry in entries.values():
        entry["name"] = "/".join(sorted(entry["name"]))
    lines = [f"{json.dumps(key)}: {json.dumps(entry)}" for key, entry in sorted(entries.items())]
    NAMES.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    print(f"{len(every)} entries read, left out: {dict(left_out)}")
    print(f"{len(entries)} nets", Counter((entry["periodicity"], *entry["degrees"]) for entry in entries.values()))
    print("one net, several names:", sorted(entry["name"] for entry in entries.values() if "/" in entry["name"]))
    print("one name, several nets:", sorted(name for name, same_name in keys.items() if len(same_name) > 1))
    print(f"{time.process_time() - began:.0f} CPU-s")


if __name__ == "__main__":
    main()
