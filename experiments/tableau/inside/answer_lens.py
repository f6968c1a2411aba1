"""How the answer's word rises over the decoder's layers at the last position, by kind of question.

The logit lens of tools/lens.py on balanced questions, for a trained model beside an untrained copy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from transformers import LlavaForConditionalGeneration

from experiments.tableau.balanced import Item
from experiments.tableau.inside.stimuli import asked
from experiments.tableau.questions import Kind
from experiments.tableau.train.batches import IDS
from tools.lens import Rise, logit_lens, rise

Say = Callable[[str], None]


def answer_rises(
    model: LlavaForConditionalGeneration,
    items: Mapping[Kind, list[Item]],
    *,
    seed: int = 0,
    say: Say = lambda _: None,
) -> dict[Kind, list[Rise]]:
    """For each kind: mean probability (0 … 1) and rank of the right answer's word at every site, n questions."""
    found: dict[Kind, list[Rise]] = {}
    for kind, questions in items.items():
        say(f"lens: {kind}")
        parts = []
        for batch in asked(questions, model.device):
            inputs = {"input_ids": batch.ids, "pixel_values": batch.pixels}
            lens = logit_lens(model, inputs, batch.last[:, None])
            parts.append(lens.logits[:, :, 0])
        answers = torch.tensor([IDS[item.answer] for item in questions], device=model.device)
        found[kind] = rise(torch.cat(parts, dim=1), answers, lens.sites, seed=seed)
    return found


def as_json(rises: Mapping[Kind, list[Rise]]) -> dict[str, Any]:
    """By kind, a list over sites."""
    return {
        kind: [
            {"site": step.site, "probability": step.probability.as_json(), "rank": step.rank.as_json()}
            for step in steps
        ]
        for kind, steps in rises.items()
    }
