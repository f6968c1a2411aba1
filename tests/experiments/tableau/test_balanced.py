"""Balanced sets: even answers, a picture for every question, and nothing to learn from the words alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise, repeat

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from experiments.tableau.balanced import Item, balanced
from experiments.tableau.check import chance
from experiments.tableau.data import scenes
from experiments.tableau.parse import parse
from experiments.tableau.phrases import Phrase, full
from experiments.tableau.questions import ANSWERS, KINDS, TEMPLATES, Kind, Question, answer
from experiments.tableau.sampler import HELD_OUT
from experiments.tableau.scene import Scene
from store.values import Estimate
from tools.scoring.intervals import wilson

PAIRED: tuple[Kind, ...] = ("polling", "relation_yn", "counting")


def best_guess(known: Sequence[Item], asked: Sequence[Item]) -> Estimate:
    """The share of `asked` that a logistic regression on words and word pairs gets right, fitted on `known`."""
    grams = sorted({gram for item in known for gram in _grams(item.text)})
    words = sorted({item.answer for item in known})
    features = _features(known, grams)
    labels = torch.tensor([words.index(item.answer) for item in known])
    weights = torch.zeros(len(grams), len(words), requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=25, line_search_fn="strong_wolfe")

    def loss() -> float:
        optimizer.zero_grad()
        value = F.cross_entropy(features @ weights, labels) + 0.003 * weights.square().sum()
        value.backward()
        return value.detach().item()

    optimizer.step(loss)
    guesses = (_features(asked, grams) @ weights).argmax(-1).tolist()
    right = [words[guess] == item.answer for guess, item in zip(guesses, asked, strict=True)]
    return wilson(sum(right), len(right))


def _grams(text: str) -> set[str]:
    words = ["", *text.split()]
    return {*words, *map(" ".join, pairwise(words))}


def _features(items: Sequence[Item], grams: Sequence[str]) -> Float[Tensor, "item gram"]:
    place = {gram: index for index, gram in enumerate(grams)}
    features = torch.zeros(len(items), len(grams))
    for row, item in enumerate(items):
        for gram in _grams(item.text) & place.keys():
            features[row, place[gram]] = 1
    return features


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [2, 37, 80])
def test_answers_come_equally_often_and_are_right(kind: Kind, n: int) -> None:
    items = balanced(kind, n, seed=3)
    often = Counter(dict.fromkeys(ANSWERS[kind], 0))
    often.update(item.answer for item in items)
    assert len(items) == n
    assert set(often) == set(ANSWERS[kind])
    assert max(often.values()) - min(often.values()) <= 1
    for item in items:
        assert answer(item.question, item.scene or Scene("dark")) == item.answer
        assert parse(item.text) == item.question


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "context"])
def test_every_question_has_a_picture_of_its_own_in_the_balanced_world(kind: Kind) -> None:
    seen = [item.scene for seed in (0, 1) for item in balanced(kind, 40, seed)]
    assert None not in seen
    assert len(set(seen)) == 80
    assert not {(thing.color, thing.shape) for scene in seen if scene for thing in scene.things} & HELD_OUT


def test_context_questions_have_no_picture() -> None:
    assert {item.scene for item in balanced("context", 20)} == {None}


def test_the_same_seed_gives_the_same_questions_and_kinds_share_no_scene() -> None:
    assert balanced("relation", 30, 5) == balanced("relation", 30, 5)
    assert balanced("relation", 30, 5) != balanced("relation", 30, 6)
    drawn = [item.scene for kind in KINDS if kind != "context" for item in balanced(kind, 20, 5)]
    drawn += scenes("check", 50, 5)
    assert len(set(drawn)) == len(drawn)


@pytest.mark.parametrize("kind", KINDS)
def test_wordings_vary(kind: Kind) -> None:
    wordings = range(len(TEMPLATES[kind]))
    used = {
        wording
        for item in balanced(kind, 60)
        for wording in wordings
        if item.question.text(wording) == item.text
    }
    assert used == set(wordings)


@pytest.mark.parametrize("kind", PAIRED)
def test_the_same_words_come_with_every_answer(kind: Kind) -> None:
    items = balanced(kind, 60 * len(ANSWERS[kind]))
    by_text: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for item in items:
        by_text[item.text][item.answer] += 1
    for often in by_text.values():
        assert set(often) == set(ANSWERS[kind])
        assert len(set(often.values())) == 1


@pytest.mark.parametrize(
    "kind", ["color", "shape", "fill", "size", "background", "relation", "two_hop", "compare"]
)
def test_the_words_alone_say_next_to_nothing(kind: Kind) -> None:
    assert best_guess(balanced(kind, 900, 1), balanced(kind, 900, 2)).low <= chance(kind) + 0.01


def test_the_guesser_finds_what_the_words_do_say() -> None:
    assert best_guess(balanced("context", 600, 1), balanced("context", 600, 2)).low > 0.3


def test_counting_asks_about_every_sort_of_phrase_and_number_together() -> None:
    items = balanced("counting", 1500)
    for phrase_words in (0, 1, 2):
        numbers = {item.answer for item in items if _words(item.question.phrase) == phrase_words}
        assert numbers == set(ANSWERS["counting"])


def test_polling_finds_near_misses() -> None:
    denied = [item for item in balanced("polling", 300) if item.answer == "no"]
    near = [
        any(
            _words(item.question.phrase)
            == 1
            + sum(word in (thing.size, thing.fill, thing.color, thing.shape) for word in _said(item.question))
            for thing in (item.scene.things if item.scene else ())
        )
        for item in denied
        if _words(item.question.phrase) > 1
    ]
    assert np.mean(near) > 0.6


def test_yes_no_relations_are_asked_about_the_same_things_in_other_places() -> None:
    items = balanced("relation_yn", 80)
    for one, other in zip(items[::2], items[1::2], strict=True):
        assert one.scene and other.scene
        assert one.text == other.text
        assert [full(thing) for thing in one.scene.things] == [full(thing) for thing in other.scene.things]
        assert one.scene.background == other.scene.background


def test_comparisons_name_two_shapes() -> None:
    for item in balanced("compare", 60):
        assert item.question.other
        assert item.question.phrase.shape != item.question.other.shape


def test_other_scenes_can_be_asked_about_but_not_counted_in() -> None:
    items = balanced("color", 16, scenes=scenes("regular"))
    assert {item.scene for item in items} <= set(scenes("regular", 2000))
    with pytest.raises(ValueError, match="counting questions are asked about scenes made to order"):
        balanced("counting", 5, scenes=repeat(Scene("dark")))


def _said(question: Question) -> list[str]:
    return [word for word in str(question.phrase).split() if word != "thing"]


def _words(phrase: Phrase) -> int:
    return len([word for word in str(phrase).split() if word != "thing"])
