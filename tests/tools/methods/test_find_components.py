"""`find_components`: a planted carrier is found first, what carries nothing is not, and guesses are held to patches."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from store.address import Address, parse_set
from store.errors import PlannerError
from tests.tools.lively import lively
from tests.tools.methods.conftest import Caller
from tests.tools.small import small_context
from tools.context import ToolContext
from tools.methods.attribution import attributed
from tools.methods.contested import contested
from tools.methods.duels import duels
from tools.methods.transplants import transplanted
from tools.targets.sites import Site

LAST = 1
NEURONS = f"language.{LAST}.mlp.*"


@pytest.fixture(scope="module")
def context(llava_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ToolContext]:
    """A small world before a model whose activations are of order 1."""
    target = lively(llava_folder)
    folder = tmp_path_factory.mktemp("lively")
    target.model.save_pretrained(folder / "model")
    target.processor.save_pretrained(folder / "model")
    made = small_context(folder / "model", folder)
    yield made
    made.store.close()


@pytest.fixture(scope="module")
def carrying(context: ToolContext) -> Address:
    """A neuron of the last layer whose output is made to say the color that it has seen: it alone tells red from blue,
    and adds about a logit to what leads from one answer to the other."""
    site = Site("mlp.act", "language", LAST)
    stimuli = [context.images.asked(number) for number in range(60) if number % 3 < 2]
    outcome = context.engine.plain(stimuli, (site, Site("resid_post", "language", LAST)))
    rows = torch.arange(len(stimuli))
    values, stream = (read[rows, outcome.batch.answer] for read in outcome.reads.values())
    apart = values[0::2].mean(0) - values[1::2].mean(0)
    unit = int((apart.abs() / values.std(0)).argmax())
    model = context.target.model
    weight = model.get_parameter(f"model.language_model.layers.{LAST}.mlp.down_proj.weight")
    words = model.get_parameter("lm_head.weight")
    red, blue = (context.adapter.token(word) for word in ("red", "blue"))
    between = (words[red] - words[blue]).detach()
    scale = float(stream.pow(2).mean(1).sqrt().mean() / (apart[unit] * between.pow(2).sum()))
    with torch.no_grad():
        weight[:, unit] = scale * between
    return Address("language", LAST, "mlp", unit)


def test_a_planted_carrier_is_found_first_and_its_guess_is_nearly_its_patch(
    context: ToolContext, carrying: Address
) -> None:
    told = duels(context, contested(context, "color", 16))
    others = parse_set(NEURONS, context.extent)
    guessed = attributed(context, told, others)
    assert others[int(np.abs(guessed.both.sum(axis=0)).argmax())] == carrying
    exact = transplanted(context, told, [[carrying]])
    column = guessed.denoising[:, others.index(carrying)]
    assert column == pytest.approx(exact.denoised[0] - exact.corrupt, rel=0.3, abs=5e-3)


def test_the_direct_guess_of_a_last_layer_neuron_is_its_whole_guess(
    context: ToolContext, carrying: Address
) -> None:
    told = duels(context, contested(context, "color", 8))
    whole = attributed(context, told, [carrying])
    direct = attributed(context, told, [carrying], direct=True)
    assert direct.denoising == pytest.approx(whole.denoising, abs=1e-4)
    assert direct.gaps == pytest.approx(whole.gaps, abs=1e-5)


@pytest.mark.parametrize("role", ["carries", "writes"])
def test_the_tool_names_the_carrier_with_interval_control_and_agreement(
    do: Caller, carrying: Address, role: str
) -> None:
    result = do("find_components", concept="color", role=role, among=NEURONS, n=24, k=4).result
    first = result["found"][0]
    assert first["component"] == str(carrying)
    assert first["verified"] == "restores and costs a share"
    assert first["ci"][0] > first["control"]
    quantity = result["quantities"][f"denoising {carrying}"]
    assert quantity["ci"][0] <= quantity["value"] <= quantity["ci"][1]
    assert quantity["n"] == 12
    assert -1 <= result["quantities"]["agreement"]["value"] <= 1
    assert result["quantities"]["agreement"]["n"] == 8
    assert first["screen"] > result["quantities"]["shuffled"]["value"]


def test_the_pairs_that_verify_are_not_those_that_rank(context: ToolContext, do: Caller) -> None:
    result = do("find_components", concept="color", role="carries", n=17, k=2).result
    made = len(contested(context, "color", 17).pairs)
    assert result["quantities"]["gap"]["n"] == made - made // 2


def test_readers_are_told_with_their_effect_on_other_pairs_and_its_control(
    context: ToolContext, do: Caller
) -> None:
    result = do("find_components", concept="red", role="reads", n=16, k=3).result
    assert len(result["found"]) == 3
    for one in result["found"]:
        effect = result["quantities"][f"effect {one['component']}"]
        assert effect["n"] == 8
        assert effect["control"] is not None
        assert (one["verified"] == "selective") == (effect["ci"][0] > max(0, effect["control_ci"][1]))
        assert one["reading"]
    assert result["quantities"]["searched"]["value"] == len(list(context.extent.all()))


def test_only_what_is_named_is_searched(do: Caller) -> None:
    result = do(
        "find_components", concept="color", role="carries", among="language.*.head.*", n=16, k=3
    ).result
    assert {one["component"].split(".")[2] for one in result["found"]} == {"head"}
    assert result["quantities"]["searched"]["value"] == 8


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"concept": "color", "role": "reads"}, "is a kind of question"),
        ({"concept": "red", "role": "writes", "among": "vision.*.head.*"}, "can be searched for what writes"),
        (
            {"concept": "red", "role": "carries", "among": "vision.2.mlp.*"},
            "can be searched for what carries",
        ),
        ({"concept": "elephant", "role": "carries"}, "`elephant`"),
        ({"concept": "red", "role": "dances"}, "`role`"),
    ],
)
def test_what_can_not_be_searched_is_refused_with_the_reason(
    do: Caller, words: dict[str, str], told: str
) -> None:
    with pytest.raises(PlannerError, match=told):
        do("find_components", **words)
