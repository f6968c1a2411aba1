"""Contrastive models as judges: probabilities as documented, on tiny models, and a trained one that is right."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import CLIPModel, SiglipConfig, SiglipModel
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from store.errors import UserError
from tests.tiny import SIDE, WORDS, tokenizer
from tools.clip_judge import ClipDescriber, ClipJudge
from tools.everyday import EVERYDAY
from tools.judging import ConceptJudge
from tools.stimuli import Describer

PICTURES = [Image.new("RGB", (40, 30), color) for color in ("red", "blue", "gray")]
PHRASES = ["red star", "blue circle", "what"]


@pytest.fixture(scope="module")
def judge(clip_folder: Path) -> ClipJudge:
    return ClipJudge.load(clip_folder, device="cpu", templates=("the {}", "{}"), neutral=("what", "shape"))


class Paired:
    """The least that a judge needs of a processor: one part for pictures, one for words."""

    def __init__(self) -> None:
        self.pictures = CLIPImageProcessorPil(
            size={"height": SIDE, "width": SIDE},
            crop_size={"height": SIDE, "width": SIDE},
            do_center_crop=False,
        )
        self.words = tokenizer()
        self.words.model_max_length = 12

    def __call__(self, images: Any = None, text: Any = None, **more: Any) -> Any:
        return self.pictures(images=images, **more) if images is not None else self.words(text, **more)


@pytest.fixture(scope="module")
def siglip() -> ClipJudge:
    small = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = SiglipConfig(
        text_config=small | {"vocab_size": len(WORDS), "max_position_embeddings": 12, "projection_size": 16},
        vision_config=small | {"image_size": SIDE, "patch_size": 14},
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = SiglipModel(config)
    return ClipJudge(model, Paired(), templates=("the {}",))


def test_it_is_a_concept_judge_and_its_describer_a_describer(judge: ClipJudge) -> None:
    anyone: ConceptJudge = judge
    describer: Describer = ClipDescriber(judge, PHRASES)
    assert anyone.present(PICTURES, PHRASES).shape == (3, 3)
    assert describer.vocabulary() == tuple(PHRASES)


def test_clip_weighs_a_phrase_against_prompts_that_say_nothing(judge: ClipJudge, clip_folder: Path) -> None:
    model: Any = CLIPModel.from_pretrained(clip_folder).eval()
    with torch.no_grad():
        texts = [
            model.get_text_features(**judge.processor(text=[text], return_tensors="pt")).pooler_output[0]
            for text in ("the red star", "red star", "what", "shape")
        ]
        seen = model.get_image_features(
            **judge.processor(images=PICTURES[:1], return_tensors="pt")
        ).pooler_output[0]
    one, other, *neutral = (text / text.norm() for text in texts)
    phrase, picture = (one + other) / (one + other).norm(), seen / seen.norm()
    scale = model.logit_scale.exp()
    against = torch.stack([scale * picture @ text for text in neutral]).exp().mean()
    score = (scale * picture @ phrase).exp()
    expected = float((score / (score + against)).detach())
    assert judge.present(PICTURES[:1], ["red star"])[0, 0] == pytest.approx(expected, abs=1e-5)


def test_siglip_says_yes_or_no(siglip: ClipJudge) -> None:
    model: Any = siglip.model
    with torch.no_grad():
        inputs = siglip.processor(images=PICTURES[:1], return_tensors="pt")
        words = siglip.processor(text=["the red star"], padding="max_length", return_tensors="pt")
        logits = model(**inputs, **words).logits_per_image
    found = siglip.present(PICTURES[:1], ["red star"])
    assert found[0, 0] == pytest.approx(float(logits.sigmoid()), abs=1e-5)


@pytest.mark.parametrize("kind", ["judge", "siglip"])
def test_entries_depend_on_their_own_picture_and_phrase_alone(
    kind: str, request: pytest.FixtureRequest
) -> None:
    one: ClipJudge = request.getfixturevalue(kind)
    together = one.present(PICTURES, PHRASES)
    assert together.dtype == np.float32
    assert ((together >= 0) & (together <= 1)).all()
    for row, picture in enumerate(PICTURES):
        for column, phrase in enumerate(PHRASES):
            assert one.present([picture], [phrase])[0, 0] == pytest.approx(together[row, column], abs=1e-5)
    assert one.present([], PHRASES).shape == (0, 3)
    assert one.present(PICTURES, []).shape == (3, 0)


def test_embeddings_are_unit_vectors(judge: ClipJudge) -> None:
    vectors = judge.embed(PICTURES)
    assert vectors.shape == (3, 12)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert judge.embed([]).shape == (0, 12)


def test_a_describer_says_what_is_likely_likeliest_last(judge: ClipJudge) -> None:
    found = judge.present(PICTURES, PHRASES)
    for row, told in zip(
        found, ClipDescriber(judge, PHRASES, sure=0, most=2).describe(PICTURES), strict=True
    ):
        assert told == tuple(PHRASES[column] for column in np.argsort(row)[-2:])
    assert ClipDescriber(judge, PHRASES, sure=1).describe(PICTURES) == [(), (), ()]


def test_fingerprints_tell_weights_and_wordings_apart(judge: ClipJudge, siglip: ClipJudge) -> None:
    other = ClipJudge(judge.model, judge.processor, templates=("{}",))
    again = ClipJudge(judge.model, judge.processor, templates=judge.templates, neutral=judge.neutral)
    assert len({judge.fingerprint, other.fingerprint, siglip.fingerprint}) == 3
    assert again.fingerprint == judge.fingerprint


def test_what_cannot_judge_is_refused(llava_folder: Path, judge: ClipJudge, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is a `llava` model, which can't judge phrases"):
        ClipJudge.load(llava_folder)
    with pytest.raises(UserError, match="can't be loaded as a judge"):
        ClipJudge.load(tmp_path)
    with pytest.raises(UserError, match="a phrase is empty"):
        judge.present(PICTURES, [" "])


def test_everyday_phrases_are_each_there_once() -> None:
    assert len(set(EVERYDAY)) == len(EVERYDAY) > 150


def test_a_trained_model_is_mostly_right(committed_weights: Path) -> None:
    from experiments.tableau.data import scenes
    from experiments.tableau.render import render, to_image
    from experiments.tableau.scene import BACKGROUNDS

    empty = (one for one in scenes("check", 2000) if not one.things and not one.sign)
    seen = list(islice(empty, 40))  # of these the template is true
    trained = ClipJudge.load(
        committed_weights / "tableau-clip",
        device="cpu",
        templates=("nothing on a {} .",),
        neutral=("nothing .",),
    )
    phrases = [f"{word} background" for word in BACKGROUNDS]
    found = trained.present([to_image(render(one)) for one in seen], phrases)
    right = [BACKGROUNDS[int(row.argmax())] == one.background for row, one in zip(found, seen, strict=True)]
    assert np.mean(right) > 0.9
