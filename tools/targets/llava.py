"""The LLaVA family: a CLIP vision tower, a connector, and a decoder of the Llama kind.

Knows where its parts sit, how prompts become positions, and which positions have a way to the logits. LLaVA-NeXT cuts a
picture into tiles, so its vision tower does not run one row a stimulus: only its language side can be read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property, lru_cache, partial
from typing import Any, Literal, cast

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from store.address import Address, Extent
from store.errors import UserError
from store.records import Scope
from tools.stimuli import Stimulus
from tools.targets.adapter import Grid, Halted, Tap
from tools.targets.answer import encode, prompt
from tools.targets.batch import Batch
from tools.targets.boxes import boxes
from tools.targets.decoder import Decoder
from tools.targets.describe import Anatomy, describe
from tools.targets.question import question_tokens
from tools.targets.sites import CONNECTOR_OUT, EMBED, LOCAL, LOGITS, Site, all_sites, check_site, site_of
from tools.targets.stretches import Stretches, with_picture
from tools.targets.target import Target
from tools.targets.towers import Stack

DECODERS = ("llama", "mistral", "qwen2")
"""Kinds of language models whose layers have the same parts under the same names."""


class LlavaAdapter:
    """A target of the LLaVA family. Raises UserError when its language model is of a kind that is not known here."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._model = cast(Any, target.model)
        config = self._model.config
        if (kind := config.text_config.model_type) not in DECODERS:
            raise UserError(
                f"`{target.name}` has a `{kind}` language model, whose inside can't be read yet",
                kind="unsupported_family",
                hint=f"known kinds: {', '.join(DECODERS)}",
            )
        self._question_tokens = lru_cache(maxsize=4096)(partial(question_tokens, target))
        inner = self._model.model
        self._language = Stack("language", inner.language_model.layers, config.text_config)
        self._blind = _why_no_vision(target)
        self._vision = (
            None if self._blind else Stack("vision", inner.vision_tower.encoder.layers, config.vision_config)
        )

    @cached_property
    def _anatomy(self) -> Anatomy:
        return describe(self.target)

    @cached_property
    def _stretches(self) -> Stretches:
        return Stretches(self._model, self._vision, self._language, self._anatomy.vision_layer_read)

    def extent(self) -> Extent:
        """Neurons and heads of both towers (of LLaVA-NeXT: of the language side)."""
        stacks = [self._language] if self._vision is None else [self._vision, self._language]
        return Extent(self.target.name, {stack.tower: stack.extent() for stack in stacks})

    def sites(self) -> list[Site]:
        """Every site (of LLaVA-NeXT: those of the language side)."""
        return [site for site in all_sites(self.extent()) if not (self._blind and site == CONNECTOR_OUT)]

    def batch(self, stimuli: Sequence[Stimulus], /) -> Batch:
        """Padded on the left; tokens of the question are those that overlap its words in the prompt."""
        prompts = [prompt(self.target, stimulus.question, with_image=True) for stimulus in stimuli]
        inputs = dict(encode(self.target, prompts, [stimulus.image for stimulus in stimuli]))
        real = inputs["attention_mask"].bool()
        inputs["position_ids"] = (real.long().cumsum(1) - 1).clamp(min=0)
        visual = inputs["input_ids"] == self._image_token
        answer = torch.full((len(stimuli),), real.shape[1] - 1, device=real.device)
        question = torch.zeros_like(real)
        for row, stimulus in enumerate(stimuli):
            if stimulus.question.strip():
                ids = tuple(inputs["input_ids"][row, real[row]].tolist())
                found = self._question_tokens(stimulus.question, ids)
                question[row, real[row]] = found.to(question.device)
        question[:, -1] = False
        grid = self._anatomy.sight.grid
        return Batch(inputs, self._patches(visual), question, real, answer, grid[0] * grid[1])

    def tap(self, site: Site, /) -> Tap:
        """Where a site sits. Raises UserError of kind "site" for one that the target does not have."""
        if site.tower == "vision" or site == CONNECTOR_OUT:
            self._check_sight(site)
        check_site(site, self.extent())
        if site == EMBED:
            return replace(self._language.tap(Site("resid_pre", "language", 0)), site=site)
        if site == CONNECTOR_OUT:
            connector = self._model.model.multi_modal_projector
            return Tap(site, connector, "output", "patches", self._language.config.hidden_size)
        if site == LOGITS:
            return Tap(site, self._model.lm_head, "output", "answer", self._model.lm_head.out_features)
        return (self._vision if self._vision and site.tower == "vision" else self._language).tap(site)

    def encoded(self, batch: Batch, /) -> Batch:
        """The batch with its pictures as the decoder reads them; LLaVA-NeXT's stays as it is."""
        if self._vision is None or "pixel_values" not in batch.inputs:
            return batch
        with torch.no_grad():
            read = self._model.model.get_image_features(
                pixel_values=batch.inputs["pixel_values"]
            ).pooler_output
        return with_picture(batch, torch.stack(list(read)))

    def forward(self, batch: Batch, halted: Halted | None = None, /) -> Float[Tensor, "row vocabulary"]:
        """Logits at the answer position, as float32."""
        return self._stretches.forward(batch, halted)

    def entrances(self) -> Sequence[Site]:
        """Before every layer, and behind the last of the decoder and the last that the connector reads."""
        return self._stretches.entrances

    def entrance(self, site: Site, /) -> Site | None:
        """The last entrance from which a run still passes the site."""
        return self._stretches.entrance(site)

    def halt(
        self, batch: Batch, at: Site, halted: Halted | None = None, /
    ) -> Float[Tensor, "row position width"]:
        """The stream at an entrance, in a run from the inputs or from an entrance before it."""
        return self._stretches.halt(batch, at, halted)

    def decoder(self) -> Decoder | None:
        """The language model, where all of its layers attend to all earlier positions."""
        return self._stretches.decoder

    def flops(self, batch: Batch, start: Site | None = None, stop: Site | None = None, /) -> int:
        """Floating-point operations that one row's matrix products take between two entrances."""
        return self._stretches.flops(batch, start, stop)

    def output_row(self, address: Address, /) -> Float[Tensor, "... width"]:
        """What a component writes into the residual stream of its tower."""
        site = site_of(address).site
        self.tap(site)
        stack = self._vision if self._vision and address.tower == "vision" else self._language
        return stack.output_row(address)

    def reaches(self, what: Site | Address, scope: Scope | Literal["all"] = "all", /) -> str | None:
        """None where changing it at these positions can change the logits, else the reason in words."""
        site = site_of(what).site if isinstance(what, Address) else what
        tap = self.tap(site)
        if tap.space != "language" and scope not in ("all", "answer" if tap.space == "answer" else "visual"):
            return f"`{what}` has no {scope} positions"
        if site.tower == "vision" and site.layer is not None:
            read = self._anatomy.vision_layer_read
            return (
                f"the connector reads the picture after vision layer {read}, and `{what}` comes later"
                if site.layer > read
                else None
            )
        last = len(self._language.layers) - 1
        if site.layer == last and site.place in LOCAL and scope in ("visual", "question"):
            return (
                f"layer {last} is the last, and nothing but the answer position is read after it: "
                f"`{what}` has no path from there to the answer"
            )
        return None

    def token(self, word: str, /) -> int | None:
        """The one token that says the word behind a prompt; None when it takes several or is unknown."""
        tokenizer = self.target.processor.tokenizer
        before: list[int] = tokenizer(":", add_special_tokens=False).input_ids
        after: list[int] = tokenizer(f": {word}", add_special_tokens=False).input_ids
        one = after[:-1] == before and after[-1] != tokenizer.unk_token_id
        return after[-1] if one else None

    def unembed(self, hidden: Float[Tensor, "... width"], /) -> Float[Tensor, "... vocabulary"]:
        """Final norm and unembedding of the decoder's residual stream, as float32."""
        with torch.no_grad():
            return self._model.lm_head(self._model.model.language_model.norm(hidden)).float()

    def boxes(self, width: int, height: int, /) -> Grid:
        """Which pixels of a picture of this size each visual token covers."""
        self._check_sight(CONNECTOR_OUT)
        return boxes(self.target.processor.image_processor, self._anatomy.sight, width, height)

    @property
    def _image_token(self) -> int:
        return int(self._model.config.image_token_id)

    def _patches(self, placeholders: Bool[Tensor, "row position"]) -> Bool[Tensor, "row position"]:
        """The placeholders without the class token, where the connector lets it through as the first of them."""
        if self._model.config.vision_feature_select_strategy != "full":
            return placeholders
        return placeholders & (placeholders.long().cumsum(1) > 1)

    def _check_sight(self, site: Site) -> None:
        if self._blind:
            raise UserError(
                f'"{site}": {self._blind}', kind="site", hint="name a site of the language side, or `embed`"
            )


def _why_no_vision(target: Target) -> str:
    """Why the vision side can't be read row by row; "" where it can."""
    if target.family != "llava":
        return (
            f"`{target.name}` cuts pictures into tiles, so its vision side can't be read stimulus by stimulus"
        )
    kind = cast(Any, target.model).config.vision_config.model_type
    if kind != "clip_vision_model":
        return f"`{target.name}` has a `{kind}` vision tower, whose inside can't be read yet"
    return ""
