"""BLIP's way from pixels and words to an answer, in stretches: between inputs, entrances and the logits.

Two ways meet: the picture's through `vision`, the words' through `question`, whose layers look at the picture. A run
passes the first, then the second, so that a stream of `question` stands for all before it but the picture, which the
batch holds (encoded, or as pixels: then it is carried through `vision` again). The decoder, which is one position long,
always runs whole. The parts' own forward passes run, with fewer layers. Knows nothing about prompts or sites in layers.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from store.address import Tower
from tools.targets.adapter import Halted
from tools.targets.batch import Batch
from tools.targets.blip_answers import unpadded
from tools.targets.sites import CONNECTOR_OUT, EMBED, Site
from tools.targets.stretches import along, depth_of
from tools.targets.towers import shortened

BEFORE: dict[Tower, Tower] = {"vision": "vision", "question": "question", "cross": "question"}
"""Before whose layers a run can be halted so that it still passes each tower's; before no layer of the decoder."""


class BlipStretches:
    """Of a `BlipForQuestionAnswering`."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._seeing = model.vision_model.encoder
        self._reading = model.text_encoder.encoder
        self._telling = model.text_decoder.bert.encoder

    @cached_property
    def entrances(self) -> tuple[Site, ...]:
        """Before every layer of `vision` and `question`, and behind the last of each."""
        return (*along("vision", len(self._seeing.layers)), *along("question", len(self._reading.layer)))

    def entrance(self, site: Site) -> Site | None:
        """The last entrance from which a run still passes the site."""
        if site == EMBED:
            return Site("resid_pre", "question", 0)
        if site == CONNECTOR_OUT:
            return Site("resid_post", "vision", len(self._seeing.layers) - 1)
        if site.tower in BEFORE:
            return Site("resid_pre", BEFORE[site.tower], site.layer)
        return self.entrances[-1]

    def forward(self, batch: Batch, halted: Halted | None) -> Float[Tensor, "row vocabulary"]:
        """Logits of the answer's first token, as float32."""
        question = self._read(batch, halted, len(self._reading.layer))
        start = torch.full((len(batch), 1), self._model.decoder_start_token_id, device=question.device)
        with unpadded(self._telling.layer, batch.inputs["attention_mask"]):
            decoded = self._model.text_decoder(
                input_ids=start, encoder_hidden_states=question, use_cache=False
            )
        return decoded.logits[:, -1].float()

    def halt(self, batch: Batch, at: Site, halted: Halted | None) -> Float[Tensor, "row position width"]:
        """The stream at an entrance. Raises ValueError when the run was halted behind it."""
        if halted is not None and self.entrances.index(halted.entrance) > self.entrances.index(at):
            raise ValueError(f"a run that was halted at `{halted.entrance}` has passed `{at}`")
        if at.tower == "vision":
            return self._seen(batch, halted, depth_of(at))
        return self._read(batch, halted, depth_of(at))

    def picture(self, batch: Batch, halted: Halted | None = None) -> Float[Tensor, "row position width"]:
        """What `cross` looks at: the last stream of `vision`, normed."""
        if "picture" in batch.inputs:
            return batch.inputs["picture"]
        return self._model.vision_model.post_layernorm(self._seen(batch, halted, len(self._seeing.layers)))

    def flops(self, batch: Batch, start: Site | None, stop: Site | None) -> int:
        """Floating-point operations that one row's matrix products take between two entrances."""
        words, seen = batch.width("language"), batch.width("vision")
        read = start if start and start.tower == "question" else None
        sight = start if start and start.tower == "vision" else None
        if stop is not None and stop.tower == "vision":
            return self._flops_of_sight(seen, sight, stop)
        first, last = depth_of(read) if read else 0, depth_of(stop) if stop else len(self._reading.layer)
        found = sum(_layer_flops(layer, words, seen) for layer in self._reading.layer[first:last])
        if sight or ("pixel_values" in batch.inputs and (read is None or first < last)):
            found += self._flops_of_sight(seen, sight, None)
        if stop is None:
            found += sum(_layer_flops(layer, 1, words) for layer in self._telling.layer)
            found += 2 * _weights(self._model.text_decoder.cls)
        return found

    def _flops_of_sight(self, seen: int, start: Site | None, stop: Site | None) -> int:
        layers = self._seeing.layers[depth_of(start) if start else 0 : depth_of(stop) if stop else None]
        patching = self._model.vision_model.embeddings.patch_embedding.weight.numel() * (seen - 1)
        width = self._model.config.vision_config.hidden_size
        found = 2 * seen * _weights(layers) + 4 * seen**2 * width * len(layers)
        return found + (0 if start else 2 * patching)

    def _seen(self, batch: Batch, halted: Halted | None, last: int) -> Float[Tensor, "row position width"]:
        """What enters layer `last` of `vision`."""
        if halted is not None and halted.entrance.tower == "vision":
            stream, first = halted.stream, depth_of(halted.entrance)
        else:
            stream, first = self._model.vision_model.embeddings(batch.inputs["pixel_values"]), 0
        with shortened(self._seeing, slice(first, last)):
            return self._seeing(inputs_embeds=stream).last_hidden_state

    def _read(self, batch: Batch, halted: Halted | None, last: int) -> Float[Tensor, "row position width"]:
        """What enters layer `last` of `question`, or leaves its last."""
        given: dict[str, Any] = {"input_ids": batch.inputs["input_ids"]}
        first = 0
        if halted is not None and halted.entrance.tower == "question":
            given, first = {"encoder_embeds": halted.stream}, depth_of(halted.entrance)
            if first == last:
                return halted.stream
        with shortened(self._reading, slice(first, last), name="layer"):
            return self._model.text_encoder(
                **given,
                attention_mask=batch.inputs["attention_mask"],
                encoder_hidden_states=self.picture(batch, halted),
            ).last_hidden_state


def _layer_flops(layer: Any, here: int, there: int) -> int:
    """Of a layer of words that looks at so many others."""
    looked = layer.crossattention.self
    far = looked.key.weight.numel() + looked.value.weight.numel()
    attended = 4 * looked.query.out_features * here * (here + there)
    return 2 * (here * (_weights(layer) - far) + there * far) + attended


def _weights(module: nn.Module) -> int:
    return sum(one.weight.numel() for one in module.modules() if isinstance(one, nn.Linear))
