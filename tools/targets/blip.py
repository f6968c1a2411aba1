"""BLIP for questions (`BlipForQuestionAnswering`): the picture is read by cross-attention, the answer by another.

Knows its five towers: `vision`; `question`, which encodes the words; `cross`, its heads that look from the words at the
picture; `language`, which decodes the answer at a position of its own; and `recall`, the heads by which that position
looks at the question. Words are padded on the right, since their positions are learned. Where sites sit inside a layer
stands in blip_sites.py, how one part calls the next in blip_answers.py, where a run can be halted in blip_stretches.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, cast

import torch
from jaxtyping import Float
from torch import Tensor

from store.address import Address, Extent, Layers, Tower
from store.records import Scope
from tools.stimuli import Stimulus
from tools.targets.adapter import Grid, Halted, Tap
from tools.targets.batch import Batch, Space
from tools.targets.blip_answers import encoded_words
from tools.targets.blip_sites import attention_of, text_tap, vision_tap
from tools.targets.blip_stretches import BlipStretches
from tools.targets.boxes import even
from tools.targets.describe import Anatomy, Sight, stack_of
from tools.targets.fused import written_by
from tools.targets.sites import CONNECTOR_OUT, EMBED, LOGITS, Site, all_sites, check_site, site_of
from tools.targets.stretches import with_picture
from tools.targets.target import Target

SCOPES: dict[Space, Scope] = {
    "vision": "visual",
    "patches": "visual",
    "language": "question",
    "answer": "answer",
}


class BlipAdapter:
    """A target that answers questions by two cross-attentions."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._model = cast(Any, target.model)
        self._config = self._model.config
        self._stretches = BlipStretches(self._model)
        side = self._config.vision_config.image_size // self._config.vision_config.patch_size
        self._grid = (side, side)

    def extent(self) -> Extent:
        """Neurons and heads of the three towers with layers of their own, heads of the two cross-attentions."""
        vision, text = self._config.vision_config, self._config.text_config
        words = Layers(text.num_hidden_layers, text.intermediate_size, text.num_attention_heads)
        looks = Layers(text.num_hidden_layers, 0, text.num_attention_heads)
        seen = Layers(vision.num_hidden_layers, vision.intermediate_size, vision.num_attention_heads)
        towers: dict[Tower, Layers] = {
            "vision": seen,
            "question": words,
            "cross": looks,
            "recall": looks,
            "language": words,
        }
        return Extent(self.target.name, towers)

    def sites(self) -> list[Site]:
        """Every site."""
        return list(all_sites(self.extent()))

    def batch(self, stimuli: Sequence[Stimulus], /) -> Batch:
        """`question` is every word; the position of the answer stands apart from them."""
        inputs = encoded_words(self.target, [one.question for one in stimuli], [one.image for one in stimuli])
        ids, real = inputs["input_ids"], inputs["attention_mask"].bool()
        tokenizer = self.target.processor.tokenizer
        names = ("cls_token_id", "sep_token_id", "bos_token_id", "eos_token_id", "pad_token_id")
        marks = [mark for name in names if (mark := getattr(tokenizer, name, None)) is not None]
        words = real & ~torch.isin(ids, torch.tensor(marks, device=ids.device))
        answer = torch.zeros(len(stimuli), dtype=torch.long, device=ids.device)
        patches = self._grid[0] * self._grid[1]
        return Batch(inputs, torch.zeros_like(real), words, real, answer, patches, apart=True)

    def tap(self, site: Site, /) -> Tap:
        """Where a site sits. Raises UserError of kind "site" for one that the target does not have.

        `connector.out` is what `cross` looks at: the last stream of the vision tower, normed, with its class token.
        """
        check_site(site, self.extent())
        if site == EMBED:
            first, width = self._layers("question")[0], self._config.text_config.hidden_size
            return Tap(site, first, "input", "language", width)
        if site == CONNECTOR_OUT:
            encoder, width = self._model.text_encoder.encoder, self._config.vision_config.hidden_size
            return Tap(site, encoder, "input", "vision", width, argument="encoder_hidden_states")
        if site == LOGITS:
            last = self._model.text_decoder.cls.predictions.decoder
            return Tap(site, last, "output", "answer", last.out_features)
        assert site.tower is not None and site.layer is not None
        layer = self._layers(site.tower)[site.layer]
        if site.tower == "vision":
            return vision_tap(site, layer, self._config.vision_config)
        return text_tap(site, layer, self._config.text_config)

    def encoded(self, batch: Batch, /) -> Batch:
        """The batch with its pictures as `cross` looks at them."""
        if "pixel_values" not in batch.inputs:
            return batch
        with torch.no_grad():
            return with_picture(batch, self._stretches.picture(batch))

    def forward(self, batch: Batch, halted: Halted | None = None, /) -> Float[Tensor, "row vocabulary"]:
        """Logits of the answer's first token, as float32."""
        return self._stretches.forward(batch, halted)

    def entrances(self) -> Sequence[Site]:
        """Before every layer of `vision` and `question`, and behind the last of each."""
        return self._stretches.entrances

    def entrance(self, site: Site, /) -> Site | None:
        """The last entrance from which a run still passes the site; the decoder runs whole."""
        return self._stretches.entrance(site)

    def halt(
        self, batch: Batch, at: Site, halted: Halted | None = None, /
    ) -> Float[Tensor, "row position width"]:
        """The stream at an entrance, in a run from the inputs or from an entrance before it."""
        return self._stretches.halt(batch, at, halted)

    def decoder(self) -> None:
        """None: its decoder reads the picture and the question beside the answer."""
        return

    def flops(self, batch: Batch, start: Site | None = None, stop: Site | None = None, /) -> int:
        """Floating-point operations that one row's matrix products take between two entrances."""
        return self._stretches.flops(batch, start, stop)

    def output_row(self, address: Address, /) -> Float[Tensor, "... width"]:
        """What a component writes into the residual stream of its tower (of a cross-attention: of the tower that
        looks), before it is normed there."""
        self.tap(site_of(address).site)
        layer = self._layers(address.tower)[address.layer]
        if address.tower == "vision":
            mlp, attention = layer.mlp.fc2, layer.self_attn.projection
        else:
            mlp, attention = layer.output.dense, attention_of(layer, address.tower).output.dense
        heads = self.extent().towers[address.tower].heads
        return written_by(address, mlp, attention, attention.in_features // heads)

    def reaches(self, what: Site | Address, scope: Scope | Literal["all"] = "all", /) -> str | None:
        """None where changing it at these positions can change the logits, else the reason in words."""
        site = site_of(what).site if isinstance(what, Address) else what
        if scope not in ("all", SCOPES[self.tap(site).space]):
            return f"`{what}` has no {scope} positions"
        if site.tower == "language" and site.place in ("attn.q", "attn.k"):
            return (
                "the answer begins at one position, whose attention to itself is 1 whatever it asks for: "
                f"`{what}` has no path to the answer"
            )
        return None

    def token(self, word: str, /) -> int | None:
        """The one token that says the word; None when it takes several or is unknown."""
        tokenizer = self.target.processor.tokenizer
        found: list[int] = tokenizer(word, add_special_tokens=False).input_ids
        return found[0] if len(found) == 1 and found[0] != tokenizer.unk_token_id else None

    def unembed(self, hidden: Float[Tensor, "... width"], /) -> Float[Tensor, "... vocabulary"]:
        """The decoder's head (a map, a norm, the unembedding) on a stream of `language`, as float32."""
        with torch.no_grad():
            return self._model.text_decoder.cls(hidden).float()

    def boxes(self, width: int, height: int, /) -> Grid:
        """Which pixels of a picture of this size each patch covers; the whole picture is seen, stretched."""
        return even(*self._grid, width, height)

    def _layers(self, tower: Tower) -> Any:
        if tower == "vision":
            return self._model.vision_model.encoder.layers
        if tower in ("question", "cross"):
            return self._model.text_encoder.encoder.layer
        return self._model.text_decoder.bert.encoder.layer


def anatomy(target: Target) -> Anatomy:
    """The anatomy of a BLIP: the vision tower's width is what `cross` looks at, no map stands between."""
    config = target.model.config
    vision, seen = stack_of(config.vision_config), config.vision_config
    words = stack_of(config.text_config)
    looks = replace(words, mlp_width=0)
    side = seen.image_size // seen.patch_size
    return Anatomy(
        target=target.name,
        family=target.family,
        parameters=sum(p.numel() for p in target.model.parameters()),
        dtype=target.dtype,
        vision=vision,
        sight=Sight(seen.image_size, seen.patch_size, (side, side)),
        vision_layer_read=vision.layers - 1,
        visual_tokens=side**2 + 1,
        connector=(vision.width,),
        language=words,
        vocabulary=config.text_config.vocab_size,
        beside={"question": words, "cross": looks, "recall": looks},
    )
