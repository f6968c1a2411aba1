"""`misjudged` counts and shows what a concept gets wrong, against values and colors taken from the source."""

from __future__ import annotations

import numpy as np
import pytest
from jaxtyping import Bool, Float

from store.errors import PlannerError
from tests.tools.methods.conftest import Caller
from tests.tools.small import Squares
from tools.context import ToolContext

NEURON = "language.0.mlp.3"
SOURCE = Squares()


@pytest.fixture
def height(context: ToolContext) -> Float[np.ndarray, "picture"]:
    """Sd above the mean, picture by picture."""
    address, stimuli = context.address(NEURON), [SOURCE.asked(number) for number in range(len(SOURCE))]
    values = context.activations.pooled([address], stimuli)[0, :, 0]
    found: Float[np.ndarray, "picture"] = (values - values.mean()) / values.std()
    return found


@pytest.fixture
def red() -> Bool[np.ndarray, "picture"]:
    return np.array([SOURCE.color(number) == "red" for number in range(len(SOURCE))])


def test_its_shares_are_those_of_active_pictures_without_and_of_quiet_ones_with(
    do: Caller, height: Float[np.ndarray, "picture"], red: Bool[np.ndarray, "picture"]
) -> None:
    quantities = do("misjudged", component=NEURON, concept="red").result["quantities"]
    active = height > 1
    missed, false = quantities["missed"], quantities["false"]
    assert missed["n"] == active.sum() and missed["value"] == pytest.approx(
        (active & ~red).sum() / active.sum()
    )
    assert missed["control"] == pytest.approx((~red).mean()), "the share of all pictures that lack it"
    assert false["n"] == red.sum() and false["value"] == pytest.approx((red & (height < 0)).sum() / red.sum())
    assert missed["ci"][0] <= missed["value"] <= missed["ci"][1]


def test_it_shows_the_worst_of_each_kind_first(
    do: Caller, height: Float[np.ndarray, "picture"], red: Bool[np.ndarray, "picture"]
) -> None:
    rows = do("misjudged", component=NEURON, concept="red", k=3).result["exemplars"]
    shown = {tail: [row["index"] for row in rows if row["tail"] == tail] for tail in ("missed", "false")}
    order = np.argsort(-height, kind="stable")
    assert shown["missed"] == [number for number in order if not red[number]][:3]
    assert shown["false"] == [number for number in order[::-1] if red[number]][:3]
    assert all(row["image"] and row["overlay"] for row in rows)


def test_a_concept_that_holds_everywhere_misses_nothing_and_has_no_picture_to_show_for_it(do: Caller) -> None:
    result = do("misjudged", component=NEURON, concept="red | !red").result
    assert result["quantities"]["missed"]["value"] == 0
    assert {row["tail"] for row in result["exemplars"]} == {"false"}


def test_a_concept_in_words_that_the_judge_lacks_is_refused(do: Caller) -> None:
    with pytest.raises(PlannerError, match="`mauve`"):
        do("misjudged", component=NEURON, concept="mauve")
