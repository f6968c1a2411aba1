"""A model that is asked judges by the odds of its answer, each picture and phrase by itself, in words it can read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from store.errors import UserError
from tools.judging import ConceptJudge
from tools.polling_judge import TEMPLATE, PollingJudge, worded
from tools.targets.answer import encode, prompt
from tools.targets.load import load_target
from tools.targets.target import Target

PICTURES = [Image.new("RGB", (28, 28), color) for color in ("red", "blue", "white")]
PHRASES = ["red star", "circle", "blue"]


def ask(phrase: str) -> str:
    return f"is the {phrase} ?"


@pytest.fixture(scope="module")
def llava(llava_folder: Path) -> Target:
    return load_target(llava_folder, name="tiny", device="cpu")


@pytest.fixture(scope="module")
def judge(llava: Target) -> PollingJudge:
    """It says `red` for yes, and `blue` or `what` for no: its vocabulary has nothing better."""
    return PollingJudge(llava, ask, yes=("red",), no=("blue", "what"), batch_size=4)


def test_a_probability_is_the_share_of_yes_among_yes_and_no(judge: PollingJudge, llava: Target) -> None:
    anyone: ConceptJudge = judge
    inputs = encode(llava, [prompt(llava, "is the red star ?", with_image=True)], PICTURES[:1])
    with torch.no_grad():
        said = llava.model(**inputs).logits[0, -1].softmax(dim=0)
    ids = llava.processor.tokenizer.convert_tokens_to_ids(["red", "blue", "what"])
    yes, *no = (float(said[one]) for one in ids)
    found = anyone.present(PICTURES[:1], ["red star"])
    assert found[0, 0] == pytest.approx(yes / (yes + sum(no)), abs=1e-5)


def test_entries_depend_on_their_own_picture_and_phrase_alone(judge: PollingJudge) -> None:
    together = judge.present(PICTURES, PHRASES)
    assert together.dtype == np.float32 and np.ptp(together, axis=0).min() > 1e-6
    for row, picture in enumerate(PICTURES):
        for column, phrase in enumerate(PHRASES):
            assert judge.present([picture], [phrase])[0, 0] == pytest.approx(together[row, column], abs=1e-5)
    assert judge.present([], PHRASES).shape == (0, 3) and judge.present(PICTURES, []).shape == (3, 0)


def test_a_phrase_stands_in_the_template_with_its_article() -> None:
    asked = worded("Can you see {} ?")
    assert [asked(phrase) for phrase in ("red star", "orange", "water", "two dogs")] == [
        "Can you see a red star ?",
        "Can you see something orange ?",
        "Can you see water ?",
        "Can you see two dogs ?",
    ]
    assert worded()("apple") == TEMPLATE.format("an apple")


def test_words_that_the_model_cannot_read_are_refused(judge: PollingJudge) -> None:
    with pytest.raises(UserError, match="`green dog` has words that `tiny` can't read") as caught:
        judge.present(PICTURES, ["red star", "green dog"])
    assert caught.value.kind == "unknown_phrase"
    with pytest.raises(UserError, match="a phrase is empty"):
        judge.present(PICTURES, ["  "])


def test_a_model_without_words_or_without_a_yes_is_refused(clip_folder: Path, llava: Target) -> None:
    with pytest.raises(UserError, match="gives no words"):
        PollingJudge(load_target(clip_folder, name="eyes", device="cpu"))
    with pytest.raises(UserError, match="`tiny` has no one token for `yes`"):
        PollingJudge(llava)


def test_fingerprints_tell_wordings_and_answers_apart(judge: PollingJudge, llava: Target) -> None:
    answers = PollingJudge(llava, ask, yes=("red",), no=("blue",))
    wording = PollingJudge(llava, worded("{} ?"), yes=("red",), no=("blue", "what"))
    again = PollingJudge(llava, ask, yes=("red",), no=("blue", "what"))
    assert len({judge.fingerprint, answers.fingerprint, wording.fingerprint}) == 3
    assert again.fingerprint == judge.fingerprint
