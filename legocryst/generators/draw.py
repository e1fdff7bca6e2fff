"""From a network's outputs to table rows, never asking for what the space group cannot have.

Categories are drawn from the softmax of their logits after the impossible ones are barred: Wyckoff indices outside the
group, a position without free coordinates a second time, a crystal without any site.
"""

import numpy as np
import pandas as pd

from legocryst.generators.columns import site_count
from legocryst.generators.features import Featurizer
from legocryst.generators.variables import choices


def draw_rows(
    features: Featurizer, outputs: np.ndarray, rng: np.random.Generator, *, temperature: float = 1.0
) -> pd.DataFrame:
    """Return table of n rows from outputs (n, width): logits in the one-hot columns, scalars from -1 to 1 elsewhere."""
    blocks = {block.name: block for block in features.blocks}
    exists, fixed = choices().exists, choices().fixed
    logits = {block.name: outputs[:, block.onehot].astype(float) / temperature for block in features.blocks}
    parts = {"spg": _draw(logits["spg"], rng)}
    group = blocks["spg"].value[parts["spg"]]
    free = exists[group]
    used = {}
    for i in range(site_count(list(blocks))):
        block = blocks[f"wp{i}"]
        index = block.value.clip(min=0)
        allowed = np.where(block.value < 0, i > 0, free[:, index])
        # a row in which nothing learnt is possible keeps its logits; decoding will name the reason
        allowed |= ~allowed.any(axis=1, keepdims=True)
        part = parts[block.name] = _draw(np.where(allowed, logits[block.name], -np.inf), rng)
        chosen = block.value[part]
        used[i] = chosen >= 0
        row = np.flatnonzero(used[i])
        free[row, chosen[row]] &= ~fixed[group[row], chosen[row]]  # only once
    for block in features.blocks:
        if block.name in parts:
            continue
        if block.site is not None and block.has_unused and len(block.value) > 1:
            logits[block.name][used[block.site], 0] = -np.inf
        parts[block.name] = _draw(logits[block.name], rng)
    return features.assemble(parts, outputs)


def _draw(logits: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return one index a row from the softmax of its logits (n, k), by Gumbel's trick."""
    return (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
