"""The vocabulary holds every word that the world can say, one token a word."""

from __future__ import annotations

import numpy as np

from experiments.tableau.asker import Asker
from experiments.tableau.captions import caption
from experiments.tableau.lexicon import HYPERNYMS, SYNONYMS, UNKNOWN, vocabulary
from experiments.tableau.models import VOCABULARY_SIZE, tokenizer
from experiments.tableau.questions import ANSWERS, CAPTION_PROMPT, KINDS, TEMPLATES, answer
from experiments.tableau.sampler import DISTRIBUTIONS, sample
from experiments.tableau.scene import BACKGROUNDS, COLORS, FILLS, SHAPES, SIZES

KEY_WORDS = (
    *SHAPES,
    *COLORS,
    *FILLS,
    *SIZES,
    *BACKGROUNDS,
    *(word for kind in KINDS for word in ANSWERS[kind]),
)


def said(seeds: int) -> set[str]:
    """Every word of captions, questions and answers about some scenes of each distribution."""
    rng = np.random.default_rng(0)
    texts = [CAPTION_PROMPT]
    for distribution in DISTRIBUTIONS:
        for seed in range(seeds):
            scene = sample(seed, distribution)
            texts.append(caption(scene))
            for kind in KINDS:
                asker = Asker(scene, rng)
                for question in filter(None, (asker.draw(kind), asker.draw_absent("color"))):
                    texts += [question.text(wording) for wording in range(len(TEMPLATES[question.kind]))]
                    texts.append(answer(question, scene))
    return {word for text in texts for word in text.split()}


def test_every_word_that_is_said_is_in_the_vocabulary() -> None:
    assert said(25) <= set(vocabulary())


def test_the_language_is_small_and_no_word_stands_twice() -> None:
    words = vocabulary()
    assert len(set(words)) == len(words) <= min(250, VOCABULARY_SIZE)


def test_key_words_and_near_words_are_one_token() -> None:
    read = tokenizer()
    for word in {*KEY_WORDS, *SYNONYMS, *HYPERNYMS}:
        [token] = read(word, add_special_tokens=False)["input_ids"]
        assert token != read.unk_token_id == vocabulary().index(UNKNOWN)
        assert read(word.upper(), add_special_tokens=False)["input_ids"] == [token]


def test_near_words_lead_to_words_of_the_language() -> None:
    words = set(KEY_WORDS)
    assert set(SYNONYMS.values()) <= words
    assert {word for covered in HYPERNYMS.values() for word in covered} <= words
    assert not words & {*SYNONYMS, *HYPERNYMS}
