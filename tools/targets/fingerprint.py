"""Which model is this: one hash over configuration and weights.

Two loads of the same files agree, whatever the folder's name, the machine or the number format of the files, as long
as the values are the same. One changed weight, or one changed field of the configuration, changes it.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Protocol

import torch
from torch import nn
from transformers import PreTrainedModel

_NOISE = {"transformers_version", "dtype", "torch_dtype", "architectures", "return_dict", "use_cache"}
"""Fields that say how a model was written or is run, not what it computes."""


class Hash(Protocol):
    """A hash that takes bytes, as hashlib makes them."""

    def update(self, data: Any, /) -> None: ...


def fingerprint(model: PreTrainedModel) -> str:
    """64 hex digits. Floating-point weights count by value (as float32), all others by their bytes."""
    digest = hashlib.sha256(canonical(model.config.to_dict()).encode())
    add_weights(digest, model)
    return digest.hexdigest()


def add_weights(digest: Hash, model: nn.Module) -> None:
    """Every tensor of the model by name, shape and values."""
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"\n{name}:{tuple(tensor.shape)}:".encode())
        digest.update(_bytes(tensor))


def configuration(model: PreTrainedModel) -> str:
    """64 hex digits of the configuration alone: the same for a model, its checkpoints and its untrained copies."""
    return hashlib.sha256(canonical(model.config.to_dict()).encode()).hexdigest()


def canonical(config: dict[str, Any]) -> str:
    """The fields of a configuration that say what is computed, always in the same order."""
    return json.dumps(_without_noise(config), sort_keys=True, separators=(",", ":"), default=str)


def _without_noise(value: Any) -> Any:
    """Nested dictionaries without private and empty fields: new optional fields of a library default to None."""
    if not isinstance(value, dict):
        return value
    kept = {str(k): _without_noise(v) for k, v in value.items()}
    return {
        k: v
        for k, v in kept.items()
        if not k.startswith(("_", "output_")) and k not in _NOISE and v is not None
    }


def _bytes(tensor: torch.Tensor) -> Any:
    """The values as a buffer, without a copy where the memory allows."""
    plain = tensor.detach().to("cpu")
    if plain.is_floating_point():
        plain = plain.to(torch.float32)
    return plain.contiguous().flatten().view(torch.uint8).numpy()
