"""Maps against independent computations on transformers' own model, and against what they claim to be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.tools.lively import asked, lively
from tools.engine.engine import Engine
from tools.engine.plan import Intervention, Plan, Row, Set
from tools.relevance.faithful import faithful
from tools.relevance.gradient import integrated_gradients, relevancy
from tools.relevance.maps import METHODS, attention, heat_of
from tools.relevance.masks import covered
from tools.relevance.occlusion import occlusion
from tools.relevance.subject import Subject, mean_token, subject
from tools.relevance.tam import activations
from tools.targets.adapter import Grid
from tools.targets.sites import EMBED

STIMULI = asked("what color is the star ?", "what shape is the circle ?", seed=3)


@pytest.fixture(scope="module")
def engine(llava_folder: Path) -> Engine:
    return Engine(lively(llava_folder))


@pytest.fixture(scope="module")
def one(engine: Engine) -> Subject:
    return subject(engine, STIMULI[0], mean_token(engine.mean(EMBED, STIMULI)))


@pytest.fixture(scope="module")
def plainly(llava_folder: Path) -> Any:
    """Another copy of the model, with its own eager attention."""
    model = lively(llava_folder).model
    model.set_attn_implementation("eager")
    return model


def test_the_subject_is_the_targets_own_answer_and_the_next_best(engine: Engine, one: Subject) -> None:
    logits = engine.plain(STIMULI).logits[0]
    assert [one.said, one.rival] == logits.argsort(descending=True)[:2].tolist()
    assert one.lead == pytest.approx(float(logits[one.said] - logits[one.rival]), abs=1e-5)
    assert one.visual == (1, 2, 3, 4)


def test_attention_is_the_mean_pattern_from_the_answer(engine: Engine, one: Subject, plainly: Any) -> None:
    inputs = engine.adapter.batch(STIMULI[:1]).inputs
    with torch.no_grad():
        patterns = plainly(**inputs, output_attentions=True).attentions
    expected = torch.stack([each[0, :, -1, 1:5] for each in patterns]).mean((0, 1)).numpy()
    assert attention(engine, one) == pytest.approx(expected, abs=1e-6)


def test_relevancy_is_rolled_back_through_the_models_own_attention(
    engine: Engine, one: Subject, plainly: Any
) -> None:
    """R ← R + ĀR by hand, with autograd on the weights that transformers gives out."""
    inputs = engine.adapter.batch(STIMULI[:1]).inputs
    outcome = plainly(**inputs, output_attentions=True)
    lead = outcome.logits[0, -1, one.said] - outcome.logits[0, -1, one.rival]
    slopes = torch.autograd.grad(lead, outcome.attentions)
    rolled = torch.eye(len(inputs["input_ids"][0]))
    for pattern, slope in zip(outcome.attentions, slopes, strict=True):
        rolled = (
            rolled
            + torch.stack([(g * a).clamp(min=0) for g, a in zip(slope[0], pattern[0], strict=True)]).mean(0)
            @ rolled
        )
    found = relevancy(engine, one)
    assert found == pytest.approx(rolled[-1, 1:5].detach().numpy(), abs=1e-6)
    assert found.max() > 0


def test_other_weights_give_another_relevancy(llava_folder: Path, engine: Engine, one: Subject) -> None:
    other = Engine(lively(llava_folder, seed=1))
    again = subject(other, STIMULI[0], one.empty)
    assert not np.allclose(relevancy(engine, one), relevancy(other, again), rtol=0.1)


def test_integrated_gradients_sum_to_the_difference_that_the_picture_makes(
    engine: Engine, one: Subject
) -> None:
    found = integrated_gradients(engine, one, tolerance=1e-3)
    write = Intervention(EMBED, None, "visual", Set(one.empty))
    leads = one.leads(engine.run(Plan(STIMULI, [Row(0), Row(0, (write,))])).logits)
    assert found.heat.sum() == pytest.approx(float(leads[0] - leads[1]), rel=2e-3)
    assert found.error <= 1e-3
    assert integrated_gradients(engine, one, tolerance=np.inf).steps == 8


def test_occlusion_is_what_each_token_costs_alone(engine: Engine, one: Subject) -> None:
    writes = [Intervention(EMBED, None, (place,), Set(one.empty)) for place in one.visual]
    leads = one.leads(engine.run(Plan(STIMULI, [Row(0), *(Row(0, (write,)) for write in writes)])).logits)
    assert occlusion(engine, one) == pytest.approx((leads[0] - leads[1:]).numpy(), abs=1e-5)


def test_the_raw_activation_map_is_the_last_layers_lens(engine: Engine, one: Subject, plainly: Any) -> None:
    """transformers' last hidden state is normed already: it needs the unembedding alone."""
    inputs = engine.adapter.batch(STIMULI[:1]).inputs
    with torch.no_grad():
        logits = plainly(**inputs).logits[0].relu()
    ids = inputs["input_ids"][0].tolist()
    context = [place for place in range(len(ids) - 1) if place not in one.visual and ids[place] != one.said]
    maps, weights = activations(engine, one)
    meant = [one.said, *(ids[place] for place in context)]
    assert maps == pytest.approx(logits[1:5][:, meant].T.numpy(), abs=1e-5)
    assert weights == pytest.approx(logits[context, one.said].numpy(), abs=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_gives_a_number_for_each_token(engine: Engine, one: Subject, method: Any) -> None:
    grid = engine.adapter.boxes(*one.stimulus.image.size)
    heat = heat_of(engine, one, method, grid).heat
    assert heat.shape == (4,) and np.isfinite(heat).all()


def test_exact_occlusion_of_single_tokens_is_wholly_faithful(engine: Engine, one: Subject) -> None:
    exact = occlusion(engine, one)
    best, worst = faithful(engine, one, [exact, -exact])
    assert best.saco == pytest.approx(1) and worst.saco == pytest.approx(-1)
    assert best.effects == pytest.approx(np.sort(exact)[::-1], abs=1e-5)


def test_deletion_and_insertion_walk_between_the_whole_picture_and_none(engine: Engine, one: Subject) -> None:
    """By hand: the answer's probability after 0, 1, 2, 3 and 4 tokens went, hottest first, or came."""
    heat = np.array([0.1, 0.4, 0.3, 0.2])
    order = [1, 2, 3, 0]

    def sure(gone: list[int]) -> float:
        places = tuple(one.visual[token] for token in gone)
        write = (Intervention(EMBED, None, places, Set(one.empty)),) if gone else ()
        return float(engine.run(Plan(STIMULI, [Row(0, write)])).logits[0].softmax(-1)[one.said])

    (found,) = faithful(engine, one, [heat])
    deleted = [sure(order[:count]) for count in range(5)]
    inserted = [sure(order[count:]) for count in range(5)]
    assert found.deletion == pytest.approx(np.trapezoid(deleted, dx=0.25), abs=1e-6)
    assert found.insertion == pytest.approx(np.trapezoid(inserted, dx=0.25), abs=1e-6)


def test_a_region_covers_the_tokens_of_which_it_fills_a_quarter() -> None:
    boxes = np.array([[0, 0, 4, 4], [4, 0, 8, 4], [0, 4, 4, 8], [4, 4, 8, 8]], dtype=float)
    region = np.zeros((8, 8), bool)
    region[0:4, 0:5] = True
    region[4, 4] = True
    assert covered(region, Grid(2, 2, boxes)).tolist() == [True, True, False, False]
