"""Logit lens: which word the residual stream already points to, layer by layer.

softmax(W_U · norm(h_l)) at chosen positions, after nostalgebraist 2020, "interpreting GPT: the logit lens". Knows where
models of the LLaVA family keep decoder layers, final norm and unembedding. The stream is read with hooks:
transformers' `hidden_states[-1]` is already normed, and a second norm gives other logits than the model's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers import PreTrainedModel

from store.values import Estimate
from tools.scoring.intervals import bootstrap_mean


@dataclass(frozen=True, eq=False)
class Lens:
    """What every layer would say. `sites` names them: `embed`, then `language.L.resid_post` after each layer L.

    The last site's logits are the model's own.
    """

    sites: tuple[str, ...]
    logits: Float[Tensor, "site row position word"]

    @property
    def probabilities(self) -> Float[Tensor, "site row position word"]:
        """Softmax over the whole vocabulary."""
        return self.logits.softmax(-1)


class Rise(NamedTuple):
    """How near one site is to the answer: its word's mean probability, and its mean rank (1 = the most likely)."""

    site: str
    probability: Estimate
    rank: Estimate


@torch.no_grad()
def logit_lens(
    model: PreTrainedModel, inputs: Mapping[str, Any], positions: Int[Tensor, "row position"] | Sequence[int]
) -> Lens:
    """The lens on one batch. `inputs` are the model's own (ids, pixels, mask); negative positions count from the end.

    A sequence of positions serves all rows. Raises TypeError for a model without a decoder of the LLaVA family, and
    RuntimeError when a layer was not read exactly once.
    """
    decoder, unembed = decoder_of(model)
    with _reading(decoder, torch.as_tensor(positions)) as streams:
        cast(Any, model).model(**inputs, use_cache=False)
    for site, read in streams.items():
        if len(read) != 1:
            raise RuntimeError(f"`{site}` was read {len(read)} times in one forward pass, not once")
    logits = [unembed(decoder.norm(read[0])).float() for read in streams.values()]
    return Lens(tuple(streams), torch.stack(logits))


def rise(
    logits: Float[Tensor, "site row word"],
    answers: Int[Tensor, "row"],
    sites: Sequence[str],
    groups: Sequence[int] | None = None,
    *,
    seed: int = 0,
) -> list[Rise]:
    """Mean probability and rank of each row's own answer at every site, with bootstrap intervals over rows.

    `groups` says which rows are not independent of one another (same picture, say); they are resampled together.
    """
    own = answers.expand(len(logits), -1)[..., None]
    probabilities = logits.softmax(-1).gather(-1, own)[..., 0]
    ranks = 1 + (logits > logits.gather(-1, own)).sum(-1)
    return [
        Rise(
            site,
            bootstrap_mean(probabilities[index].cpu().numpy(), groups, seed=seed),
            bootstrap_mean(ranks[index].cpu().numpy(), groups, seed=seed),
        )
        for index, site in enumerate(sites)
    ]


def decoder_of(model: PreTrainedModel) -> tuple[Any, nn.Module]:
    """The module with `layers` and `norm`, and the unembedding."""
    decoder = getattr(getattr(model, "model", None), "language_model", None)
    unembed = getattr(model, "lm_head", None)
    if unembed is None or not hasattr(decoder, "layers") or not hasattr(decoder, "norm"):
        raise TypeError(f"`{type(model).__name__}` has no decoder of the LLaVA family to look into")
    return decoder, unembed


@contextmanager
def _reading(
    decoder: Any, positions: Int[Tensor, "..."]
) -> Iterator[dict[str, list[Float[Tensor, "row position width"]]]]:
    """Site → what passed there at `positions`, one entry for each time; the hooks are gone afterwards."""
    streams: dict[str, list[Tensor]] = {"embed": []}

    def keep(site: str, stream: Tensor) -> None:
        rows, length, _ = stream.shape
        wanted = (positions % length).to(stream.device).expand(rows, -1)
        streams[site].append(stream[torch.arange(rows, device=stream.device)[:, None], wanted])

    with ExitStack() as hooks:
        hooks.callback(
            decoder.layers[0].register_forward_pre_hook(lambda _, given: keep("embed", given[0])).remove
        )
        for index, layer in enumerate(decoder.layers):
            site = f"language.{index}.resid_post"
            streams[site] = []
            hooks.callback(layer.register_forward_hook(_after(site, keep)).remove)
        yield streams


def _after(site: str, keep: Any) -> Any:
    """A forward hook that keeps a layer's output; layers return a tensor, or a tuple that begins with it."""

    def hook(_: nn.Module, __: Any, output: Any) -> None:
        keep(site, output if isinstance(output, Tensor) else output[0])

    return hook
