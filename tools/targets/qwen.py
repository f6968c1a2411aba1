"""Qwen2.5-VL: a vision tower with windows, a merger of 2 × 2 patches, and a decoder whose positions have three axes.

Knows where its parts sit: queries, keys and values come from one map; the pictures of a batch lie one behind another,
their patches sorted by window. Sites show them row by row, in the order in which four neighbours make one visual token.
The vision tower has no class token, and all of its layers are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any, Literal, cast

import torch
from jaxtyping import Float
from torch import Tensor
from transformers.modeling_outputs import BaseModelOutputWithPooling

from store.address import Address, Extent
from store.records import Scope
from tools.stimuli import Stimulus
from tools.targets.adapter import Grid, Halted, Tap
from tools.targets.answer import encode, prompt
from tools.targets.batch import Batch
from tools.targets.boxes import even
from tools.targets.decoder import Decoder
from tools.targets.describe import Anatomy, Sight, stack_of
from tools.targets.layout import Layout
from tools.targets.question import question_tokens
from tools.targets.qwen_processor import QwenProcessor
from tools.targets.sites import CONNECTOR_OUT, EMBED, LOCAL, LOGITS, Site, all_sites, check_site, site_of
from tools.targets.stretches import with_picture
from tools.targets.target import Target
from tools.targets.towers import Stack, shortened
from tools.targets.windows import WindowedTower


class QwenAdapter:
    """A target of the Qwen2.5-VL family."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._model = cast(Any, target.model)
        self._processor = cast(QwenProcessor, target.processor)
        inner, config = self._model.model, self._model.config
        self._question_tokens = lru_cache(maxsize=4096)(partial(question_tokens, target))
        self._language = Stack("language", inner.language_model.layers, config.text_config)
        self._vision = WindowedTower(inner.visual, config.vision_config, self._processor.grid)

    def extent(self) -> Extent:
        """Neurons and heads of both towers."""
        return Extent(
            self.target.name, {"vision": self._vision.extent(), "language": self._language.extent()}
        )

    def sites(self) -> list[Site]:
        """Every site."""
        return list(all_sites(self.extent()))

    def batch(self, stimuli: Sequence[Stimulus], /) -> Batch:
        """Padded on the left; tokens of the question are those that overlap its words in the prompt."""
        prompts = [prompt(self.target, stimulus.question, with_image=True) for stimulus in stimuli]
        inputs = dict(encode(self.target, prompts, [stimulus.image for stimulus in stimuli]))
        rows, ids, real = len(stimuli), inputs["input_ids"], inputs["attention_mask"].bool()
        positions, _ = self._model.model.get_rope_index(**{**inputs, "pixel_values": None})
        visual = inputs.pop("mm_token_type_ids") == 1
        inputs["position_ids"] = positions.transpose(0, 1)
        inputs["pixel_values"] = inputs["pixel_values"].unflatten(0, (rows, -1))
        question = torch.zeros_like(real)
        for row, stimulus in enumerate(stimuli):
            if stimulus.question.strip():
                found = self._question_tokens(stimulus.question, tuple(ids[row, real[row]].tolist()))
                question[row, real[row]] = found.to(question.device)
        question[:, -1] = False
        answer = torch.full((rows,), real.shape[1] - 1, device=real.device)
        tokens, merged = self._processor.grid**2, self._vision.merged
        return Batch(inputs, visual, question, real, answer, tokens, lead=0, merged=merged)

    def tap(self, site: Site, /) -> Tap:
        """Where a site sits. Raises UserError of kind "site" for one that the target does not have."""
        check_site(site, self.extent())
        if site == EMBED:
            return replace(self._language.tap(Site("resid_pre", "language", 0)), site=site)
        if site == CONNECTOR_OUT:
            layout = Layout(places=self._vision.places_of_tokens.to(self.target.device))
            width = self._model.config.text_config.hidden_size
            return Tap(site, self._model.model.visual.merger, "output", "patches", width, layout=layout)
        if site == LOGITS:
            return Tap(site, self._model.lm_head, "output", "answer", self._model.lm_head.out_features)
        return self._vision.tap(site) if site.tower == "vision" else self._language.tap(site)

    def encoded(self, batch: Batch, /) -> Batch:
        """The batch with its pictures as the decoder reads them."""
        if "pixel_values" not in batch.inputs:
            return batch
        with torch.no_grad():
            read = self._model.model.get_image_features(
                batch.inputs["pixel_values"].flatten(0, 1), batch.inputs["image_grid_thw"]
            ).pooler_output
        return with_picture(batch, torch.stack(list(read)))

    def forward(self, batch: Batch, halted: Halted | None = None, /) -> Float[Tensor, "row vocabulary"]:
        """Logits at the answer position, as float32."""
        stream = self._carried(batch, halted, len(self._language.layers), normed=True)
        return self._model.lm_head(stream[:, -1:])[:, -1].float()

    def entrances(self) -> Sequence[Site]:
        """Before every layer of the decoder and behind the last; none where its layers attend in different ways, since
        it finds each layer's way by counting from its first."""
        layers = len(self._language.layers)
        if len(set(self._model.config.text_config.layer_types)) > 1:
            return ()
        before = [Site("resid_pre", "language", layer) for layer in range(layers)]
        return (*before, Site("resid_post", "language", layers - 1))

    def entrance(self, site: Site, /) -> Site | None:
        """The last entrance from which a run still passes the site; None for all that comes before the decoder."""
        if site == EMBED or site.tower == "language":
            found = Site("resid_pre", "language", site.layer or 0)
        elif site == LOGITS:
            found = Site("resid_post", "language", len(self._language.layers) - 1)
        else:
            return None
        return found if found in self.entrances() else None

    def halt(
        self, batch: Batch, at: Site, halted: Halted | None = None, /
    ) -> Float[Tensor, "row position width"]:
        """The stream at an entrance. Raises ValueError when the run was halted behind it."""
        if halted is not None and _depth(halted.entrance) > _depth(at):
            raise ValueError(f"a run that was halted at `{halted.entrance}` has passed `{at}`")
        return self._carried(batch, halted, _depth(at), normed=False)

    def decoder(self) -> Decoder | None:
        """The language model, where all of its layers attend to all earlier positions."""
        if set(self._model.config.text_config.layer_types) != {"full_attention"}:
            return None
        return Decoder(self._model.model.language_model, self._language, self._model.lm_head)

    def flops(self, batch: Batch, start: Site | None = None, stop: Site | None = None, /) -> int:
        """Floating-point operations that one row's matrix products take between two entrances."""
        sees = start is None and "pixel_values" in batch.inputs
        layers = slice(_depth(start) if start else 0, _depth(stop) if stop else None)
        found = self._language.flops(layers, batch.width("language")) + (self._vision.flops() if sees else 0)
        return found + (0 if stop else 2 * self._model.lm_head.weight.numel())

    def output_row(self, address: Address, /) -> Float[Tensor, "... width"]:
        """What a component writes into the residual stream of its tower."""
        self.tap(site_of(address).site)
        return (self._vision if address.tower == "vision" else self._language).output_row(address)

    def reaches(self, what: Site | Address, scope: Scope | Literal["all"] = "all", /) -> str | None:
        """None where changing it at these positions can change the logits, else the reason in words."""
        site = site_of(what).site if isinstance(what, Address) else what
        tap = self.tap(site)
        if tap.space != "language" and scope not in ("all", "answer" if tap.space == "answer" else "visual"):
            return f"`{what}` has no {scope} positions"
        last = len(self._language.layers) - 1
        at_the_end = (site.tower, site.layer) == ("language", last) and site.place in LOCAL
        if at_the_end and scope in ("visual", "question"):
            return (
                f"layer {last} is the last, and nothing but the answer position is read after it: "
                f"`{what}` has no path from there to the answer"
            )
        return None

    def token(self, word: str, /) -> int | None:
        """The one token that says the word on a line of its own, as answers begin; None when it takes several."""
        tokenizer = self._processor.tokenizer
        before: list[int] = tokenizer("\n", add_special_tokens=False).input_ids
        after: list[int] = tokenizer(f"\n{word}", add_special_tokens=False).input_ids
        one = after[:-1] == before and bool(word) and after[-1] != tokenizer.unk_token_id
        return after[-1] if one else None

    def unembed(self, hidden: Float[Tensor, "... width"], /) -> Float[Tensor, "... vocabulary"]:
        """Final norm and unembedding of the decoder's residual stream, as float32."""
        with torch.no_grad():
            return self._model.lm_head(self._model.model.language_model.norm(hidden)).float()

    def boxes(self, width: int, height: int, /) -> Grid:
        """Which pixels of a picture of this size each visual token covers; the whole picture is seen, stretched."""
        return even(self._processor.grid, self._processor.grid, width, height)

    def _carried(
        self, batch: Batch, halted: Halted | None, last: int, *, normed: bool
    ) -> Float[Tensor, "row position width"]:
        """What enters layer `last` of the decoder, or what leaves its final norm."""
        inner = self._model.model
        decoder = inner.language_model
        given = _arguments(batch)
        first = _depth(halted.entrance) if halted else 0
        with shortened(decoder, slice(first, last), normed=normed):
            if halted is None:
                return inner(**given, use_cache=False).last_hidden_state
            known = {name: given[name] for name in ("attention_mask", "position_ids")}
            return decoder(inputs_embeds=halted.stream, **known, use_cache=False).last_hidden_state


def anatomy(target: Target) -> Anatomy:
    """The anatomy of a Qwen2.5-VL, at the size to which its pictures are stretched."""
    config, processor = target.model.config, cast(QwenProcessor, target.processor)
    vision = stack_of(config.vision_config)
    side = processor.side // config.vision_config.patch_size
    merged = vision.width * config.vision_config.spatial_merge_size**2
    return Anatomy(
        target=target.name,
        family=target.family,
        parameters=sum(p.numel() for p in target.model.parameters()),
        dtype=target.dtype,
        vision=vision,
        sight=Sight(processor.side, config.vision_config.patch_size, (side, side)),
        vision_layer_read=vision.layers - 1,
        visual_tokens=processor.grid**2,
        connector=(merged, merged, config.text_config.hidden_size),
        language=stack_of(config.text_config),
        vocabulary=config.text_config.vocab_size,
    )


def _arguments(batch: Batch) -> dict[str, Any]:
    """The model's own arguments."""
    given: dict[str, Any] = dict(batch.inputs)
    given["position_ids"] = given["position_ids"].transpose(0, 1)
    if "pixel_values" in given:
        given["pixel_values"] = given["pixel_values"].flatten(0, 1)
    if "picture" in given:
        read = BaseModelOutputWithPooling(pooler_output=list(given.pop("picture")))  # type: ignore[arg-type]
        given["mm_encoder_outputs"] = {"image": read}
    return given


def _depth(entrance: Site) -> int:
    """How many of the decoder's layers lie before an entrance."""
    if entrance.tower != "language" or entrance.layer is None:
        raise ValueError(f"`{entrance}` is no entrance")
    return entrance.layer + (entrance.place == "resid_post")
