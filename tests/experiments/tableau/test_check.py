"""The check's figures, on an untrained model and on captions whose figures are known."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from experiments.tableau.balanced import balanced
from experiments.tableau.caption_check import caption_figures
from experiments.tableau.check import (
    CHECKED,
    EXTRA,
    GREY,
    LONGEST,
    chance,
    check,
    grey_replies,
    macro,
    verdicts,
)
from experiments.tableau.data import scenes
from experiments.tableau.phrases import Phrase, full
from experiments.tableau.questions import KINDS
from experiments.tableau.scene import Scene, Thing
from store.errors import UserError
from tools.targets.answer import answer
from tools.targets.load import load_target
from tools.targets.target import Target

STAR = Thing("star", "red", "solid", "large", 30, 30)
RING = Thing("ring", "blue", "striped", "small", 80, 60)


@pytest.fixture(scope="module")
def target(llava_folder: Path) -> Target:
    return load_target(llava_folder, name="tiny")


def test_every_kind_is_measured_beside_chance_and_grey(target: Target) -> None:
    told: list[tuple[str, int, int]] = []
    result = check(target, 8, 1, progress=lambda *news: told.append(news))
    assert result["target"] == "tiny"
    assert result["fingerprint"] == target.fingerprint
    assert tuple(result["kinds"]) == CHECKED
    assert tuple(result["extra"]) == (*EXTRA, "caption")
    for kind, figures in result["kinds"].items():
        assert figures["n"] == 8
        assert 0 <= figures["ci"][0] <= figures["accuracy"] <= figures["ci"][1] <= 1
        assert figures["chance"] == pytest.approx(chance(kind))
        assert ("grey" in figures) == (kind != "context")
        assert "macro" in figures or kind != "counting"
    assert all(done <= total for _, done, total in told)
    assert {name.partition(",")[0] for name, _, _ in told} == {*KINDS, "caption"}


def test_the_same_seed_gives_the_same_figures(target: Target) -> None:
    assert check(target, 4, 2, ["fill"], extra=False) == check(target, 4, 2, ["fill"], extra=False)


def test_the_grey_control_is_blind_to_the_scene(target: Target) -> None:
    items = balanced("polling", 20, 3)
    asked = [item.text for item in items]
    assert grey_replies(target, items) == answer(target, asked, [GREY] * len(items), max_new_tokens=LONGEST)
    elsewhere = [item._replace(scene=Scene("light")) for item in items]
    assert grey_replies(target, elsewhere) == grey_replies(target, items)


def test_a_target_without_words_is_refused(clip_folder: Path) -> None:
    with pytest.raises(UserError, match="compares pictures with texts and gives no words"):
        check(load_target(clip_folder), 2)


def test_only_the_one_word_counts() -> None:
    items = balanced("polling", 6)
    right = [item.answer for item in items]
    assert all(verdicts(items, right))
    assert all(verdicts(items, [f" {word.capitalize()}." for word in right]))
    assert not any(verdicts(items, [f"{word} {word}" for word in right]))
    assert not any(verdicts(items, [""] * 6))


def test_the_macro_average_is_the_mean_over_answers() -> None:
    items = balanced("counting", 11)
    assert macro(items, [item.answer in ("zero", "four") for item in items]) == pytest.approx(2 / 5)


def test_chance_in_comparisons_is_one_of_the_two_named() -> None:
    assert chance("compare") == 0.5
    assert chance("color") == 1 / 8


def test_true_captions_recall_everything_and_invent_nothing() -> None:
    seen = list(islice(_scenes(), 20))
    figures = caption_figures(seen, [[full(thing) for thing in scene.things] for scene in seen])
    assert [figures[name]["value"] for name in figures] == [1, 1, 0]  # type: ignore[index]


def test_each_claim_is_matched_with_one_thing() -> None:
    seen = [Scene("dark", (STAR, STAR, RING)), Scene("dark", (RING,))]
    claimed = [
        [full(STAR), Phrase("small", "dotted", "blue", "ring"), Phrase("large", "solid", "red", "moon")],
        [full(RING), full(RING)],
    ]
    figures = caption_figures(seen, claimed)
    assert figures["object_recall"]["value"] == pytest.approx(2 / 4)  # type: ignore[index]
    assert figures["color_shape_recall"]["value"] == pytest.approx(3 / 4)  # type: ignore[index]
    assert figures["hallucination"]["value"] == pytest.approx(2 / 5, abs=1e-6)  # type: ignore[index]


def test_figures_that_nothing_was_claimed_for_are_none() -> None:
    seen = list(islice(_scenes(), 5))
    figures = caption_figures(seen, [[] for _ in seen])
    assert figures["hallucination"] is None
    assert figures["object_recall"] is not None


def _scenes() -> Iterator[Scene]:
    return (scene for scene in scenes("check", seed=9) if scene.things)
