"""Edits of photographs, from words alone: what is asked, what is watched, and what nobody can say."""

import pytest
from PIL import Image

from store.errors import UserError
from tools.editing.plain_intents import PlainIntents
from tools.stimuli import Stimulus

PHOTO = Stimulus("photos/3fa9", Image.new("RGB", (32, 32)), "What is in this picture?", "a car")
INTENTS = PlainIntents(("red car", "blue car", "tree", "dog"))


def test_a_phrase_is_added_and_must_come() -> None:
    planned = INTENTS.pair(PHOTO, "old  Tree", "add", 3)
    assert planned is not None
    assert planned.intent.instruction == "add an old tree" and planned.intent.come == ("old tree",)
    assert planned.after.key == "photos/3fa9|add old tree #3" and planned.after.answer == ""


def test_a_phrase_is_removed_and_must_go_while_other_things_stay() -> None:
    planned = INTENTS.pair(PHOTO, "red car", "remove", 3)
    assert planned is not None
    assert planned.intent.gone == ("red car",) and planned.intent.kept == ("tree", "dog")
    assert planned.intent.region is None


def test_a_swap_and_a_combination_are_refused_with_what_to_do() -> None:
    with pytest.raises(UserError, match="which word"):
        INTENTS.pair(PHOTO, "red car", "swap", 1)
    with pytest.raises(UserError, match="combination"):
        INTENTS.pair(PHOTO, "car & tree", "add", 1)


def test_an_instruction_in_free_words_watches_what_it_does_not_name() -> None:
    planned = INTENTS.edit(PHOTO, "make the car blue", 2)
    assert planned.intent.kept == ("tree", "dog") and planned.intent.come == ()


@pytest.mark.parametrize("words", ["", " , "])
def test_nothing_said_is_refused(words: str) -> None:
    with pytest.raises(UserError, match="no words"):
        INTENTS.generate(words, 1)


def test_a_prompt_must_come() -> None:
    assert INTENTS.generate("A dog", 1).intent.come == ("a dog",)
