"""Which generators and potentials there are: their specifications, read from their files without running these.

A generator is one file in `legocryst/generators`, a potential one in `legocryst/potentials`; either may also be a file
in a folder that the environment variable LEGOCRYST_PLUGINS names (whole paths, with a colon between several), which the
processes of jobs inherit. A file says what it holds in a statement at its top level:

    SPEC = GeneratorSpec(name="mine", loads="Mine", title="a generator of mine", help="shown in the forms")

Its values are written out: numbers, text, tuples, and `Reference(...)`. The registry parses this statement and runs
nothing of the file, so that forms, flags and settings list names at once although the file itself imports torch. The
file is imported when its class, which `loads` names, is needed. See docs/how-to/add-a-generator.md.
"""

import ast
import importlib
import os
import re
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, Generic, TypeVar

from legocryst.infra.extras import require
from legocryst.vocabulary.references import REFERENCES, Reference

PLUGINS = "LEGOCRYST_PLUGINS"
_PACKAGE = Path(__file__).parents[1]
_FOLDERS = (_PACKAGE / "generators", _PACKAGE / "potentials")
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LAST = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What generators and potentials have in common."""

    name: str  # in settings, flags, records and tables
    loads: str  # the class, in the same file
    title: str  # in a sentence: "the rows were learnt by TITLE", "energies were computed with TITLE"
    help: str  # what distinguishes it from the others; names with the same help share it
    order: int = _LAST  # place in lists, the smallest first
    cites: tuple[str | Reference, ...] = ()  # works to cite: keys of `references.REFERENCES`, or others written out
    packages: tuple[str, ...] = ()  # that it needs beyond those of the core
    extra: str = ""  # of LEGO-Cryst, which installs them
    file: Path | None = None  # filled in by the registry

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"the name {self.name!r} must be of small letters, digits and hyphens")
        for field in fields(self):
            if isinstance(field.default, tuple) and not isinstance(getattr(self, field.name), tuple):
                raise ValueError(f"{field.name} must be a tuple: write ({getattr(self, field.name)!r},)")
        for key in self.cites:
            if not isinstance(key, Reference) and key not in REFERENCES:
                raise ValueError(f"there is no reference {key!r}: write it out as a Reference")


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratorSpec(Spec):
    """What a generator can be asked for, what it needs, and what suits it."""

    # what it can do
    conditional: bool = False  # draw rows of chosen space groups, sites and atoms
    informed: bool = False  # and of the lowest energies
    guided: bool = False  # for which the setting `guidance` says how far it goes
    refines: bool = False  # draw rows again near others, by a method `refine`
    tempered: bool = True  # draw rows more or less like the table, by a temperature
    baseline: bool = False  # is itself what other generators are compared with
    # what it needs
    learns_from: tuple[str, ...] = ("augment",)  # stages before it; none where it learns limits only
    options: tuple[str, ...] = ()  # arguments of the class: `featurizer`, and of the target `volume_per_atom`, `bond`
    coordination: int | None = None  # bonds of each atom of a target that it is for; None: any
    fewest_rows: int = 2  # of the table it learns from
    # what suits it where the settings leave that open
    epochs: int = 1  # for a table of `settings.MANY` rows
    batch_size: int = 500
    learning_rate: float = 1e-3
    settles: bool = False  # the last weights are kept, not those of the best check
    # what it costs, and how a paper says what it did
    cost: float = 1.0  # CPU-s of an epoch, in those of a VAE
    optimisers: tuple[str, ...] = ("Adam",)  # whose keys among the references are their names in small letters
    methods: str = ""  # sentence where the one about epochs and checks does not fit; {works} stands for the citations

    def __post_init__(self) -> None:
        Spec.__post_init__(self)
        if unknown := set(self.learns_from) - {"augment", "featurize"}:
            raise ValueError(f"{min(unknown)!r} is no stage that generators learn from: augment, featurize")
        if unknown := set(self.options) - {"featurizer", "volume_per_atom", "bond"}:
            raise ValueError(f"{min(unknown)!r} is no option of generators: featurizer, volume_per_atom, bond")

    @property
    def learns(self) -> bool:
        """Whether it learns more than limits."""
        return bool(self.learns_from)


@dataclass(frozen=True, slots=True, kw_only=True)
class PotentialSpec(Spec):
    """What a potential knows, and what an energy costs."""

    elements: str = ""  # symbols with spaces between; "": all
    reach: float  # angstrom beyond which atoms do not feel each other
    seconds: tuple[float, float]  # CPU-s for an energy with its gradient: of any crystal, for each pair of atoms
    dispersion: bool = False  # its energies hold dispersion, so that none is added where it holds parts together

    @property
    def identity(self) -> tuple[str, ...]:
        """What sets its energies apart from another version's: versions of its packages, or the text of its file."""
        if self.packages or self.file is None:
            return tuple(version(package) for package in self.packages)
        return (sha256(self.file.read_bytes()).hexdigest()[:16],)


_S = TypeVar("_S", GeneratorSpec, PotentialSpec)


class Registry(Generic[_S]):
    """Specifications of one kind by their names."""

    def __init__(self, kind: type[_S], what: str) -> None:
        self._kind: type[_S] = kind
        self._what = what

    def specs(self) -> tuple[_S, ...]:
        """Return all of them, in the order of lists."""
        return tuple(spec for spec in _all(os.environ.get(PLUGINS, "")) if isinstance(spec, self._kind))

    def names(self) -> tuple[str, ...]:
        """Return their names."""
        return tuple(spec.name for spec in self.specs())

    def get(self, name: str) -> _S | None:
        """Return the one of a name, None where there is none: a job may have been made where there was."""
        return next((spec for spec in self.specs() if spec.name == name), None)

    def __getitem__(self, name: str) -> _S:
        if (spec := self.get(name)) is None:
            raise ValueError(f"there is no {self._what} {name!r}: choose one of {', '.join(self.names())}")
        return spec

    def load(self, name: str) -> Any:
        """Import the file of a name and return its class.

        Raises ValueError for an unknown name, a package that is not installed, and a file without that class.
        """
        spec = self[name]
        assert spec.file is not None, "read from a file"
        if spec.extra:
            require(spec.extra)
        if missing := [package for package in spec.packages if find_spec(package) is None]:
            raise ValueError(f"{name} needs the package {missing[0]}, which is not installed: install it")
        loaded = getattr(_module(spec.file), spec.loads, None)
        if loaded is None:
            raise ValueError(f"{spec.file.name} has no class {spec.loads}: name the class of {name} in its `loads`")
        return loaded


GENERATORS = Registry(GeneratorSpec, "generator")
POTENTIALS = Registry(PotentialSpec, "potential")


def baseline() -> GeneratorSpec:
    """Return the generator that others are compared with, which learns limits only."""
    return next(spec for spec in GENERATORS.specs() if spec.baseline)


@lru_cache(maxsize=8)
def _all(plugins: str) -> tuple[Spec, ...]:
    """Return every specification; a file of a plug-in that cannot be used is left out with a warning."""
    by_name: dict[str, Spec] = {}
    for folder in (*_FOLDERS, *(Path(name) for name in plugins.split(os.pathsep) if name)):
        if not (folder.is_absolute() and folder.is_dir()):
            _warn(f"{PLUGINS} names {folder}, which is no folder: give its whole path")
        for path in sorted(folder.glob("*.py")):
            try:
                specs = list(_specs(path))
            except (SyntaxError, ValueError, TypeError) as error:
                _warn(f"{path} is left out: {error}")
                continue
            for spec in specs:
                if spec.name in by_name:
                    _warn(f"{path} is left out: the name {spec.name} is taken")
                by_name.setdefault(spec.name, replace(spec, file=path))
    return tuple(sorted(by_name.values(), key=lambda spec: (spec.order, spec.name)))


def _specs(path: Path) -> Iterator[Spec]:
    """Yield specifications at the top level of a file; raises ValueError where a value is not written out."""
    text = path.read_text(encoding="utf-8")
    if not re.search(r"^\w+ = (Generator|Potential)Spec\(", text, re.MULTILINE):
        return
    for node in ast.parse(text, path.name).body:
        value = node.value if isinstance(node, ast.Assign) else None
        if isinstance(value, ast.Call) and ast.unparse(value.func) in ("GeneratorSpec", "PotentialSpec"):
            yield _value(value)


def _value(node: ast.expr) -> Any:
    kinds = {kind.__name__: kind for kind in (GeneratorSpec, PotentialSpec, Reference)}
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds:
        named = {str(word.arg): _value(word.value) for word in node.keywords}
        return kinds[node.func.id](*map(_value, node.args), **named)
    if isinstance(node, ast.Tuple):
        return tuple(map(_value, node.elts))
    try:
        return ast.literal_eval(node)
    except ValueError as error:
        raise ValueError(f"write out the value in line {node.lineno} of its specification") from error


def _warn(message: str) -> None:
    warnings.warn(message, stacklevel=5)


def _module(path: Path) -> Any:
    if path.is_relative_to(_PACKAGE):
        return importlib.import_module(".".join(path.relative_to(_PACKAGE.parent).with_suffix("").parts))
    name = f"legocryst_plugin_{sha256(str(path).encode()).hexdigest()[:8]}_{path.stem}"
    if name not in sys.modules:
        module_spec = spec_from_file_location(name, path)
        assert module_spec is not None and module_spec.loader is not None, "a file of Python"
        module = module_from_spec(module_spec)
        sys.modules[name] = module
        try:
            module_spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
    return sys.modules[name]
