"""`activations` compares piles of pictures; its numbers are checked against scikit-learn and the plain definition."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from store.errors import PlannerError
from tests.tools.methods.conftest import Caller
from tools.context import ToolContext
from tools.methods.contrasts import auroc

NEURON = "language.0.mlp.3"


def test_the_effect_is_the_difference_of_means_in_standard_deviations(
    context: ToolContext, do: Caller
) -> None:
    found = do("activations", component=NEURON, concept="red", n=1000).result["quantities"]
    numbers = range(len(context.images))
    stimuli = [context.images.asked(number) for number in numbers]
    values = context.activations.pooled([context.address(NEURON)], stimuli)[0, :, 0]
    red = np.array([number % 3 == 0 for number in numbers])
    assert found["effect"]["value"] == pytest.approx(
        (values[red].mean() - values[~red].mean()) / values.std(), rel=1e-3
    )
    assert found["auroc"]["value"] == pytest.approx(roc_auc_score(red, values), abs=1e-6)
    assert found["base_rate"]["value"] == pytest.approx(1 / 3)
    assert found["effect"]["ci"][0] < found["effect"]["value"] < found["effect"]["ci"][1]
    assert found["effect"]["control"] > 0


def test_auroc_counts_ties_half() -> None:
    assert auroc(np.array([1.0, 2.0]), np.array([1.0, 1.0])).value == 0.75


def test_the_interval_of_auroc_holds_the_truth_nineteen_times_in_twenty() -> None:
    random = np.random.default_rng(0)
    truth = norm.cdf(1 / np.sqrt(2))
    found = [auroc(random.normal(1, 1, 60), random.normal(0, 1, 90)).ci for _ in range(400)]
    held = sum(low <= truth <= high for low, high in filter(None, found))
    assert 0.92 <= held / 400 <= 0.98


def test_phrases_are_joined_and_questions_are_read(do: Caller) -> None:
    assert do("activations", component=NEURON, concept="red | blue", n=32).result["quantities"]
    assert do("activations", component=NEURON, concept="answer is red", n=32).result["quantities"]


def test_a_phrase_that_holds_everywhere_is_refused(do: Caller) -> None:
    with pytest.raises(PlannerError, match="does not hold in 0 of 60 pictures, too few"):
        do("activations", component=NEURON, concept="red | !red")


def test_named_pictures_get_values_and_heights(context: ToolContext, do: Caller) -> None:
    rows = do("activations", component=NEURON, images=[0, "train/4"]).result["values"]
    assert [row["key"] for row in rows] == ["train/0?", "train/4?"]


def test_sealed_pictures_are_refused(do: Caller) -> None:
    for key in ("test/3", "select/3", "train/999", "../secret"):
        with pytest.raises(PlannerError, match="no picture that a planner may look at"):
            do("activations", component=NEURON, images=[key])


def test_pictures_and_a_concept_at_once_are_refused(do: Caller) -> None:
    with pytest.raises(PlannerError, match="give either `images` or a `concept`"):
        do("activations", component=NEURON, images=[1], concept="red")
