"""The lens ends in the model's own logits, starts at the embedding, and leaves no hook behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tests.tiny import SIDE, WORDS, save_llava_next
from tools.lens import logit_lens, rise
from tools.targets.load import load_target

IMAGE = WORDS.index("<image>")


@pytest.fixture(scope="module")
def llava(llava_folder: Path) -> Any:
    return load_target(llava_folder).model


def inputs(rows: int = 3) -> dict[str, torch.Tensor]:
    """Rows of a start token, a picture and four words, each row different."""
    generator = torch.Generator().manual_seed(0)
    words = torch.randint(5, len(WORDS), (rows, 4), generator=generator)
    ids = torch.cat([torch.ones(rows, 1, dtype=torch.long), torch.full((rows, 4), IMAGE), words], dim=1)
    return {"input_ids": ids, "pixel_values": torch.rand(rows, 3, SIDE, SIDE, generator=generator)}


def test_the_last_layer_gives_the_models_own_logits(llava: Any) -> None:
    batch = inputs()
    lens = logit_lens(llava, batch, [0, 5, -1])
    with torch.no_grad():
        expected = llava(**batch).logits[:, [0, 5, -1]]
    assert (lens.logits[-1] - expected).abs().max() < 1e-5
    assert torch.allclose(lens.probabilities.sum(-1), torch.ones(3, 3, 3))


def test_layers_agree_with_transformers_hidden_states_before_the_final_norm(llava: Any) -> None:
    batch = inputs()
    lens = logit_lens(llava, batch, range(9))
    with torch.no_grad():
        states = llava(**batch, output_hidden_states=True).hidden_states
        norm, head = llava.model.language_model.norm, llava.lm_head
        for index in (0, 1):
            torch.testing.assert_close(lens.logits[index], head(norm(states[index])), atol=1e-5, rtol=0)
        torch.testing.assert_close(lens.logits[2], head(states[2]), atol=1e-5, rtol=0)
        assert (lens.logits[2] - head(norm(states[2]))).abs().max() > 1e-3
    assert lens.sites == ("embed", "language.0.resid_post", "language.1.resid_post")


def test_each_row_may_be_read_at_a_position_of_its_own(llava: Any) -> None:
    batch = inputs()
    everywhere = logit_lens(llava, batch, range(9)).logits
    own = logit_lens(llava, batch, torch.tensor([[8], [6], [-2]])).logits
    for row, position in enumerate((8, 6, 7)):
        torch.testing.assert_close(own[:, row, 0], everywhere[:, row, position])


def test_no_hook_stays_behind_even_when_the_forward_pass_fails(llava: Any) -> None:
    before = hooks(llava)
    logit_lens(llava, inputs(), [-1])
    with pytest.raises(ValueError, match="must specify exactly one"):
        logit_lens(llava, {}, [-1])
    assert hooks(llava) == before


def hooks(model: nn.Module) -> int:
    """All forward hooks on all modules; transformers may keep some of its own."""
    return sum(len(part._forward_hooks) + len(part._forward_pre_hooks) for part in model.modules())


def test_a_layer_that_is_skipped_is_an_error_and_not_a_result(llava: Any) -> None:
    llava.model.language_model.config.num_hidden_layers = 1
    try:
        with pytest.raises(RuntimeError, match=r"`language\.1\.resid_post` was read 0 times"):
            logit_lens(llava, inputs(), [-1])
    finally:
        llava.model.language_model.config.num_hidden_layers = 2


def test_the_lens_looks_into_llava_next_as_well(tmp_path: Path) -> None:
    model = load_target(save_llava_next(tmp_path / "next")).model
    batch = {"input_ids": torch.tensor([[1, 5, 6, 7]])}
    with torch.no_grad():
        expected = model(**batch).logits[:, -1:]
    assert (logit_lens(model, batch, [-1]).logits[-1] - expected).abs().max() < 1e-5


def test_a_contrastive_model_is_refused(clip_folder: Path) -> None:
    with pytest.raises(TypeError, match="`CLIPModel` has no decoder"):
        logit_lens(load_target(clip_folder).model, {}, [-1])


def test_rise_takes_each_rows_own_answer() -> None:
    logits = torch.zeros(2, 3, 4)
    answers = torch.tensor([0, 1, 2])
    logits[1, torch.arange(3), answers] = 20.0
    logits[0, :, 3] = 1.0
    first, last = rise(logits, answers, ["embed", "language.0.resid_post"])
    expected = 1 / (3 + torch.e)
    assert first.probability.value == pytest.approx(expected) and first.rank.value == 2
    assert last.probability.value == pytest.approx(1.0) and last.rank.value == 1
    assert (last.site, last.probability.n) == ("language.0.resid_post", 3)


def test_rows_of_one_picture_count_once() -> None:
    logits = torch.randn(1, 4, 5, generator=torch.Generator().manual_seed(1))
    (only,) = rise(logits, torch.zeros(4, dtype=torch.long), ["embed"], groups=[0, 0, 1, 1])
    assert only.rank.n == 2
