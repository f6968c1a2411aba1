"""What is inside a target: the measurements of this package with their controls, as one record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from transformers import LlavaForConditionalGeneration

from experiments.tableau.balanced import Item, balanced
from experiments.tableau.check import CHECKED
from experiments.tableau.inside.answer_lens import answer_rises, as_json
from experiments.tableau.inside.heads import heads
from experiments.tableau.inside.units import units, untrained
from experiments.tableau.models import VOCABULARY_SIZE
from experiments.tableau.questions import Kind
from store.errors import UserError
from tools.targets.target import Target

ASKED: tuple[Kind, ...] = tuple(kind for kind in CHECKED if kind != "context")
"""The kinds that look at a picture and have a floor."""
UNITS_SEED, REFERENCE_SEED, HEADS_SEED, LENS_SEED = 101, 102, 103, 104
"""Questions of their own for each measurement, and none of those that the floors are measured on."""
CONTROL_SEED = 1001
"""The first untrained copy; others follow."""
Say = Callable[[str], None]


def inside(
    target: Target,
    *,
    pictures: int,
    questions: int,
    copies: int,
    language: int,
    vision: int,
    reference: int,
    seed: int = 0,
    say: Say = lambda _: None,
) -> dict[str, Any]:
    """Units and heads beside `copies` untrained models; `questions` … `reference` count questions a kind."""
    model = of_this_world(target)
    asked = [item for items in _items(questions, UNITS_SEED + seed).values() for item in items]
    seeds = range(CONTROL_SEED, CONTROL_SEED + copies)
    found = units(model, seeds, asked, pictures=pictures, seed=seed, say=say).as_json()
    mean_over = [item for items in _items(reference, REFERENCE_SEED + seed).values() for item in items]
    copy = untrained(CONTROL_SEED, model)
    towers = {
        "language": heads(
            model, _items(language, HEADS_SEED + seed), mean_over, "language", seed=seed, say=say
        ),
        "vision": heads(model, _items(vision, HEADS_SEED + seed), mean_over, "vision", seed=seed, say=say),
        "untrained": heads(
            copy, _items(vision, HEADS_SEED + seed), mean_over, "language", controls=False, seed=seed, say=say
        ),
    }
    return found | {"heads": {name: report.as_json() for name, report in towers.items()}}


def lens(target: Target, *, n: int, seed: int = 0, say: Say = lambda _: None) -> dict[str, Any]:
    """The answer's rise in the target and in an untrained copy, on the same `n` questions a kind."""
    model = of_this_world(target)
    items = _items(n, LENS_SEED + seed)
    return {
        "n": n,
        "trained": as_json(answer_rises(model, items, seed=seed, say=say)),
        "untrained": as_json(answer_rises(untrained(CONTROL_SEED, model), items, seed=seed, say=say)),
    }


def of_this_world(target: Target) -> LlavaForConditionalGeneration:
    """The target's model. Raises UserError when it is no LLaVA with this world's vocabulary."""
    model = target.model
    if not isinstance(model, LlavaForConditionalGeneration) or (
        model.config.get_text_config().vocab_size != VOCABULARY_SIZE
    ):
        raise UserError(
            f"`{target.name}` does not speak the language of this world, so its inside can't be compared",
            hint="give `tableau-llava`, or a folder with a model of the same configuration",
        )
    return model


def _items(n: int, seed: int) -> dict[Kind, list[Item]]:
    return {kind: balanced(kind, n, seed) for kind in ASKED}
