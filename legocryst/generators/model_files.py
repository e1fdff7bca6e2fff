"""Model and checkpoint files: written by torch, whole or not at all; read without running code of theirs."""

import os
import pickle
import zipfile
from pathlib import Path
from typing import Any


def save_file(content: dict[str, Any], path: Path) -> None:
    """Write under a temporary name, then rename: a killed job leaves no half file."""
    import torch

    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".part")
    torch.save(content, temporary)
    os.replace(temporary, path)


def read_file(path: Path) -> dict[str, Any]:
    """Return content of a file of `save_file`; raises ValueError for another kind of file."""
    import torch

    message = f"{path} is not a model file of LEGO-Cryst; choose another, or remove it and train again"
    if not zipfile.is_zipfile(path):
        raise ValueError(message)
    try:
        content = torch.load(path, weights_only=True, map_location="cpu")
    except (RuntimeError, pickle.UnpicklingError) as error:
        raise ValueError(message) from error
    if not isinstance(content, dict):
        raise ValueError(message)
    return content
