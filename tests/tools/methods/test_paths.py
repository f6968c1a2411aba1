"""`attribution_patching`, `direct_logits` and `path_patch` before a model whose activations are of order 1."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from store.address import parse_set
from store.errors import PlannerError
from tests.tools.lively import lively
from tests.tools.methods.conftest import Caller
from tests.tools.small import small_context
from tools.context import ToolContext
from tools.methods.attribution_patching import agreement
from tools.methods.contested import contested
from tools.methods.duels import duels
from tools.methods.paths import walked
from tools.methods.shares import shares
from tools.methods.transplants import transplanted


@pytest.fixture(scope="module")
def context(llava_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ToolContext]:
    target = lively(llava_folder)
    folder = tmp_path_factory.mktemp("lively")
    target.model.save_pretrained(folder / "model")
    target.processor.save_pretrained(folder / "model")
    made = small_context(folder / "model", folder)
    yield made
    made.store.close()


def test_agreement_is_1_for_the_same_order_and_chance_is_what_shuffling_reaches() -> None:
    values = np.arange(12.0)
    found = agreement(values, values**3, seed=0)
    assert found.value == found.ci[1] == pytest.approx(1)
    assert 0.3 < found.chance < 0.7
    assert agreement(-values, values, seed=0).value == pytest.approx(-1)


def test_guesses_are_held_to_exact_patches_site_by_site(context: ToolContext, do: Caller) -> None:
    result = do(
        "attribution_patching", concept="color", among="language.*.mlp.*", n=12, k=3, per_site=12
    ).result
    quantities = result["quantities"]
    assert [row["site"] for row in result["sites"]] == ["language.0.mlp", "language.1.mlp"]
    assert quantities["spearman language.1.mlp"]["n"] == 12
    assert quantities["spearman"]["ci"][0] > 0
    told = duels(context, contested(context, "color", 12))
    first = result["verified"][0]
    runs = transplanted(context, told, [parse_set(first["component"], context.extent)])
    exact = (runs.denoised[0] - runs.corrupt).sum() / (runs.clean - runs.corrupt).sum()
    assert first["exact"] == pytest.approx(exact, abs=1e-6)
    assert first["control"] is not None and result["searched"] == 56


def test_sites_of_few_components_are_taken_together(do: Caller) -> None:
    result = do("attribution_patching", concept="color", among="language.*.head.*", n=8, k=2).result
    assert [(row["site"], row["n"]) for row in result["sites"]] == [("language.*.head", 8)]


def test_the_parts_of_every_logit_add_up(context: ToolContext) -> None:
    found = shares(context.engine, [context.images.asked(number) for number in range(6)])
    assert found.parts == (
        "embed",
        *(f"language.0.head.{head}" for head in range(4)),
        "language.0.mlp",
        *(f"language.1.head.{head}" for head in range(4)),
        "language.1.mlp",
    )
    assert found.missed < 1e-4
    assert (found.logits.sum(0) - found.own).abs().max() < 1e-4 * found.own.abs().max()


def test_direct_shares_add_up_to_the_answers_lead(context: ToolContext, do: Caller) -> None:
    result = do("direct_logits", images=[0, 1, 3, 4, 6, 7], k=4).result
    logits = context.engine.plain([context.images.asked(number) for number in (0, 1, 3, 4, 6, 7)]).logits
    first, second = logits.topk(2).values.T
    lead = result["quantities"]["lead"]
    assert lead["value"] == pytest.approx(float((first - second).mean()), abs=1e-4)
    assert sum(result["shares"].values()) == pytest.approx(lead["value"], abs=1e-4)
    assert len(result["parts"]) == 4 and result["parts"][0]["control"] > 0


def test_the_last_neurons_only_path_is_the_direct_one(context: ToolContext) -> None:
    """Nothing writes after them, so that the path to the logits is all that exchanging them does."""
    told = duels(context, contested(context, "color", 8))
    sender = context.address("language.1.mlp.5")
    path, whole = walked(context, told, [sender], None), transplanted(context, told, [[sender]])
    assert path.denoised == pytest.approx(whole.denoised, abs=1e-5)
    assert path.noised == pytest.approx(whole.noised, abs=1e-5)


def test_a_path_is_not_all_that_a_sender_does(context: ToolContext) -> None:
    told = duels(context, contested(context, "color", 8))
    sender = context.address("language.0.head.1")
    whole = transplanted(context, told, [[sender]])
    for receiver in (None, context.address("language.1.head.2")):
        path = walked(context, told, [sender], receiver)
        assert np.abs(path.denoised[0] - path.corrupt).max() > 1e-4
        assert np.abs(path.denoised - whole.denoised).max() > 1e-4


def test_a_path_is_told_beside_random_senders_and_the_whole(do: Caller) -> None:
    result = do(
        "path_patch", sender="language.0.head.1", receiver="language.1.head.2", concept="color", n=8
    ).result
    for name in ("denoising", "noising"):
        quantity = result["quantities"][name]
        assert quantity["ci"][0] <= quantity["value"] <= quantity["ci"][1]
        assert quantity["control"] is not None
    assert result["quantities"]["whole"]["unit"] == "share of the gap"
    assert result["pairs"][0]["clean"] > result["pairs"][0]["corrupt"]


@pytest.mark.parametrize(
    ("sender", "receiver", "told"),
    [
        ("language.1.head.2", "language.0.head.1", "writes after"),
        ("language.1.head.2", "language.1.head.1", "writes after"),
        ("language.1.mlp.2", "language.1.head.1", "writes after"),
        ("vision.0.head.1", "logits", "of the language side"),
        ("language.0.head.1", "vision.0.head.1", "of the language side"),
        ("language.0.resid", "logits", "of the language side"),
    ],
)
def test_where_no_path_leads_the_reason_is_told(do: Caller, sender: str, receiver: str, told: str) -> None:
    with pytest.raises(PlannerError, match=told):
        do("path_patch", sender=sender, receiver=receiver, concept="color")
