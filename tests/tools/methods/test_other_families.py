"""The methods that need one stream: they run on other families that have one, and say why where there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from store.errors import PlannerError
from store.recorder import Turn
from tests.tiny import save_blip, save_qwen
from tests.tools.small import small_context
from tools.context import ToolContext
from tools.door import call

Do = Callable[..., dict[str, Any]]


def through_the_door(context: ToolContext) -> Do:
    run = context.store.recorder.open_run("direct", context.target.fingerprint, {}, 0, "test")
    calls = count()
    return lambda name, **words: call(context, Turn(run, "direct", 0, next(calls)), name, words).result


@pytest.fixture(scope="module")
def blip(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Do]:
    folder = tmp_path_factory.mktemp("blip")
    made = small_context(save_blip(folder / "model"), folder)
    yield through_the_door(made)
    made.store.close()


@pytest.fixture(scope="module")
def qwen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Do]:
    folder = tmp_path_factory.mktemp("qwen")
    made = small_context(save_qwen(folder / "model"), folder)
    yield through_the_door(made)
    made.store.close()


@pytest.mark.parametrize(
    ("tool", "words"),
    [
        ("relevance", {"images": [0, 1]}),
        ("direct_logits", {"n": 4}),
        ("path_patch", {"sender": "language.0.head.1", "concept": "red"}),
        ("tuned_lens", {"n": 4}),
    ],
)
def test_cross_attention_has_no_single_stream(blip: Do, tool: str, words: dict[str, Any]) -> None:
    with pytest.raises(PlannerError, match="answers by cross-attention"):
        blip(tool, **words)


@pytest.mark.parametrize("method", ["attention", "relevancy", "tam", "gradients"])
def test_qwens_nine_tokens_get_maps(qwen: Do, method: str) -> None:
    result = qwen("relevance", images=[0, 1], method=method)
    assert len(result["maps"]) == 2 and -1 <= result["quantities"]["saco"]["value"] <= 1


def test_qwens_logits_are_the_sum_of_its_parts(qwen: Do) -> None:
    result = qwen("direct_logits", n=4)
    assert result["quantities"]["missed"]["value"] < 1e-4
    assert sum(result["shares"].values()) == pytest.approx(result["quantities"]["lead"]["value"], abs=1e-4)
