"""Count the house: rooms, which of them import which, circles, long files and functions.

A room is a folder at the top of the package, with all in it, or a module that lies loose there.
Run from the repository root, two seconds:
python -m scripts.house
"""

import ast
from collections.abc import Iterable
from pathlib import Path

from legocryst import ROOT

LONG = 50
"""Lines of a function that no longer fits on a screen."""


def modules() -> dict[str, Path]:
    """Return files of the package, the pages and the app, by dotted name; packages by the name of their folder."""
    files = [ROOT / "app.py", *(ROOT / "pages").glob("*.py"), *(ROOT / "legocryst").rglob("*.py")]
    dotted = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in sorted(files)}
    return {name.removesuffix(".__init__"): path for name, path in dotted.items()}


def imports(path: Path, known: Iterable[str]) -> set[str]:
    """Return modules among the known ones that a file imports, also inside functions and for types only."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {whole if (whole := f"{node.module}.{name.name}") in known else node.module for name in node.names}
    return names & set(known)


def room(module: str) -> str:
    """Return the room of a module."""
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] == "legocryst" else parts[0]


def circles(arrows: set[tuple[str, str]]) -> list[list[str]]:
    """Return groups of two or more, each of which can be reached from each of its group along the arrows."""
    reached = {name: {name} for arrow in arrows for name in arrow}
    while any(not reached[b] <= reached[a] for a, b in arrows):
        for a, b in arrows:
            reached[a] |= reached[b]
    groups = {frozenset(other for other in reached[name] if name in reached[other]) for name in reached}
    return sorted(sorted(group) for group in groups if len(group) > 1)


def functions(path: Path) -> dict[str, int]:
    """Return lines of each function of a file by its name."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return {n.name: (n.end_lineno or 0) - n.lineno + 1 for n in nodes if isinstance(n, ast.FunctionDef)}


def main() -> None:
    """Print the counts."""
    files = modules()
    single = {(name, other) for name, path in files.items() for other in imports(path, files) - {name}}
    rooms = {name: room(name) for name in files}
    arrows = {(rooms[a], rooms[b]) for a, b in single if rooms[a] != rooms[b]}
    lengths = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in files.items()}
    long = {f"{name}.{f}": n for name, path in files.items() for f, n in functions(path).items() if n > LONG}
    leaves = [path.stem for name, path in files.items() if name.startswith("legocryst.") and path.stem != "__init__"]
    print(f"{len(files)} modules in {len(set(rooms.values()))} rooms, {len(single)} imports, {len(arrows)} arrows")
    print(f"circles of rooms: {circles(arrows) or 'none'}")
    print(f"circles of modules: {circles(single) or 'none'}")
    print(f"names of files that occur more than once: {sorted({leaf for leaf in leaves if leaves.count(leaf) > 1})}")
    print(f"longest: {max(lengths, key=lambda name: lengths[name])}, {max(lengths.values())} lines")
    print(f"{len(long)} functions of more than {LONG} lines: {sorted(long, key=lambda name: -long[name])}")


if __name__ == "__main__":
    main()
