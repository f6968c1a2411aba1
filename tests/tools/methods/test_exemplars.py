"""`top_exemplars` shows both ends of a component with heat maps."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from store.errors import PlannerError
from store.records import Reading
from tests.tools.methods.conftest import Caller
from tools.context import ToolContext

NEURON = "language.0.mlp.3"


def test_the_top_pictures_are_those_with_the_largest_values(context: ToolContext, do: Caller) -> None:
    result = do("top_exemplars", component=NEURON, k=5).result
    top = [shown for shown in result["exemplars"] if shown["tail"] == "top"]
    stimuli = [context.images.asked(number) for number in range(len(context.images))]
    measured = context.activations.pooled([context.address(NEURON)], stimuli)[0, :, 0]
    best = sorted(measured.tolist(), reverse=True)[:5]
    assert [shown["value"] for shown in top] == pytest.approx(best, abs=1e-4)
    assert [shown["key"] for shown in top] == [f"train/{shown['index']}" for shown in top]


def test_the_low_end_is_shown_with_values_turned_over(do: Caller) -> None:
    low = do("top_exemplars", component=NEURON, reading={"sign": "-", "scope": "visual"}, k=3).result
    top = [shown["value"] for shown in low["exemplars"] if shown["tail"] == "top"]
    assert top == sorted(top, reverse=True)


def test_every_tail_is_there_and_no_picture_twice(do: Caller) -> None:
    shown = do("top_exemplars", component=NEURON, k=5).result["exemplars"]
    assert {one["tail"] for one in shown} == {"top", "neighbour", "quantile", "bottom"}
    assert len({one["index"] for one in shown}) == len(shown)
    assert all(one["of"] for one in shown if one["tail"] == "neighbour")


def test_pictures_and_overlays_are_kept_as_artifacts(context: ToolContext, do: Caller) -> None:
    shown = do("top_exemplars", component=NEURON, k=2).result["exemplars"][0]
    image = Image.open(BytesIO(context.store.artifacts.get(shown["image"])))
    overlay = Image.open(BytesIO(context.store.artifacts.get(shown["overlay"])))
    assert image.size == (28, 28)
    assert overlay.size == (224, 224)


def test_the_histogram_counts_the_whole_sample(context: ToolContext, do: Caller) -> None:
    histogram = do("top_exemplars", component=NEURON, k=2).result["histogram"]
    assert sum(histogram["counts"]) == len(context.index.sample_numbers)
    assert len(histogram["edges"]) == len(histogram["counts"]) + 1


@pytest.mark.parametrize("component", ["vision.1.mlp.2", "vision.0.head.1", "language.1.head.2"])
def test_every_kind_of_component_has_exemplars_with_maps(do: Caller, component: str) -> None:
    shown = do("top_exemplars", component=component, k=2).result["exemplars"]
    assert all(one["overlay"] for one in shown)


def test_a_vision_component_has_no_question_tokens(do: Caller) -> None:
    reading = Reading(scope="question").model_dump()
    with pytest.raises(PlannerError, match=r"`vision.1.mlp.2` has no question tokens"):
        do("top_exemplars", component="vision.1.mlp.2", reading=reading)
