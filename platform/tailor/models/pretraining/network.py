"""The reader's network: a stock Llama with hand-set starting weights.

The start makes copying work before training: layer 0 attends to the previous token, layer 1 to
what followed an earlier occurrence of the current token (an induction head). Related: mimetic
initialisation, arXiv 2305.09828.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM

ROPE_THETA = 1e6
PREVIOUS_TOKEN_BIAS = 10.0
MATCH_SCALE = 3.5
UNROTATED_SHARE = 0.4  # fastest rotary pairs switched off in copy heads: match content, not place


@dataclass(frozen=True)
class Shape:
    """Sizes of the network; head width 64 copies best at the start (RoPE, theta 1e6)."""

    width: int = 192
    layers: int = 6
    heads: int = 3
    feed_forward: int = 512
    vocabulary: int = 4096
    context: int = 1024


def build(shape: Shape, seed: int, pad_id: int = 0, end_id: int = 1) -> LlamaForCausalLM:
    """A new network with the hand-set start; deterministic by seed."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.width,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.heads,
        intermediate_size=shape.feed_forward,
        max_position_embeddings=shape.context,
        tie_word_embeddings=True,
        attention_bias=True,
        rope_parameters={"rope_type": "default", "rope_theta": ROPE_THETA},
        pad_token_id=pad_id,
        eos_token_id=end_id,
        bos_token_id=None,
    )
    network = LlamaForCausalLM(config)
    _set_start(network, shape)
    return network


def _set_start(network: LlamaForCausalLM, shape: Shape) -> None:
    import torch

    width, heads = shape.width, shape.heads
    head_width = width // heads
    half = head_width // 2
    rotation = torch.linalg.qr(torch.randn(width, width))[0]
    identity = torch.eye(width)

    def noise(scale: float) -> torch.Tensor:
        return scale * torch.randn(width, width)

    first, second = (network.model.layers[i].self_attn for i in (0, 1))
    with torch.no_grad():
        network.model.embed_tokens.weight.normal_(0, 0.05)
        angle = ROPE_THETA ** (-torch.arange(half).float() * 2 / head_width)
        key = torch.cat([torch.ones(half), torch.zeros(half)])
        query = torch.cat([torch.cos(angle), -torch.sin(angle)])
        first.k_proj.bias.copy_(PREVIOUS_TOKEN_BIAS * key.repeat(heads))
        first.q_proj.bias.copy_(PREVIOUS_TOKEN_BIAS * query.repeat(heads))
        first.v_proj.weight.copy_(rotation + noise(0.003))
        first.o_proj.weight.copy_(0.05 * identity + noise(0.001))
        second.q_proj.weight.copy_(MATCH_SCALE * identity + noise(0.02))
        second.k_proj.weight.copy_(MATCH_SCALE * rotation.T + noise(0.02))
        second.v_proj.weight.copy_(identity + noise(0.02))
        second.o_proj.weight.copy_(0.4 * identity + noise(0.005))
        off = int(half * UNROTATED_SHARE)
        for head in range(heads):
            for start in (head * head_width, head * head_width + half):
                second.q_proj.weight[start : start + off] = 0
                second.k_proj.weight[start : start + off] = 0
