"""Mixtures of normal distributions, on a line or on a circle of circumference 1, as the last layers of a network.

On the circle each component is a normal distribution cut off half way round from its mean, so that density and draw
are exact and cheap; with a small width it is the wrapped normal distribution, with a large one the uniform.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

ROOT_TWO = math.sqrt(2.0)


def choose(logits: Tensor, noise: torch.Generator) -> Tensor:
    """Return one index (n,) a row from the softmax of logits (n, k), by Gumbel's trick."""
    uniform = torch.rand(logits.shape, generator=noise).clamp(1e-20, 1 - 1e-7)
    return (logits - torch.log(-torch.log(uniform))).argmax(dim=1)


def cut_normal(mean: Tensor, std: Tensor, low: Tensor, high: Tensor, noise: torch.Generator) -> Tensor:
    """Return draws (n,) of normal distributions cut off at `low` and `high`, by inversion."""
    edges = [0.5 * (1 + torch.erf((edge - mean) / (std * ROOT_TWO))) for edge in (low, high)]
    uniform = torch.rand(mean.shape, generator=noise)
    share = (edges[0] + (edges[1] - edges[0]) * uniform).clamp(1e-7, 1 - 1e-7)
    value = mean + std * ROOT_TWO * torch.erfinv(2 * share - 1)
    return torch.minimum(torch.maximum(value, low), high)


def log_normal(distance: Tensor, std: Tensor, *, periodic: bool = False) -> Tensor:
    """Return the log density of normal distributions at a distance from their means; on the circle, cut off."""
    if periodic:
        distance = distance - torch.round(distance)
    out = -0.5 * (distance / std) ** 2 - torch.log(std) - 0.5 * math.log(2 * math.pi)
    return out - torch.log(torch.erf(0.5 / (std * ROOT_TWO))) if periodic else out


class Mixture(nn.Module):
    """Density of one number given features (n, inputs): weights, means and widths come from a small network."""

    def __init__(self, inputs: int, hidden: int, components: int, *, periodic: bool, narrowest: float) -> None:
        super().__init__()
        self.periodic, self.narrowest = periodic, narrowest
        last = nn.Linear(hidden, 3 * components)
        self.network = nn.Sequential(nn.Linear(inputs, hidden), nn.GELU(), last)
        with torch.no_grad():
            last.weight.mul_(0.1)
            spread = (torch.arange(components) + 0.5) / components
            last.bias[:components] = 0.0
            last.bias[components : 2 * components] = spread if periodic else 3 * spread - 1.5
            last.bias[2 * components :] = math.log(0.1 if periodic else 0.5)

    def parts(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return logits of the weights, means and widths (n, k)."""
        logits, mean, width = self.network(features).chunk(3, dim=1)
        return logits, mean, self.narrowest + torch.exp(width.clamp(max=1.0))

    def log_prob(self, features: Tensor, value: Tensor) -> Tensor:
        """Return logarithm of the density of values (n,), or of several for each row, (k, n)."""
        logits, mean, std = self.parts(features)
        log_density = log_normal(value[..., None] - mean, std, periodic=self.periodic)
        return torch.logsumexp(torch.log_softmax(logits, dim=1) + log_density, dim=-1)

    def draw(
        self, features: Tensor, noise: torch.Generator, *, temperature: float, between: Sequence[Tensor] = ()
    ) -> Tensor:
        """Return values (n,): in [0, 1] on the circle, else between two bounds (n,) each.

        The weights, and the density of each component, are taken to the power 1 / temperature.
        """
        logits, mean, std = self.parts(features)
        part = choose(logits / temperature, noise)[:, None]
        mean, std = mean.gather(1, part)[:, 0], std.gather(1, part)[:, 0] * math.sqrt(temperature)
        if not self.periodic:
            return cut_normal(mean, std, between[0], between[1], noise)
        half = torch.full_like(mean, 0.5)
        return (mean + cut_normal(torch.zeros_like(mean), std, -half, half, noise)) % 1.0
