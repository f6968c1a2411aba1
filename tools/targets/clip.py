"""CLIP: two towers side by side. Its logits here are the picture's embedding, before it is normed.

Knows where its parts sit. Texts are padded on the right (their positions are learned), and a stimulus's question is its
text; the text tower runs only where a batch has texts. How picture and text compare is not known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, cast

import torch
from jaxtyping import Float
from torch import Tensor

from store.address import Address, Extent
from store.errors import UserError
from store.records import Scope
from tools.stimuli import Stimulus
from tools.targets.adapter import Grid, Halted, Tap
from tools.targets.batch import Batch
from tools.targets.boxes import boxes
from tools.targets.describe import describe
from tools.targets.sites import EMBED, LOCAL, Site, all_sites, check_site, site_of
from tools.targets.target import Target
from tools.targets.towers import Stack


class ClipAdapter:
    """A contrastive target: `vision` is its picture tower, `language` its text tower."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._model = cast(Any, target.model)
        config = self._model.config
        self._sight = describe(target).sight
        self._vision = Stack("vision", self._model.vision_model.encoder.layers, config.vision_config)
        self._language = Stack("language", self._model.text_model.encoder.layers, config.text_config)

    def extent(self) -> Extent:
        """Neurons and heads of both towers."""
        return Extent(
            self.target.name, {"vision": self._vision.extent(), "language": self._language.extent()}
        )

    def sites(self) -> list[Site]:
        """Every site."""
        return list(all_sites(self.extent()))

    def batch(self, stimuli: Sequence[Stimulus], /) -> Batch:
        """`question` is every word of the text, `answer` the token that stands for it as a whole."""
        texts = [stimulus.question for stimulus in stimuli]
        encoded = self.target.processor(
            images=[stimulus.image for stimulus in stimuli],
            text=texts if any(texts) else None,
            return_tensors="pt",
            **({"padding": True, "truncation": True} if any(texts) else {}),
        ).to(self.target.device, self.target.model.dtype)
        inputs = dict(encoded)
        ids = inputs.get(
            "input_ids", torch.zeros(len(stimuli), 0, dtype=torch.long, device=self.target.device)
        )
        real = inputs["attention_mask"].bool() if any(texts) else torch.zeros_like(ids, dtype=torch.bool)
        answer = self._pooled(ids)
        tokenizer = self.target.processor.tokenizer
        special = [tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id]
        marks = torch.tensor([mark for mark in special if mark is not None], device=ids.device)
        words = real & ~torch.isin(ids, marks)
        words &= torch.arange(ids.shape[1], device=ids.device) != answer[:, None]
        patches = self._sight.grid[0] * self._sight.grid[1]
        return Batch(inputs, torch.zeros_like(real), words, real, answer, patches)

    def tap(self, site: Site, /) -> Tap:
        """Where a site sits. `connector.out` and `logits` are one: the projection of the class token."""
        check_site(site, self.extent())
        if site == EMBED:
            return replace(self._language.tap(Site("resid_pre", "language", 0)), site=site)
        if site.tower is None:
            projection = self._model.visual_projection
            return Tap(site, projection, "output", "answer", projection.out_features)
        return (self._vision if site.tower == "vision" else self._language).tap(site)

    def encoded(self, batch: Batch, /) -> Batch:
        """The batch as it is: the picture's way is the whole model."""
        return batch

    def forward(self, batch: Batch, halted: Halted | None = None, /) -> Float[Tensor, "row vocabulary"]:
        """The picture's embedding, as float32; the text tower runs beside it where there are texts."""
        if halted is not None:
            raise _whole(halted.entrance)
        inputs = dict(batch.inputs)
        embedding = self._model.get_image_features(pixel_values=inputs.pop("pixel_values")).pooler_output
        if inputs:
            self._model.get_text_features(**inputs)
        return embedding.float()

    def entrances(self) -> Sequence[Site]:
        """None: two towers side by side are not passed one after the other."""
        return ()

    def entrance(self, site: Site, /) -> Site | None:
        """None: every run is a whole one."""
        return None

    def halt(
        self, batch: Batch, at: Site, halted: Halted | None = None, /
    ) -> Float[Tensor, "row position width"]:
        """Raises ValueError: it has no entrances."""
        raise _whole(at)

    def decoder(self) -> None:
        """None: its answer is an embedding."""
        return

    def flops(self, batch: Batch, start: Site | None = None, stop: Site | None = None, /) -> int:
        """Floating-point operations of one row's matrix products."""
        if start is not None or stop is not None:
            raise _whole(start or stop)
        patches = self._model.vision_model.embeddings.patch_embedding.weight.numel() * batch.patches
        found = self._vision.flops(slice(None), batch.width("vision"))
        found += 2 * (patches + self._model.visual_projection.weight.numel())
        if batch.width("language"):
            found += self._language.flops(slice(None), batch.width("language"))
            found += 2 * self._model.text_projection.weight.numel()
        return found

    def output_row(self, address: Address, /) -> Float[Tensor, "... width"]:
        """What a component writes into the residual stream of its tower."""
        self.tap(site_of(address).site)
        return (self._vision if address.tower == "vision" else self._language).output_row(address)

    def reaches(self, what: Site | Address, scope: Scope | Literal["all"] = "all", /) -> str | None:
        """None where changing it at these positions can change the picture's embedding, else the reason in words."""
        site = site_of(what).site if isinstance(what, Address) else what
        tap = self.tap(site)
        if tap.space == "language":
            return f"`{what}` belongs to the text tower, which does not see the picture's embedding"
        if scope not in ("all", "answer" if tap.space == "answer" else "visual"):
            return f"`{what}` has no {scope} positions"
        last = len(self._vision.layers) - 1
        if site.layer == last and site.place in LOCAL and scope == "visual":
            return (
                f"layer {last} is the last, and nothing but the class token is read after it: "
                f"`{what}` has no path from the picture's patches to the embedding"
            )
        return None

    def token(self, word: str, /) -> int | None:
        """None: it gives no words."""
        return None

    def unembed(self, hidden: Float[Tensor, "... width"], /) -> Float[Tensor, "... vocabulary"]:
        """Final norm and projection of the picture tower's residual stream, as float32."""
        with torch.no_grad():
            return self._model.visual_projection(self._model.vision_model.post_layernorm(hidden)).float()

    def boxes(self, width: int, height: int, /) -> Grid:
        """Which pixels of a picture of this size each patch covers."""
        return boxes(self.target.processor.image_processor, self._sight, width, height)

    def _pooled(self, ids: Tensor) -> Tensor:
        """The position that the text embedding is read from, as the model itself finds it."""
        if not ids.shape[1]:
            return torch.zeros(len(ids), dtype=torch.long, device=ids.device)
        end = self._model.text_model.eos_token_id
        if end is None:
            raise UserError(
                f"`{self.target.name}` does not say which token ends a text",
                kind="unloadable",
                hint="set `eos_token_id` in its text configuration",
            )
        return ids.argmax(1) if end == 2 else (ids == end).int().argmax(1)


def _whole(entrance: Site | None) -> ValueError:
    return ValueError(f"a run of a contrastive model is a whole one, it can't be halted at `{entrance}`")
