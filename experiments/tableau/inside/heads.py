"""Heads that one kind of question needs: accuracy lost by kind when a head is mean-ablated at all positions.

Language heads start from the cached input of their layer; vision heads run the picture anew. An answer is the likeliest
among the answers of its kind, so that chance is a floor for trained and untrained models alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Int8
from torch import Tensor
from transformers import LlavaForConditionalGeneration

from experiments.tableau.balanced import Item
from experiments.tableau.inside.ablation import (
    Component,
    ablated,
    position_classes,
    projections,
    random_channels,
    reference_means,
)
from experiments.tableau.inside.ablation import heads as all_heads
from experiments.tableau.inside.stimuli import Stimuli, answer_logits, asked, decode, embedded
from experiments.tableau.models import VOCABULARY_SIZE
from experiments.tableau.questions import ANSWERS, Kind
from experiments.tableau.train.batches import IDS
from store.values import Estimate
from tools.scoring.intervals import bootstrap_mean

LEAST_MARGIN = 0.10
"""Accuracy that a specialized head's kind must lose beyond the mean loss of the other kinds."""
Say = Callable[[str], None]


@dataclass(frozen=True)
class Effect:
    """What ablating one component does. `loss` is accuracy lost by kind (−1 … 1; n questions a kind).

    `kind` loses most; `margin` is its loss minus the mean loss of the other kinds; `lead` is minus the next largest.
    """

    address: str
    loss: dict[Kind, Estimate]
    kind: Kind
    margin: Estimate
    lead: float

    @property
    def specialized(self) -> bool:
        """Whether the margin is at least LEAST_MARGIN and its interval excludes 0."""
        return self.margin.value >= LEAST_MARGIN and self.margin.low > 0

    def as_json(self) -> dict[str, Any]:
        return {
            "component": self.address,
            "kind": self.kind,
            "margin": self.margin.as_json(),
            "lead": round(self.lead, 4),
            "specialized": self.specialized,
            "loss": {kind: value.as_json() for kind, value in self.loss.items()},
        }


@dataclass(frozen=True)
class HeadsReport:
    """One tower's heads, their accuracy before ablation by kind, and as many random channels in each layer."""

    tower: str
    accuracy: dict[Kind, Estimate]
    heads: tuple[Effect, ...]
    random_channels: tuple[Effect, ...]

    @property
    def specialized(self) -> int:
        return sum(effect.specialized for effect in self.heads)

    def as_json(self) -> dict[str, Any]:
        return {
            "tower": self.tower,
            "specialized": self.specialized,
            "leading_every_kind": sum(e.specialized and e.lead >= LEAST_MARGIN for e in self.heads),
            "of": len(self.heads),
            "random_channels_specialized": sum(e.specialized for e in self.random_channels),
            "of_random": len(self.random_channels),
            "accuracy": {kind: value.as_json() for kind, value in self.accuracy.items()},
            "heads": [effect.as_json() for effect in self.heads],
            "random_channels": [effect.as_json() for effect in self.random_channels],
        }


def heads(
    model: LlavaForConditionalGeneration,
    items: dict[Kind, list[Item]],
    reference: Sequence[Item],
    tower: str,
    *,
    controls: bool = True,
    seed: int = 0,
    say: Say = lambda _: None,
) -> HeadsReport:
    """Ablates every head of a tower. `reference` gives the means.

    Raises ValueError when `items` does not hold as many questions of every kind.
    """
    if len({len(of_kind) for of_kind in items.values()}) != 1:
        raise ValueError(
            f"kinds need equally many questions, got { ({k: len(v) for k, v in items.items()}) }"
        )
    components = all_heads(model, tower)
    own = len(components)
    if controls:
        components += random_channels(model, tower, seed)
    everything = [item for kind in items for item in items[kind]]
    order = sorted(range(len(everything)), key=lambda index: len(everything[index].text.split()))
    means = reference_means(model, asked(reference, model.device), tower)
    right = np.zeros((1 + len(components), len(everything)), dtype=np.bool_)
    at = 0
    with torch.inference_mode():
        for batch in asked([everything[index] for index in order], model.device):
            rows = order[at : at + len(batch.ids)]
            right[:, rows] = _right(model, batch, [everything[row] for row in rows], components, means)
            at += len(rows)
            say(f"{tower} heads: {at} of {len(order)} questions")
    by_kind = right.reshape(1 + len(components), len(items), -1)
    found = effects(by_kind[0], by_kind[1:], [c.address for c in components], tuple(items), seed=seed)
    accuracy = {kind: bootstrap_mean(by_kind[0, index], seed=seed) for index, kind in enumerate(items)}
    return HeadsReport(tower, accuracy, tuple(found[:own]), tuple(found[own:]))


def effects(
    before: Bool[np.ndarray, "kind question"],
    after: Bool[np.ndarray, "component kind question"],
    addresses: Sequence[str],
    kinds: tuple[Kind, ...],
    *,
    seed: int = 0,
) -> list[Effect]:
    """From right answers before and after to losses with intervals.

    Kinds have questions of their own, drawn independently, so question i of one kind may stand beside question i of
    the others: the margin is a mean over such rows, and its bootstrap is one over rows.
    """
    loss: Int8[np.ndarray, "component kind question"] = before[None].astype(np.int8) - after.astype(np.int8)
    found = []
    for address, lost in zip(addresses, loss, strict=True):
        means = lost.mean(axis=1)
        top = int(means.argmax())
        others = np.delete(lost, top, axis=0)
        found.append(
            Effect(
                address,
                {kind: bootstrap_mean(lost[index], seed=seed) for index, kind in enumerate(kinds)},
                kinds[top],
                bootstrap_mean(lost[top] - others.mean(axis=0), seed=seed),
                float(means[top] - np.delete(means, top).max()),
            )
        )
    return found


def _right(
    model: LlavaForConditionalGeneration,
    batch: Stimuli,
    items: Sequence[Item],
    components: Sequence[Component],
    means: Sequence[Tensor],
) -> Bool[np.ndarray, "run row"]:
    """Whether each question is answered rightly: untouched, then with each component ablated."""
    allowed, truth = _choices(items, batch.ids.device)

    def judge(stream: Tensor) -> Bool[np.ndarray, "row"]:
        logits = answer_logits(model, stream, batch.last).masked_fill(~allowed, float("-inf"))
        return (logits.argmax(-1) == truth).cpu().numpy()

    streams = decode(model, embedded(model, batch))
    rows = [judge(streams[-1])]
    for component in components:
        module = projections(model, component.tower)[component.layer]
        classes = position_classes(batch, component.tower)
        with ablated(module, component.channels, means[component.layer], classes):
            if component.tower == "language":
                after = decode(model, streams[component.layer], component.layer)
            else:
                after = decode(model, embedded(model, batch))
        rows.append(judge(after[-1]))
    return np.stack(rows)


def _choices(items: Sequence[Item], device: torch.device) -> tuple[Tensor, Tensor]:
    """Which words may answer each question, [row, word], and which one is right, [row]."""
    allowed = torch.zeros(len(items), VOCABULARY_SIZE, dtype=torch.bool)
    for row, item in enumerate(items):
        allowed[row, [IDS[word] for word in ANSWERS[item.question.kind]]] = True
    truth = torch.tensor([IDS[item.answer] for item in items])
    return allowed.to(device), truth.to(device)
