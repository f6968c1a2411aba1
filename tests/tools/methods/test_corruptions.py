"""`make_pairs` and `patch` in both directions, and under three corruptions of the same items."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from store.errors import PlannerError
from tests.tools.methods.conftest import Caller
from tests.tools.methods.test_causal import seeing  # noqa: F401  # a fixture
from tests.tools.small import SquareEditor
from tools.context import ToolContext
from tools.methods.corruptions import OTHERS, comparable, corrupted, noisy, tokens
from tools.methods.directions import directed
from tools.methods.pairing import pairs_for
from tools.stimuli import Pair, Stimulus

NEURON = "language.0.mlp.3"
AT_THE_ANSWER = {"scope": "answer", "sign": "+"}


class Asking(SquareEditor):
    """Asks of every other picture what color the moon is, which is never that of the star."""

    def reworded(self, stimulus: Stimulus, tokens: Callable[[str], int], seed: int, /) -> Stimulus | None:
        question = stimulus.question.replace("star", "moon")
        number = int(stimulus.key.partition("?")[0].rpartition("/")[2])
        if tokens(question) != tokens(stimulus.question) or number % 2:
            return None
        other = {"red": "blue", "blue": "red"}[stimulus.answer]
        return replace(stimulus, key=f"{stimulus.key}?{question}", question=question, answer=other)


@pytest.fixture
def asking(context: ToolContext) -> Iterator[ToolContext]:
    usual, context.editor = context.editor, Asking()
    yield context
    context.editor = usual


def compared(context: ToolContext, n: int = 8) -> list[Pair]:
    return pairs_for(context, "blue", "swap", n, wanted=comparable(context), most=180).pairs


def test_every_item_is_corrupted_in_its_picture_its_words_and_by_noise(asking: ToolContext) -> None:
    pairs = compared(asking)
    sides = {name: corrupted(asking, pairs, name, 0.4) for name in ("image", "text", "noise")}
    assert all([one.with_ for one in found] == [pair.with_ for pair in pairs] for found in sides.values())
    for pair, text, noise in zip(pairs, sides["text"], sides["noise"], strict=True):
        assert text.without.image is pair.with_.image and text.without.answer != pair.with_.answer
        words = zip(text.without.question.split(), pair.with_.question.split(), strict=True)
        assert sum(one != other for one, other in words) == 1
        assert tokens(asking, text.without.question) == tokens(asking, pair.with_.question)
        assert noise.without.question == pair.with_.question and noise.without.answer == pair.without.answer
        assert noise.without.image.tobytes() != pair.with_.image.tobytes()


def test_only_items_whose_words_can_be_replaced_are_compared(asking: ToolContext) -> None:
    assert all(int(pair.with_.key.partition("?")[0].rpartition("/")[2]) % 2 == 0 for pair in compared(asking))


def test_where_nobody_knows_other_words_comparing_is_refused(do: Caller) -> None:
    with pytest.raises(PlannerError, match="nobody knows which word"):
        do("make_pairs", component=NEURON, concept="blue", change="swap", n=8, compare=True)
    with pytest.raises(PlannerError, match="nobody knows which word"):
        do("patch", component=NEURON, concept="blue", n=8, compare=True)


def test_effects_of_words_and_noise_are_measured_on_the_pairs_own_items(
    asking: ToolContext, do: Caller
) -> None:
    found = do(
        "make_pairs", component=NEURON, concept="blue", change="swap", n=8, compare=True,
        reading=AT_THE_ANSWER,
    ).result["quantities"]  # fmt: skip
    address, pairs = asking.address(NEURON), compared(asking)
    from store.records import Reading
    from tools.methods.values import known, unit, values

    reading = Reading.model_validate(AT_THE_ANSWER)
    for name in OTHERS:
        sides = corrupted(asking, pairs, name, 0.4)
        with_ = values(asking, [address], reading, [one.with_ for one in sides])[:, 0]
        without = values(asking, [address], reading, [one.without for one in sides])[:, 0]
        expected = float((with_ - without).mean() / unit(known(asking, address, reading)))
        assert found[f"effect_{name}"]["value"] == pytest.approx(expected, rel=1e-4, abs=1e-6)
        assert found[f"effect_{name}"]["n"] == found["effect"]["n"] == 8
        assert found[f"effect_{name}"]["control"] > 0


def test_how_far_each_corruption_leads_from_the_data_stands_beside_the_untouched_items(
    asking: ToolContext, do: Caller
) -> None:
    asked = {"component": NEURON, "concept": "blue", "change": "swap", "n": 8, "compare": True}
    weak, strong = (do("make_pairs", **asked, noise=noise).result["quantities"] for noise in (0.05, 1.0))
    for name in ("image", "text", "noise"):
        told = weak[f"off_manifold_{name}"]
        assert told["n"] == 8 and told["ci"][0] <= told["value"] <= told["ci"][1] and told["control"] > 0
    assert strong["off_manifold_noise"]["value"] > weak["off_manifold_noise"]["value"]
    assert strong["off_manifold_image"] == weak["off_manifold_image"]


@pytest.mark.usefixtures("seeing")
def test_a_whole_layers_stream_restores_everything_under_every_corruption_that_has_a_gap(
    asking: ToolContext, do: Caller
) -> None:
    result = do("patch", component="language.0.resid", concept="blue", n=8, compare=True, noise=1.0).result
    found = result["quantities"]
    assert {found[name]["n"] for name in ("gap", "gap_text", "gap_noise")} == {8}
    for name in OTHERS:
        if found[f"gap_{name}"]["value"] >= 0.05:
            assert found[f"denoising_{name}"]["value"] == pytest.approx(1.0, abs=1e-3)
            assert found[f"noising_{name}"]["value"] == pytest.approx(1.0, abs=1e-3)
        else:  # the small target hears no difference between star and moon
            assert f"denoising_{name}" not in found
            assert any(f"under {name}" in warning for warning in result["warnings"])
    assert any(f"denoising_{name}" in found for name in OTHERS)


def test_in_both_directions_half_of_the_pairs_gain_the_concept_and_half_lose_it(context: ToolContext) -> None:
    made, added = directed(context, "red", "both", 12)
    assert added == 6 and len(made.pairs) == 12
    assert all("|add red" in pair.with_.key for pair in made.pairs[:6])
    assert all("|remove red" in pair.without.key for pair in made.pairs[6:])
    assert not {one.with_.key for one in made.pairs[:6]} & {one.with_.key for one in made.pairs[6:]}


def test_the_effect_in_both_directions_is_the_mean_of_both(do: Caller) -> None:
    found = do("make_pairs", component=NEURON, concept="red", change="both", n=12).result
    both, added, removed = (
        found["quantities"][name] for name in ("effect", "effect_added", "effect_removed")
    )
    assert (both["n"], added["n"], removed["n"]) == (12, 6, 6)
    assert both["value"] == pytest.approx((added["value"] + removed["value"]) / 2, rel=1e-6)


def test_pairs_in_one_direction_say_nothing_of_the_other(do: Caller) -> None:
    found = do("make_pairs", component=NEURON, concept="red", n=8).result["quantities"]
    assert not any(name.startswith(("effect_", "off_manifold")) for name in found)


def test_found_pairs_have_no_direction(context: ToolContext) -> None:
    made, added = directed(replace(context, editor=None), "red", "both", 8)
    keys = [pair.with_.key for pair in made.pairs]
    assert made.found and added is None and len(set(keys)) == len(keys) == 8


def test_noise_is_the_same_for_the_same_seed_alone() -> None:
    from tests.tools.small import Squares

    gray = Squares().asked(2)
    assert noisy(gray, 0.2, 1).sha256 == noisy(gray, 0.2, 1).sha256 != noisy(gray, 0.2, 2).sha256
    assert noisy(gray, 0.2, 1).key != noisy(gray, 0.2, 2).key
