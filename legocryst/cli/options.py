"""What was named on the command line: settings (see `parser.add_settings`), and the way to spread work."""

import argparse
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel

from legocryst.infra.executors import Executor, executor
from legocryst.infra.workspace import default_workspace
from legocryst.settings import Settings

if TYPE_CHECKING:
    from legocryst.environment.target import Target

Stage = TypeVar("Stage", bound=Settings)


def settings_of(options: argparse.Namespace, model: type[Stage]) -> Stage:
    """Return settings of a stage with what was named."""
    return model(**named(options, model))


def target_of(options: argparse.Namespace, name: str = "") -> "Target":
    """Look up the target of a name, else of `--target`, among the shipped ones and those of the workspace."""
    from legocryst.environment.target_library import target

    return target(name or options.target, getattr(options, "workspace", None) or default_workspace())


def spread_by(options: argparse.Namespace) -> AbstractContextManager[Executor]:
    """Give the executor of a command with `--cluster`, see `executors.executor`."""
    return executor(options.cluster, processes=options.threads)


def named(options: argparse.Namespace, model: type[BaseModel], *, prefix: str = "") -> dict[str, Any]:
    """Return the values that were named."""
    values = vars(options)
    names = {name: f"{prefix + '.' if prefix else ''}{name}" for name in model.model_fields}
    return {name: values[key] for name, key in names.items() if key in values}
