"""Answers come out of padded batches as they would alone."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image

from store.errors import UserError
from tests.tiny import TEMPLATE, save_llava
from tools.targets.answer import answer, encode, prompt
from tools.targets.load import load_target
from tools.targets.target import Target

QUESTIONS = ["what color is the star ?", "what shape ?", "is the circle red ?"]
PICTURES = [Image.new("RGB", (28, 28), color) for color in ("red", "blue", "white")]


@pytest.fixture(scope="module")
def llava(llava_folder: Path) -> Target:
    return load_target(llava_folder)


def test_an_answer_does_not_depend_on_its_batch(llava: Target) -> None:
    together = answer(llava, QUESTIONS, PICTURES, max_new_tokens=5)
    alone = [
        answer(llava, [question], [picture], max_new_tokens=5)[0]
        for question, picture in zip(QUESTIONS, PICTURES, strict=True)
    ]
    assert together == alone == answer(llava, QUESTIONS, PICTURES, max_new_tokens=5, batch_size=2)


def test_padding_on_the_left_leaves_the_logits_alone(llava: Target) -> None:
    prompts = [prompt(llava, question, with_image=True) for question in QUESTIONS]
    padded = encode(llava, prompts, PICTURES)
    assert padded["attention_mask"][1, 0] == 0
    with torch.inference_mode():
        together = llava.model(**padded).logits[1, -1]
        alone = llava.model(**encode(llava, prompts[1:2], PICTURES[1:2])).logits[0, -1]
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)


def test_an_answer_is_what_greedy_steps_give_and_holds_no_special_tokens(llava: Target) -> None:
    inputs = encode(llava, [prompt(llava, QUESTIONS[0], with_image=True)], PICTURES[:1])
    tokens, end = inputs["input_ids"], llava.processor.tokenizer.eos_token_id
    with torch.inference_mode():
        for _ in range(5):
            logits = llava.model(input_ids=tokens, pixel_values=inputs["pixel_values"]).logits
            tokens = torch.cat([tokens, logits[:, -1:].argmax(-1)], dim=1)
            if tokens[0, -1] == end:
                break
    written = tokens[0, inputs["input_ids"].shape[1] :]
    expected = llava.processor.tokenizer.decode(written, skip_special_tokens=True).strip()
    assert answer(llava, QUESTIONS[:1], PICTURES[:1], max_new_tokens=5) == [expected]


def test_without_pictures_the_prompt_has_no_placeholder(llava: Target) -> None:
    assert "<image>" in prompt(llava, "what ?", with_image=True)
    assert "<image>" not in prompt(llava, "what ?", with_image=False)
    assert len(answer(llava, QUESTIONS, max_new_tokens=2)) == 3


@pytest.mark.parametrize("template", [TEMPLATE, "{{ bos_token }}" + TEMPLATE])
def test_a_prompt_starts_once(tmp_path: Path, template: str) -> None:
    target = load_target(save_llava(tmp_path / "model", template=template))
    texts = [prompt(target, question, with_image=True) for question in QUESTIONS]
    ids = encode(target, texts, PICTURES)["input_ids"]
    assert (ids == target.processor.tokenizer.bos_token_id).sum(dim=1).tolist() == [1, 1, 1]


def test_a_processor_without_a_template_is_asked_in_llavas_own_words(tmp_path: Path) -> None:
    target = load_target(save_llava(tmp_path / "plain", template=None))
    assert prompt(target, "what ?", with_image=True) == "USER: <image>\nwhat ? ASSISTANT:"
    assert len(answer(target, QUESTIONS[:1], PICTURES[:1], max_new_tokens=2)) == 1


def test_a_contrastive_model_gives_no_words(clip_folder: Path) -> None:
    with pytest.raises(UserError, match="compares pictures with texts and gives no words"):
        answer(load_target(clip_folder), QUESTIONS, PICTURES)


def test_questions_and_pictures_must_pair_up(llava: Target) -> None:
    with pytest.raises(ValueError, match="3 questions need as many pictures, got 1"):
        answer(llava, QUESTIONS, PICTURES[:1])
