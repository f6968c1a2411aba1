"""A target's anatomy: which parts it has, how many and how wide.

Read from the configuration and the model's own modules; knows nothing about what the parts do.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from torch import nn

from store.address import Tower
from tools.targets.families import family_of, part
from tools.targets.target import Target


@dataclass(frozen=True, slots=True)
class Stack:
    """Transformer layers of one tower. `kv_heads` < `heads` means grouped queries; widths count numbers a token."""

    layers: int
    heads: int
    kv_heads: int
    width: int
    mlp_width: int


@dataclass(frozen=True, slots=True)
class Sight:
    """How a picture becomes tokens: `grid` = (rows, columns) of patches at `image_size` pixels a side."""

    image_size: int
    patch: int
    grid: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Anatomy:
    """`language` is a text encoder in contrastive models. `visual_tokens` is what the language side reads for a
    picture of `image_size` (None where no language model reads it); `vision_layer_read` is the last vision layer,
    counted from 0, that anything downstream reads: components of later layers reach no answer.
    `connector` lists the widths from the vision side to the language side. `beside` are other towers, as addresses name
    them; cross-attentions, which are heads alone, have an `mlp_width` of 0."""

    target: str
    family: str
    parameters: int
    dtype: str
    vision: Stack
    sight: Sight
    vision_layer_read: int
    visual_tokens: int | None
    connector: tuple[int, ...]
    language: Stack
    vocabulary: int
    beside: dict[Tower, Stack] = field(default_factory=dict)

    @property
    def towers(self) -> dict[Tower, Stack]:
        """All of them, the decoder last."""
        return {"vision": self.vision, **self.beside, "language": self.language}

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def describe(target: Target) -> Anatomy:
    """The anatomy of a loaded target."""
    if own := family_of(target.family, target.name).anatomy:
        anatomy: Anatomy = part(own)(target)
        return anatomy
    config = target.model.config
    vision = stack_of(config.vision_config)
    sight = _sight(config.vision_config)
    contrastive = target.family == "clip"
    return Anatomy(
        target=target.name,
        family=target.family,
        parameters=sum(p.numel() for p in target.model.parameters()),
        dtype=target.dtype,
        vision=vision,
        sight=sight,
        vision_layer_read=vision.layers - 1 if contrastive else _layer_read(config, vision.layers),
        visual_tokens=None if contrastive else _visual_tokens(config, sight),
        connector=(vision.width, config.projection_dim) if contrastive else _connector(target.model),
        language=stack_of(config.text_config),
        vocabulary=config.text_config.vocab_size,
    )


def stack_of(config: Any) -> Stack:
    """One tower's layers, from its configuration."""
    heads = config.num_attention_heads
    return Stack(
        layers=config.num_hidden_layers,
        heads=heads,
        kv_heads=getattr(config, "num_key_value_heads", None) or heads,
        width=config.hidden_size,
        mlp_width=config.intermediate_size,
    )


def _sight(config: Any) -> Sight:
    rows = config.image_size // config.patch_size
    return Sight(config.image_size, config.patch_size, (rows, rows))


def _layer_read(config: Any, layers: int) -> int:
    """`vision_feature_layer` indexes the embedding followed by each layer's output, from the end when negative."""
    chosen = config.vision_feature_layer
    indices = [chosen] if isinstance(chosen, int) else list(chosen)
    return max(index if index >= 0 else layers + 1 + index for index in indices) - 1


def _visual_tokens(config: Any, sight: Sight) -> int | None:
    """Patches, and the class token where it is kept. None for families that tile a picture by its shape."""
    if config.model_type != "llava":
        return None
    return sight.grid[0] * sight.grid[1] + (config.vision_feature_select_strategy == "full")


def _connector(model: nn.Module) -> tuple[int, ...]:
    """Input width of the projector's first linear map, then every linear map's output width."""
    linears = [
        module
        for name, module in model.named_modules()
        if "multi_modal_projector" in name and isinstance(module, nn.Linear)
    ]
    return (linears[0].in_features, *(linear.out_features for linear in linears))
