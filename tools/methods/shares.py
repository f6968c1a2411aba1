"""The answer's logits as a sum over components: what every head and MLP, and the embedding, adds directly.

The residual stream at the answer position is the sum of what was written into it. Its final norm divides by one number,
which is held at what it was, so that norm and unembedding are linear (Elhage et al. 2021). Exact for models that norm
by root mean square and unembed without a bias; for others the sum does not come out, which is checked. Not a tool.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from jaxtyping import Float

from store.address import Address
from store.errors import PlannerError
from tools.stimuli import Stimulus

if TYPE_CHECKING:
    from torch import Tensor

    from tools.engine.engine import Engine
    from tools.targets.adapter import Adapter

EXACT = 1e-4
"""Share of the logits' size that the sum may miss."""


class Shares(NamedTuple):
    """What each part adds to every word's logit at the answer position, and the target's own logits. Parts are `embed`,
    heads (`language.3.head.2`) and MLPs (`language.3.mlp`), in the order in which they write. `missed` is the largest
    relative error of a stimulus' sum."""

    parts: tuple[str, ...]
    logits: Float[Tensor, "part stimulus word"]
    own: Float[Tensor, "stimulus word"]
    missed: float


def shares(engine: Engine, stimuli: Sequence[Stimulus]) -> Shares:
    """Direct logit attribution. Raises PlannerError where the parts do not add up to the logits."""
    import torch

    from tools.targets.sites import EMBED, Site

    layers = range(engine.adapter.extent().towers["language"].layers)
    end = Site("resid_post", "language", layers[-1])
    z = [Site("attn.z", "language", layer) for layer in layers]
    mlp = [Site("mlp.out", "language", layer) for layer in layers]
    outcome = engine.plain(stimuli, (EMBED, *z, *mlp, end))
    rows = torch.arange(len(stimuli), device=outcome.batch.answer.device)
    at = {site: read[rows, outcome.batch.answer].float() for site, read in outcome.reads.items()}
    parts, written = ["embed"], [at[EMBED]]
    for layer in layers:
        for head in range(engine.adapter.extent().towers["language"].heads):
            address = Address("language", layer, "head", head)
            slot = engine.adapter.tap(z[layer]).part(head)
            parts.append(str(address))
            written.append(at[z[layer]][:, slot] @ engine.adapter.output_row(address).detach().float())
        parts.append(f"language.{layer}.mlp")
        written.append(at[mlp[layer]])
    found = _unembedded(engine.adapter, torch.stack(written), at[end])
    own = outcome.logits.float()
    missed = float(((found.sum(0) - own).norm(dim=-1) / own.norm(dim=-1)).max())
    if missed > EXACT:
        raise PlannerError(
            f"what its components write does not add up to {engine.target.name}'s logits (relative error "
            f"{missed:.1e}): its final norm is no root mean square, or something else writes as well",
            kind="scope",
            hint="use `find_components` with role `writes`, which needs no sum",
        )
    return Shares(tuple(parts), found.cpu(), own.cpu(), missed)


def _unembedded(
    adapter: Adapter, written: Float[Tensor, "part stimulus width"], end: Float[Tensor, "stimulus width"]
) -> Float[Tensor, "part stimulus word"]:
    """Each part through the norm of the whole: brought to a root mean square of 1, unembedded, and scaled back by its
    own size and by what the norm does to the whole."""

    def plain(vectors: Float[Tensor, "*row width"]) -> Float[Tensor, "*row word"]:
        size = vectors.pow(2).mean(-1, keepdim=True).sqrt()
        return adapter.unembed((vectors / size.clamp(min=1e-30)).to(weights)).float() * size

    weights = adapter.target.model.dtype
    whole, normed = plain(end), adapter.unembed(end.to(weights)).float()
    scale = (whole * normed).sum(-1, keepdim=True) / whole.pow(2).sum(-1, keepdim=True)
    return plain(written) * scale
