"""Drawing questions: what is wanted comes, and nothing twice behind one picture."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.tableau.asker import Asker
from experiments.tableau.lexicon import PAD, TURN, vocabulary
from experiments.tableau.parse import parse
from experiments.tableau.phrases import find
from experiments.tableau.questions import KINDS, Kind, answer
from experiments.tableau.sampler import sample
from experiments.tableau.scene import Scene


@pytest.mark.parametrize("kind", KINDS)
def test_a_drawn_question_has_the_wanted_answer(kind: Kind) -> None:
    rng = np.random.default_rng(0)
    for seed in range(30):
        scene = sample(seed)
        asker = Asker(scene, rng)
        for word, questions in asker.choices(kind).items():
            assert all(answer(question, scene) == word for question in questions)
            drawn = asker.draw(kind, word)
            assert drawn is None or answer(drawn, scene) == word
        assert asker.draw(kind, "seven") is None


@pytest.mark.parametrize("kind", ["color", "shape", "fill", "size"])
def test_a_question_does_not_give_its_answer_away(kind: Kind) -> None:
    rng = np.random.default_rng(0)
    for seed in range(60):
        asker = Asker(sample(seed), rng)
        for question in (asker.draw(kind), asker.draw_absent(kind)):
            assert question is None or not question.phrase.names(kind)


def test_an_absent_thing_is_not_there() -> None:
    rng = np.random.default_rng(0)
    for seed in range(60):
        scene = sample(seed)
        question = Asker(scene, rng).draw_absent("color")
        if question is not None:
            assert not find(question.phrase, scene)
            assert answer(question, scene) == "none"


def test_an_empty_scene_has_no_questions_about_things() -> None:
    asker = Asker(Scene("dark"), np.random.default_rng(0))
    for kind in ("color", "shape", "fill", "size", "relation", "relation_yn", "two_hop", "compare"):
        assert asker.draw(kind) is None
    assert set(asker.choices("polling")) == {"no"}
    assert set(asker.choices("counting")) == {"zero"}


def test_drawing_spreads_over_the_answers_that_a_scene_has() -> None:
    rng = np.random.default_rng(0)
    scene = next(scene for seed in range(100) if len((scene := sample(seed)).things) == 3)
    asker = Asker(scene, rng)
    drawn = [asker.draw("polling") for _ in range(200)]
    share = np.mean([answer(question, scene) == "yes" for question in drawn if question])
    assert 0.4 < share < 0.6


def test_the_same_generator_draws_the_same_questions() -> None:
    first, second = (Asker(sample(3), np.random.default_rng(5)) for _ in range(2))
    assert [first.draw(kind) for kind in KINDS] == [second.draw(kind) for kind in KINDS]


def test_no_question_stands_twice_behind_one_picture() -> None:
    from experiments.tableau.train.batches import QUESTION_WIDTH, picture_batch

    words = vocabulary()
    batch = picture_batch([sample(seed, "regular") for seed in range(24)], np.random.default_rng(0), 14)
    for row in batch.questions.ids.reshape(24, 14, QUESTION_WIDTH).tolist():
        texts = [" ".join(words[token] for token in slot) for slot in row if words[slot[0]] != PAD]
        asked = [parse(text.partition(f" {TURN} ")[0]) for text in texts]
        assert None not in asked
        assert len(set(asked)) == len(asked)
