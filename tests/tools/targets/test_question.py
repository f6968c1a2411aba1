"""The question's tokens are found by their place in the template, not by their letters."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tiny import TEMPLATE, WORDS, save_llava
from tests.tools.lively import asked
from tools.targets.adapter import Adapter, adapter_for
from tools.targets.load import load_target

CHATTY = "what is red ? " + TEMPLATE + " what is red ?"


@pytest.fixture(scope="module")
def chatty(tmp_path_factory: pytest.TempPathFactory) -> Adapter:
    """A model whose template says words of its own around the question."""
    folder = save_llava(tmp_path_factory.mktemp("models") / "chatty", template=CHATTY)
    return adapter_for(load_target(Path(folder), device="cpu"))


@given(st.lists(st.sampled_from([word for word in WORDS if "<" not in word]), min_size=1, max_size=6))
def test_the_templates_own_words_are_no_question(chatty: Adapter, words: list[str]) -> None:
    batch = chatty.batch(asked("  " + " ".join(words) + " ", "red"))
    ids = batch.inputs["input_ids"]
    assert [WORDS[number] for number in ids[0, batch.question[0]]] == words
    assert batch.question[0].nonzero()[:, 0].diff().eq(1).all()
    assert ids.shape[1] - int(batch.question[0].nonzero().max()) == 1 + 4
    assert batch.question[1].sum() == 1
