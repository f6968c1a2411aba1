"""A target of its own inside TransformerLens' bridge, and runs of it with hooks.

Built around a loaded model: `boot_transformers` would load the processor by itself, and where that fails install
torchvision into the environment. The bridge keeps the model's own weights, unfolded, and its eager attention.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tests.tools.lively import lively

Hook = Callable[..., Tensor]


class Bridged:
    """A lively LLaVA with the weights that the engine's has."""

    def __init__(self, folder: Path) -> None:
        from transformer_lens.model_bridge.sources import build_bridge_from_module

        target = lively(folder)
        target.model.set_attn_implementation("eager")
        self.bridge: Any = build_bridge_from_module(
            target.model,
            "LlavaForConditionalGeneration",
            hf_config=target.model.config,
            tokenizer=target.processor.tokenizer,
        )

    def logits(self, inputs: Mapping[str, Tensor], hooks: Mapping[str, Hook] | None = None) -> Tensor:
        """Logits at the last position with these functions at these hook points."""
        with torch.no_grad():
            found: Tensor = self.bridge.run_with_hooks(
                inputs["input_ids"],
                fwd_hooks=list((hooks or {}).items()),
                pixel_values=inputs["pixel_values"],
                attention_mask=inputs["attention_mask"],
            )
        return found[0, -1]

    def cache(self, inputs: Mapping[str, Tensor]) -> Any:
        """What passes at every hook point."""
        with torch.no_grad():
            return self.bridge.run_with_cache(
                inputs["input_ids"],
                pixel_values=inputs["pixel_values"],
                attention_mask=inputs["attention_mask"],
            )[1]


def put(source: Tensor, where: Any) -> Hook:
    """A hook that puts a part of another run's tensor in place."""

    def hook(now: Tensor, hook: Any) -> Tensor:
        changed = now.clone()
        changed[where] = source[where]
        return changed

    return hook
