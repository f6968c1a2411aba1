"""What an adapter says of its family is what the model does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch

from store.address import Layers, parse
from store.errors import UserError
from tests.conftest import CHECKOUT
from tests.tiny import WORDS, save_llava, save_llava_next
from tests.tools.lively import QUESTIONS, asked, lively
from tools.targets.adapter import Adapter, adapter_for
from tools.targets.load import load_target
from tools.targets.sites import parse_site


@pytest.fixture(scope="module")
def llava(llava_folder: Path) -> Adapter:
    return adapter_for(lively(llava_folder))


@pytest.fixture(scope="module")
def clip(clip_folder: Path) -> Adapter:
    return adapter_for(lively(clip_folder))


@pytest.fixture(scope="module")
def llava_next(tmp_path_factory: pytest.TempPathFactory) -> Adapter:
    return adapter_for(lively(save_llava_next(tmp_path_factory.mktemp("models") / "tiny-llava-next")))


def words(adapter: Adapter, row: int, scope: Any) -> list[str]:
    batch = adapter.batch(asked(*QUESTIONS))
    return [WORDS[number] for number in batch.inputs["input_ids"][row, batch.where("language", scope)[row]]]


def test_both_towers_are_told(llava: Adapter, clip: Adapter, llava_next: Adapter) -> None:
    assert llava.extent().towers == {"vision": Layers(3, 24, 2), "language": Layers(2, 28, 4)}
    assert clip.extent().towers == {"vision": Layers(3, 24, 2), "language": Layers(2, 24, 2)}
    assert llava_next.extent().towers == {"language": Layers(2, 28, 4)}


@pytest.mark.parametrize("family", ["llava", "llava_next"])
def test_positions_hold_the_tokens_that_they_say(family: str, request: pytest.FixtureRequest) -> None:
    adapter: Adapter = request.getfixturevalue(family)
    for row in (0, 3):
        *question, last = QUESTIONS[row].split()
        assert words(adapter, row, "question") == question
        assert words(adapter, row, "answer") == [last]
        assert set(words(adapter, row, "visual")) == {"<image>"}
        assert words(adapter, row, "all")[0] == "<s>"


def test_a_questions_words_are_found_inside_a_template(tmp_path: Path) -> None:
    folder = save_llava(tmp_path / "templated", template=None)
    adapter = adapter_for(load_target(folder, device="cpu"))
    batch = adapter.batch(asked("what color ?", ""))
    ids = batch.inputs["input_ids"]
    assert [WORDS[number] for number in ids[0, batch.question[0]]] == ["what", "color", "?"]
    assert not batch.question[1].any()
    assert WORDS[ids[0, -1]] == "<unk>" and batch.answer.tolist() == [ids.shape[1] - 1] * 2


def test_the_class_token_is_left_out_where_the_connector_lets_it_through(llava_folder: Path) -> None:
    target = lively(llava_folder)
    cast(Any, target.model).config.vision_feature_select_strategy = "full"
    target.processor.vision_feature_select_strategy = "full"
    target.processor.num_additional_image_tokens = 1
    batch = adapter_for(target).batch(asked("what shape ?"))
    placeholders = batch.inputs["input_ids"][0] == WORDS.index("<image>")
    assert placeholders.sum() == 5
    assert batch.visual[0].nonzero()[:, 0].tolist() == placeholders.nonzero()[1:, 0].tolist()


def test_a_contrastive_models_text_is_its_question(clip: Adapter) -> None:
    batch = clip.batch(asked("red star", "circle"))
    ids = batch.inputs["input_ids"]
    assert [WORDS[number] for number in ids[0, batch.question[0] | batch.where("language", "answer")[0]]] == [
        "red",
        "star",
    ]
    assert not batch.real[1].all() and not batch.visual.any()
    assert clip.batch(asked("", "")).real.shape == (2, 0)


def test_a_contrastive_models_logits_are_its_picture_embedding(clip: Adapter) -> None:
    batch = clip.batch(asked(*QUESTIONS))
    model = cast(Any, clip.target.model)
    with torch.no_grad():
        own = model(**batch.inputs)
        embedding = clip.forward(batch)
    assert (embedding / embedding.norm(dim=1, keepdim=True) - own.image_embeds).abs().max() < 1e-6
    assert torch.equal(clip.forward(clip.encoded(batch)), embedding)


def test_an_answers_token_is_one_word_of_the_vocabulary(llava: Adapter, clip: Adapter) -> None:
    assert llava.token("red") == WORDS.index("red")
    assert llava.token("red star") is None and llava.token("purple") is None and llava.token("") is None
    assert clip.token("red") is None


def test_the_unembedding_of_the_last_stream_is_the_logits(llava: Adapter, clip: Adapter) -> None:
    from tools.engine.engine import Engine

    for adapter, site, position in ((llava, "language.1.resid_post", -1), (clip, "vision.2.resid_post", 0)):
        stream = parse_site(site)
        outcome = Engine(adapter.target).plain(asked(*QUESTIONS), (stream,))
        assert (adapter.unembed(outcome.reads[stream][:, position]) - outcome.logits).abs().max() < 1e-5


@pytest.mark.parametrize(
    ("site", "scope", "reason"),
    [
        (
            "language.1.mlp.act",
            "visual",
            "layer 1 is the last, and nothing but the answer position is read after it",
        ),
        ("language.1.attn.z", "question", "no path from there to the answer"),
        ("vision.2.mlp.act", "visual", "the connector reads the picture after vision layer 1"),
        ("vision.0.mlp.act", "question", "has no question positions"),
        ("language.1.attn.v", "visual", None),
        ("language.1.mlp.act", "answer", None),
        ("vision.1.mlp.act", "visual", None),
        ("connector.out", "visual", None),
    ],
)
def test_what_can_not_reach_the_answer_says_why(
    llava: Adapter, site: str, scope: Any, reason: str | None
) -> None:
    said = llava.reaches(parse_site(site), scope)
    assert said is None if reason is None else reason in str(said)


def test_components_reach_as_their_sites_do(llava: Adapter) -> None:
    assert "`language.1.mlp.3`" in str(llava.reaches(parse("language.1.mlp.3"), "visual"))
    assert llava.reaches(parse("language.1.head.3"), "answer") is None


def test_a_tiled_models_vision_side_is_refused_with_the_reason(llava_next: Adapter) -> None:
    for name in ("vision.0.mlp.act", "connector.out"):
        with pytest.raises(UserError, match="cuts pictures into tiles"):
            llava_next.tap(parse_site(name))
    with pytest.raises(UserError, match="cuts pictures into tiles"):
        llava_next.boxes(28, 28)


def test_families_without_an_adapter_are_refused(llava: Adapter) -> None:
    with pytest.raises(UserError, match="is a `kosmos-2` model, a family that has no adapter") as caught:
        adapter_for(replace(llava.target, family="kosmos-2"))
    assert all(name in caught.value.hint for name in ("llava", "llava_next", "clip", "CONTRIBUTING.md"))
    assert "## Add a model family" in (CHECKOUT / "CONTRIBUTING.md").read_text()


def test_output_rows_are_refused_for_what_has_none(llava: Adapter) -> None:
    with pytest.raises(UserError, match="does not write through one row of weights"):
        llava.output_row(parse("language.0.resid"))
    with pytest.raises(UserError, match="2 language layers"):
        llava.output_row(parse("language.5.mlp.0"))


def test_boxes_lie_row_by_row_over_the_picture(llava: Adapter) -> None:
    grid = llava.boxes(56, 28)
    assert (grid.rows, grid.columns) == (2, 2)
    assert np.array_equal(grid.boxes, [[0, 0, 28, 14], [28, 0, 56, 14], [0, 14, 28, 28], [28, 14, 56, 28]])
