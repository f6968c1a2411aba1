"""Stimuli run as the stock model runs them, and every unit is read where it says it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from experiments.tableau.balanced import Item, balanced
from experiments.tableau.inside.activations import Site, reading, units_at_answer, units_on_pictures
from experiments.tableau.inside.stimuli import Stimuli, answer_logits, asked, decode, embedded, stimuli
from experiments.tableau.inside.units import reaches_answer, trained_eyes
from experiments.tableau.models import PREFIX, llava_processor
from experiments.tableau.render import render, to_image
from experiments.tableau.scene import Scene
from tools.targets.answer import encode, prompt
from tools.targets.target import Target


def test_layers_run_one_by_one_give_the_models_own_logits(model: Any, batch: Stimuli) -> None:
    with torch.no_grad():
        expected = model(input_ids=batch.ids, pixel_values=batch.pixels).logits
        streams = decode(model, embedded(model, batch))
        found = answer_logits(model, streams[-1], batch.last)
        late = answer_logits(model, decode(model, streams[4], 4)[-1], batch.last)
    rows = torch.arange(len(batch.ids))
    assert (found - expected[rows, batch.last]).abs().max() < 1e-5
    assert torch.equal(found, late)


def test_padding_on_the_right_gives_what_the_processor_gives(model: Any, items: list[Item]) -> None:
    target = Target("untrained", "llava", model, llava_processor())
    batch = next(iter(asked(items)))
    pictures = [to_image(render(item.scene)) for item in items if item.scene]
    given = encode(target, [prompt(target, item.text, with_image=True) for item in items], pictures)
    with torch.no_grad():
        expected = model(**given).logits[:, -1]
        found = answer_logits(model, decode(model, embedded(model, batch))[-1], batch.last)
    assert (found - expected).abs().max() < 1e-5


def test_a_question_without_a_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="1 of 1 questions have no picture"):
        next(iter(asked(balanced("context", 1))))


def test_every_layer_is_read_and_pooled_over_the_pictures_tokens(model: Any, world: list[Scene]) -> None:
    pictures = stimuli(world[:2])
    found = units_on_pictures(model, [pictures])
    assert len(found) == 5 + 6
    seen: list[torch.Tensor] = []
    hook = model.model.language_model.layers[2].mlp.down_proj.register_forward_pre_hook(
        lambda _, given: seen.append(given[0])
    )
    with torch.no_grad():
        model(input_ids=pictures.ids, pixel_values=pictures.pixels)
    hook.remove()
    expected = seen[0][:, 1:PREFIX].amax(1).numpy()
    np.testing.assert_allclose(found[Site("language.2.mlp", "visual")], expected, atol=1e-6)


def test_the_last_position_is_each_questions_own(model: Any, items: list[Item], batch: Stimuli) -> None:
    together = units_at_answer(model, [batch])[Site("language.5.mlp", "last")]
    alone = units_at_answer(model, asked(items[:1]))[Site("language.5.mlp", "last")]
    np.testing.assert_allclose(together[:1], alone, atol=1e-5)


def test_layers_that_no_answer_depends_on_are_known(model: Any) -> None:
    pairs = [("vision.3.mlp", "visual"), ("vision.4.mlp", "visual"), ("language.4.mlp", "visual")]
    pairs += [("language.5.mlp", "visual"), ("language.5.mlp", "last")]
    found = [reaches_answer(Site(*pair), model) for pair in pairs]  # type: ignore[arg-type]
    assert found == [True, False, True, False, True]


def test_trained_eyes_are_the_trained_models_and_the_rest_is_not(model: Any) -> None:
    copy = trained_eyes(9, model)
    for mine, theirs in zip(
        copy.model.vision_tower.parameters(), model.model.vision_tower.parameters(), strict=True
    ):
        assert torch.equal(mine, theirs)
    assert not torch.equal(copy.lm_head.weight, model.lm_head.weight)


def test_a_module_that_does_not_run_is_an_error() -> None:
    with (
        pytest.raises(RuntimeError, match="the hook at `idle` did not fire"),
        reading({"idle": torch.nn.Identity()}, lambda *_: None),
    ):
        pass
