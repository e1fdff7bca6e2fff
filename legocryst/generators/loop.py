"""The training loop of all networks: epochs, held-out rows, checks of fresh samples, early stop, checkpoint, resume."""

import copy
import time
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from legocryst.generators.model_files import read_file, save_file
from legocryst.settings import TrainSettings

HELD_OUT = 0.05
"""Share of rows that the network never learns from (at least one row)."""
JUDGED = "new"
"""What a check of fresh samples must report, from 0 to 1, and what the best weights have most of."""
CHECKPOINT_SECONDS = 10.0
"""A checkpoint is written this often, and when training ends."""


class Network(nn.Module):
    """What the loop asks of a network; random numbers come from torch's generator, which the loop seeds."""

    multiple = 1
    """Rows of a batch must be a multiple of this."""

    @abstractmethod
    def optimizers(self, settings: TrainSettings) -> list[torch.optim.Optimizer]:
        """Return fresh optimisers of the parameters."""

    @abstractmethod
    def step(self, rows: Tensor, optimizers: list[torch.optim.Optimizer]) -> dict[str, Tensor]:
        """Learn from a batch (b, width); returns its losses by name, "loss" among them."""

    @abstractmethod
    def held_out_loss(self, rows: Tensor) -> Tensor:
        """Return loss of rows (b, width) without learning."""

    def rate(self, share: float) -> float:
        """Return learning rate in parts of the largest, when a share of the training is over."""
        return 1.0


class ColumnNetwork(Network):
    """A network whose outputs are read column by column (see `features`)."""

    @abstractmethod
    def outputs(self, n: int, noise: torch.Generator) -> Tensor:
        """Return logits and scalars (n, width) of n fresh rows."""


@dataclass
class Progress:
    """Where training stands; what a checkpoint holds beside the weights."""

    epoch: int = 0
    stale: int = 0  # checks in a row without a better one
    best: float = -1.0
    best_epoch: int = 0
    seconds: float = 0.0
    stopped: str = ""  # why training ended early
    history: list[dict[str, float]] = field(default_factory=list)


def train(
    network: Network,
    rows: Tensor,
    settings: TrainSettings,
    *,
    seed: int,
    identity: str,
    report: Callable[[Mapping[str, Any]], None],
    should_stop: Callable[[], bool],
    evaluate: Callable[[], Mapping[str, float]] | None,
    checkpoint: Path | None,
) -> Progress:
    """Train a network on rows (n, width), n >= 2; it ends in eval mode with the best weights that were seen.

    Where `settings.spec.settles` these are the last ones.

    `identity` names table and settings: ValueError when the checkpoint is of another. A resumed run ends with the same
    weights as one that was never interrupted.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        passes, pause = settings.passes(len(rows)), settings.pause(len(rows))
        rows = rows[torch.randperm(len(rows))]
        held = max(1, round(HELD_OUT * len(rows)))
        held_out, rows = rows[:held], rows[held:]
        optimizers = network.optimizers(settings)
        state, best = Progress(), None
        if checkpoint is not None and checkpoint.is_file():
            state, best = _read(checkpoint, identity, network, optimizers)
        written = time.monotonic()
        while state.epoch < passes and not state.stopped:
            began = time.monotonic()
            losses = _epoch(network, rows, settings, optimizers, (state.epoch, passes))
            network.eval()
            with torch.no_grad():
                losses["held_out"] = float(network.held_out_loss(_fill(held_out, network.multiple)))
            state.epoch += 1
            if evaluate is not None and (state.epoch % pause == 0 or state.epoch == passes):
                losses |= {name: float(value) for name, value in evaluate().items()}
                best = _judge(state, losses[JUDGED], network, best, settings)
            state.seconds += time.monotonic() - began
            state.history.append({"epoch": state.epoch, **losses})
            left = state.seconds / state.epoch * (passes - state.epoch)
            report({"epoch": state.epoch, "epochs": passes, **losses, "seconds_left": left})
            interrupted = should_stop()
            ended = interrupted or bool(state.stopped) or state.epoch == passes
            if checkpoint is not None and (ended or time.monotonic() - written > CHECKPOINT_SECONDS):
                _write(checkpoint, identity, network, optimizers, state, best)
                written = time.monotonic()
            if interrupted:
                break
    if best is not None:
        network.load_state_dict(best)
    network.eval()
    return state


def _epoch(
    network: Network,
    rows: Tensor,
    settings: TrainSettings,
    optimizers: list[torch.optim.Optimizer],
    epochs: tuple[int, int],
) -> dict[str, float]:
    """Pass once over the rows in random order, and return the mean of each loss."""
    done, passes = epochs
    network.train()
    total: dict[str, Tensor] = {}
    batches = torch.randperm(len(rows)).split(settings.batch)
    for k, index in enumerate(batches):
        rate = settings.rate * network.rate((done + (k + 1) / len(batches)) / passes)
        for group in (group for optimizer in optimizers for group in optimizer.param_groups):
            group["lr"] = rate
        losses = network.step(_fill(rows[index], network.multiple), optimizers)
        total = {name: total.get(name, torch.zeros(())) + value.detach() for name, value in losses.items()}
    return {name: float(value) / len(batches) for name, value in total.items()}


def _fill(rows: Tensor, multiple: int) -> Tensor:
    """Return rows repeated from the start until their number is a multiple."""
    missing = -len(rows) % multiple
    return torch.cat([rows, rows[torch.arange(missing) % len(rows)]]) if missing else rows


def _judge(
    state: Progress, value: float, network: Network, best: dict[str, Tensor] | None, settings: TrainSettings
) -> dict[str, Tensor] | None:
    """Return weights to keep after a check of fresh samples, None for the last; notes when patience is at its end."""
    if settings.spec.settles or value > state.best:
        state.best, state.best_epoch, state.stale = value, state.epoch, 0
        return None if settings.spec.settles else copy.deepcopy(network.state_dict())
    state.stale += 1
    if state.stale >= settings.patience:
        state.stopped = f"no more new crystals in {settings.patience} checks"
    return best


def _write(
    path: Path,
    identity: str,
    network: Network,
    optimizers: list[torch.optim.Optimizer],
    state: Progress,
    best: dict[str, Tensor] | None,
) -> None:
    content = {
        "identity": identity,
        "network": network.state_dict(),
        "optimizers": [optimizer.state_dict() for optimizer in optimizers],
        "progress": asdict(state),
        "best": best,
        "random": torch.get_rng_state(),
    }
    save_file(content, path)


def _read(
    path: Path, identity: str, network: Network, optimizers: list[torch.optim.Optimizer]
) -> tuple[Progress, dict[str, Tensor] | None]:
    content = read_file(path)
    if content.get("identity") != identity:
        raise ValueError(f"{path} belongs to another table or other settings; remove it and train again")
    network.load_state_dict(content["network"])
    for optimizer, saved in zip(optimizers, content["optimizers"], strict=True):
        optimizer.load_state_dict(saved)
    torch.set_rng_state(content["random"])
    return Progress(**content["progress"]), content["best"]
