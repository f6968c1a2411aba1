"""The LLaVA family's forward pass in stretches: from the inputs or an entrance to an entrance or the logits.

Knows what comes after what, from the pixels to the answer. The towers' own forward passes run, with fewer layers: the
masks, positions and rotations are theirs. Knows nothing about prompts, nor who wants a stretch alone.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn
from transformers.modeling_outputs import BaseModelOutputWithPooling

from store.address import Tower
from tools.targets.adapter import Halted
from tools.targets.batch import Batch
from tools.targets.decoder import Decoder
from tools.targets.sites import CONNECTOR_OUT, EMBED, LOGITS, Site
from tools.targets.towers import Stack, shortened


class Stretches:
    """`vision` is None where the vision tower does not run one row a stimulus: it is then passed as a whole. `read` is
    the last of its layers, from 0, that the connector reads."""

    def __init__(self, model: Any, vision: Stack | None, language: Stack, read: int) -> None:
        self._model = model
        self._vision = vision
        self._language = language
        self._read = read

    @cached_property
    def entrances(self) -> tuple[Site, ...]:
        """Before every layer, and behind the last of the decoder and the last that the connector reads.

        None in a decoder whose layers attend in different ways, since it finds each layer's way by counting from its
        first, and none in a vision tower of which several layers are read.
        """
        alike = len(self._ways) == 1
        language = along("language", len(self._language.layers)) if alike else ()
        one = isinstance(self._model.config.vision_feature_layer, int)
        seen = along("vision", self._read + 1) if self._vision and one and self._read >= 0 else ()
        return seen + language

    @property
    def _ways(self) -> set[str]:
        """In which ways the decoder's layers attend."""
        return set(getattr(self._language.config, "layer_types", None) or ["full_attention"])

    @property
    def decoder(self) -> Decoder | None:
        """None where some layer attends to a window of positions only."""
        window = getattr(self._language.config, "sliding_window", None)
        if self._ways != {"full_attention"} or window is not None:
            return None
        return Decoder(self._model.model.language_model, self._language, self._model.lm_head)

    def entrance(self, site: Site) -> Site | None:
        """The last entrance from which a run still passes the site; None where only one from the inputs does."""
        if site == EMBED:
            site = Site("resid_pre", "language", 0)
        elif site == CONNECTOR_OUT:
            site = Site("resid_post", "vision", self._read)
        elif site == LOGITS:
            site = Site("resid_post", "language", len(self._language.layers) - 1)
        else:
            site = Site("resid_pre", site.tower, site.layer)
        return site if site in self.entrances else None

    def forward(self, batch: Batch, halted: Halted | None) -> Float[Tensor, "row vocabulary"]:
        """Logits at the answer position, as float32."""
        if halted is None:
            return self._model(**_inputs(batch), use_cache=False, logits_to_keep=1).logits[:, -1].float()
        stream = self._carried(batch, halted, len(self._language.layers), normed=True)
        return self._model.lm_head(stream[:, -1:])[:, -1].float()

    def halt(self, batch: Batch, at: Site, halted: Halted | None) -> Float[Tensor, "row position width"]:
        """The stream at an entrance. Raises ValueError when the run was halted behind it."""
        if halted is not None and self.entrances.index(halted.entrance) > self.entrances.index(at):
            raise ValueError(f"a run that was halted at `{halted.entrance}` has passed `{at}`")
        if at.tower == "vision":
            return self._seen(batch, halted, depth_of(at))
        return self._carried(batch, halted, depth_of(at), normed=False)

    def flops(self, batch: Batch, start: Site | None, stop: Site | None) -> int:
        """Floating-point operations that one row's matrix products take between two entrances.

        LLaVA-NeXT: as if every picture had as many tiles as the one of most.
        """
        sees = start.tower == "vision" if start else "pixel_values" in batch.inputs
        found = self._flops_of_sight(batch, start, stop) if sees else 0
        if stop is None or stop.tower == "language":
            first = depth_of(start) if start and start.tower == "language" else 0
            found += self._language.flops(
                slice(first, depth_of(stop) if stop else None), batch.width("language")
            )
        return found + (0 if stop else 2 * self._model.lm_head.weight.numel())

    def _flops_of_sight(self, batch: Batch, start: Site | None, stop: Site | None) -> int:
        """In the vision tower and, where the run goes on behind it, the connector."""
        inner = self._model.model
        within = stop is not None and stop.tower == "vision"
        tower = self._vision or Stack(
            "vision", inner.vision_tower.encoder.layers, self._model.config.vision_config
        )
        last = (
            depth_of(stop)
            if stop and within
            else len(tower.layers)
            if start is None and not within
            else self._read + 1
        )
        patches = batch.patches
        found = tower.flops(slice(depth_of(start) if start else 0, last), patches + 1)
        if start is None:
            found += 2 * patches * inner.vision_tower.embeddings.patch_embedding.weight.numel()
        if not within:
            linear = [one for one in inner.multi_modal_projector.modules() if isinstance(one, nn.Linear)]
            whole = self._model.config.vision_feature_select_strategy != "default"
            found += 2 * (patches + whole) * sum(one.weight.numel() for one in linear)
        return found * (1 if self._vision else batch.inputs["pixel_values"].shape[1])

    def _seen(self, batch: Batch, halted: Halted | None, last: int) -> Float[Tensor, "row position width"]:
        """What enters layer `last` of the vision tower."""
        tower = self._model.model.vision_tower
        if halted is None:
            stream, first = tower.pre_layrnorm(tower.embeddings(batch.inputs["pixel_values"])), 0
        else:
            stream, first = halted.stream, depth_of(halted.entrance)
        with shortened(tower.encoder, slice(first, last)):
            return tower.encoder(inputs_embeds=stream).last_hidden_state

    def _carried(
        self, batch: Batch, halted: Halted | None, last: int, *, normed: bool
    ) -> Float[Tensor, "row position width"]:
        """What enters layer `last` of the decoder, or what leaves its final norm."""
        inner = self._model.model
        decoder = inner.language_model
        if halted is not None and halted.entrance.tower == "language":
            given = {name: batch.inputs[name] for name in ("attention_mask", "position_ids")}
            with shortened(decoder, slice(depth_of(halted.entrance), last), normed=normed):
                return decoder(inputs_embeds=halted.stream, **given, use_cache=False).last_hidden_state
        if halted is not None:
            batch = self._connected(batch, self._seen(batch, halted, self._read + 1))
        with shortened(decoder, slice(last), normed=normed):
            return inner(**_inputs(batch), use_cache=False).last_hidden_state

    def _connected(self, batch: Batch, seen: Float[Tensor, "row position width"]) -> Batch:
        """The batch with its picture as the connector makes it of the vision tower's stream."""
        if self._model.config.vision_feature_select_strategy == "default":
            seen = seen[:, 1:]
        return with_picture(batch, self._model.model.multi_modal_projector(seen))


def with_picture(batch: Batch, picture: Float[Tensor, "row token width"]) -> Batch:
    """The batch with its pictures as the decoder reads them, in place of the pixels."""
    words = without_pixels(batch)
    return replace(words, inputs=words.inputs | {"picture": picture})


def without_pixels(batch: Batch) -> Batch:
    """The batch as a run finds it that is past the pixels."""
    return replace(
        batch, inputs={name: tensor for name, tensor in batch.inputs.items() if name != "pixel_values"}
    )


def _inputs(batch: Batch) -> dict[str, Any]:
    """The model's own arguments."""
    inputs: dict[str, Any] = dict(batch.inputs)
    if "picture" in inputs:
        read = BaseModelOutputWithPooling(pooler_output=list(inputs.pop("picture")))  # type: ignore[arg-type]
        inputs["mm_encoder_outputs"] = {"image": read}
    return inputs


def along(tower: Tower, layers: int) -> tuple[Site, ...]:
    """The streams that enter the first so many layers of a tower, and the one that leaves the last of these."""
    before = tuple(Site("resid_pre", tower, layer) for layer in range(layers))
    return (*before, Site("resid_post", tower, layers - 1))


def depth_of(entrance: Site) -> int:
    """How many of its tower's layers lie before an entrance."""
    if entrance.layer is None:
        raise ValueError(f"`{entrance}` is no entrance")
    return entrance.layer + (entrance.place == "resid_post")
