"""The Transformer's attention: the same whether tokens come at once or one after another."""

import torch

from legocryst.generators.attention import Block


def test_tokens_after_one_another_are_those_of_all_at_once() -> None:
    torch.manual_seed(0)
    block, tokens = Block(16), torch.randn(5, 4, 16)
    place = torch.arange(20)
    with torch.no_grad():
        together = block(tokens.flatten(0, 1), place, 5, 4).view(5, 4, 16)
        memory = None
        for k in range(4):
            x, memory = block.step(tokens[:, k], memory)
            assert torch.allclose(x, together[:, k], atol=1e-5)
