"""Attention whose pattern can be read, written and cut edge by edge, also behind keys that are known already.

Registers two attention functions with transformers, beside the masks that they need, and switches towers to them for a
while. One computes everything in the open (scores, mask, softmax, sum), since fused kernels show no pattern. A cut edge
gets a score of −∞; a query whose edges are all cut attends to nothing and gets zeros, not an even share of what it may
not see. Where a family's own code shows its patterns (they pass a dropout), that is where they are read, written and
cut: what is left of a query's attention is shared out anew, which is the same. The other is torch's own, and what it
was given as keys and values is remembered. Knows nothing about plans or rows' meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from transformers import AttentionInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, eager_mask, sdpa_mask

from store.address import Tower
from tools.engine.known import Known, repeated
from tools.engine.parts import has_kernel
from tools.targets.adapter import Tap

OPEN, REMEMBERING = "maieutic_open", "maieutic_remembering"
FEW = 64
"""Queries of a row up to which the keys before them are not copied for rows of one stimulus; where there is a kernel
that takes them in parts they never are."""
CONFIGS: dict[Tower, str] = {"vision": "vision_config", "language": "text_config"}
"""Where the configuration of a family's towers is found."""

Pattern = Float[Tensor, "row head query key"]


@dataclass(eq=False)
class Watch:
    """What is done at one pattern: edges that are cut, then what is made of the pattern (None: nothing).

    `fired` counts how often it was passed. `borders` are those of the stretches of patches that see one another, in a
    tower whose pictures lie one behind another.
    """

    tap: Tap
    cut: Bool[Tensor, "row head query key"] | None = None
    touch: Callable[[Pattern], Pattern | None] | None = None
    fired: int = 0
    borders: Int[Tensor, "border"] | None = None


_watches: dict[nn.Module, Watch] = {}
_known: dict[nn.Module, Known] = {}
_remembered: dict[nn.Module, list[tuple[Tensor, Tensor]]] = {}


def implementations(model: PreTrainedModel, towers: Iterable[Tower]) -> dict[Tower, str]:
    """By which implementation each tower computes its attention while it is not `opened`."""
    return {
        tower: str(getattr(model.config, CONFIGS[tower])._attn_implementation) for tower in sorted(towers)
    }


@contextmanager
def opened(model: PreTrainedModel, towers: Iterable[Tower]) -> Iterator[None]:
    """Computes the towers' attention in the open while the context lasts."""
    with _switched(model, towers, OPEN):
        yield


@contextmanager
def remembering(
    model: PreTrainedModel, tower: Tower, modules: Iterable[nn.Module]
) -> Iterator[dict[nn.Module, list[tuple[Tensor, Tensor]]]]:
    """Collects keys and values, each [row group key width], of every pass of these modules of a tower."""
    found: dict[nn.Module, list[tuple[Tensor, Tensor]]] = {module: [] for module in modules}
    _remembered.update(found)
    try:
        with _switched(model, (tower,), REMEMBERING):
            yield found
    finally:
        for module in found:
            del _remembered[module]


@contextmanager
def behind(known: dict[nn.Module, Known]) -> Iterator[None]:
    """The modules' queries see known keys before their own while the context lasts; their tower must be `opened`."""
    _known.update(known)
    try:
        yield
    finally:
        for module in known:
            del _known[module]


@contextmanager
def _switched(model: PreTrainedModel, towers: Iterable[Tower], name: str) -> Iterator[None]:
    wanted = {CONFIGS[tower]: name for tower in towers}
    if not wanted:
        yield
        return
    before = {name: getattr(model.config, name)._attn_implementation for name in wanted}
    model.set_attn_implementation(wanted)
    try:
        yield
    finally:
        model.set_attn_implementation(before)


@contextmanager
def watched(watches: dict[nn.Module, Watch]) -> Iterator[None]:
    """Does what the watches say while the context lasts; towers whose patterns are not open must be `opened`."""
    with ExitStack() as undo:
        for module, watch in watches.items():
            if watch.tap.open:
                undo.callback(module.register_forward_hook(partial(_shown, watch)).remove)
                continue
            _watches[module] = watch
            undo.callback(_watches.pop, module)
            if watch.tap.layout is not None:
                whole = partial(_whole, watch)
                undo.callback(module.register_forward_pre_hook(whole, with_kwargs=True).remove)
        yield


def _attend(
    module: nn.Module,
    query: Float[Tensor, "row head query width"],
    key: Float[Tensor, "row group key width"],
    value: Float[Tensor, "row group key width"],
    attention_mask: Float[Tensor, "row 1 query key"] | None,
    scaling: float,
    dropout: float = 0.0,
    **more: Any,
) -> tuple[Float[Tensor, "row query head width"], Pattern | None]:
    causal = more.get("is_causal", getattr(module, "is_causal", False))
    if dropout or (causal and attention_mask is None and query.shape[2] > 1):
        raise RuntimeError("attention is computed without the mask that it needs, or in training")
    watch, known = _watches.get(module), _known.get(module)
    if watch is not None and watch.borders is not None:
        return _apart(watch, query, key, value, scaling)
    if known is None and watch is None:
        return sdpa_attention_forward(module, query, key, value, attention_mask, scaling=scaling, **more)
    if known is not None and watch is None and attention_mask is not None:
        if known.of is None and (query.shape[2] <= FEW or has_kernel(query)):
            return known.attended(query, key, value, attention_mask, scaling).transpose(1, 2), None
        key, value = known.joined(key, value)
        return sdpa_attention_forward(module, query, key, value, attention_mask, scaling=scaling)
    key, value = repeated(key, query.shape[1]), repeated(value, query.shape[1])
    scores = query @ key.transpose(2, 3)
    if known is None:
        pattern = _pattern(watch, scores * scaling, attention_mask)
        mixed = pattern @ value
    else:
        scores = torch.cat([known.scores(query), scores], dim=3)
        pattern = _pattern(watch, scores * scaling, attention_mask)
        before = pattern.shape[3] - value.shape[2]
        mixed = pattern[..., before:] @ value + known.mixed(pattern[..., :before])
    return mixed.transpose(1, 2).contiguous(), pattern


def _remember(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **more: Any
) -> tuple[Tensor, None]:
    """Torch's own attention; keeps what it was given of the modules that are asked for."""
    if module in _remembered:
        _remembered[module].append((key, value))
    return sdpa_attention_forward(module, query, key, value, attention_mask, **more)


def _pattern(watch: Watch | None, scores: Tensor, mask: Tensor | None) -> Pattern:
    """The softmax of the scores, cut and changed as the watch says."""
    if mask is not None:
        scores = scores + mask
    cut = None if watch is None or watch.cut is None else watch.cut[: len(scores)]
    if cut is not None:
        scores = _cut(scores, mask, cut)
    pattern = scores.softmax(-1, dtype=torch.float32).to(scores.dtype)
    if watch is None:
        return pattern
    watch.fired += 1
    if cut is not None:
        pattern = pattern.masked_fill(scores.isneginf().all(-1, keepdim=True), 0.0)
    replaced = None if watch.touch is None else watch.touch(pattern)
    return pattern if replaced is None else replaced


def _cut(scores: Tensor, mask: Tensor | None, cut: Bool[Tensor, "row head query key"]) -> Tensor:
    """−∞ at cut edges and, in queries that lose an edge, at masked ones too.

    The mask's own values are finite: they would share out the attention of a query that has nothing else left.
    """
    scores = scores.masked_fill(cut, float("-inf"))
    if mask is None:
        return scores
    hidden = (mask <= torch.finfo(mask.dtype).min / 2) & cut.any(-1, keepdim=True)
    return scores.masked_fill(hidden, float("-inf"))


def _shown(watch: Watch, _: nn.Module, __: Any, pattern: Pattern) -> Pattern | None:
    """The pattern that a family's own code shows, cut and changed as the watch says."""
    watch.fired += 1
    if watch.cut is not None:
        kept = pattern.masked_fill(watch.cut, 0.0)
        left = kept.sum(-1, keepdim=True)
        shared = (kept / left).masked_fill(left == 0, 0.0)
        pattern = torch.where(watch.cut.any(-1, keepdim=True), shared, pattern)
    replaced = None if watch.touch is None else watch.touch(pattern)
    return pattern if replaced is None else replaced


def _whole(
    watch: Watch, _: nn.Module, given: tuple[Any, ...], named: dict[str, Any]
) -> tuple[Any, dict[str, Any]]:
    """Has a tower attend once, not stretch by stretch, and remembers where these end."""
    watch.borders = named["cu_seqlens"]
    return given, named | {"cu_seqlens": watch.borders[[0, -1]]}


def _apart(
    watch: Watch, query: Tensor, key: Tensor, value: Tensor, scaling: float
) -> tuple[Float[Tensor, "one position head width"], Pattern]:
    """Attention within each stretch, of pictures that lie one behind another, as rows of one picture each."""
    assert watch.tap.layout is not None and watch.tap.layout.places is not None and watch.borders is not None
    places = watch.tap.layout.places

    def rows(tensor: Tensor) -> Tensor:
        return tensor[0].unflatten(1, (-1, len(places))).transpose(0, 1)[:, :, places]

    stretch = torch.bucketize(places, watch.borders[1:].to(places.device), right=True)
    hidden = stretch[:, None] != stretch
    mask = torch.zeros(hidden.shape, dtype=query.dtype, device=query.device)
    mask = mask.masked_fill(hidden, torch.finfo(query.dtype).min)[None, None]
    pattern = _pattern(watch, rows(query) @ rows(key).transpose(2, 3) * scaling, mask)
    out = (pattern @ rows(value))[:, :, places.argsort()]
    return out.transpose(1, 2).flatten(0, 1)[None], pattern


AttentionInterface.register(OPEN, cast(Any, _attend))
AttentionMaskInterface.register(OPEN, eager_mask)
AttentionInterface.register(REMEMBERING, cast(Any, _remember))
AttentionMaskInterface.register(REMEMBERING, sdpa_mask)
