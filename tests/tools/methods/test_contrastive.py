"""Tools on a contrastive target: what needs no words works, what needs them is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from store.errors import PlannerError
from store.recorder import Turn
from tests.tools.small import small_context
from tools.context import ToolContext
from tools.door import call


@pytest.fixture(scope="module")
def clip(clip_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ToolContext]:
    made = small_context(clip_folder, tmp_path_factory.mktemp("clip"))
    yield made
    made.store.close()


def do(context: ToolContext, name: str, **arguments: Any) -> dict[str, Any]:
    run = context.store.recorder.open_run("direct", context.target.fingerprint, {}, 0, "test")
    return call(context, Turn(run, "direct", 0, 0), name, arguments).result


@pytest.mark.parametrize("component", ["vision.1.mlp.3", "vision.0.head.1"])
def test_what_needs_no_words_works(clip: ToolContext, component: str) -> None:
    assert do(clip, "top_exemplars", component=component, k=3)["exemplars"][0]["overlay"]
    assert do(clip, "describe", component=component, n=16)["n"]
    assert do(clip, "activations", component=component, concept="red", n=16)["quantities"]["effect"]
    assert do(clip, "make_pairs", component=component, concept="red", n=6)["pairs"]
    assert do(clip, "score_description", component=component, concept="red")["quantities"]["pearson"]


def test_a_vision_heads_attention_is_shown(clip: ToolContext) -> None:
    assert do(clip, "attention", component="vision.0.head.1", n=6)["quantities"]["share_near"]


def test_text_components_are_read_over_questions_and_have_no_maps(clip: ToolContext) -> None:
    reading = {"sign": "+", "scope": "question"}
    shown = do(clip, "top_exemplars", component="language.1.mlp.3", reading=reading, k=3)["exemplars"]
    assert shown and not any(one["overlay"] for one in shown)
    with pytest.raises(PlannerError, match="has no visual tokens"):
        do(clip, "top_exemplars", component="language.1.mlp.3")


def test_a_text_heads_attention_is_over_words_alone_and_nothing_is_blocked(clip: ToolContext) -> None:
    seen = do(clip, "attention", component="language.1.head.0", n=6)
    shares = {name: one["value"] for name, one in seen["quantities"].items() if name.startswith("share_")}
    assert shares["share_picture"] == 0 < shares["share_question"]
    assert sum(shares.values()) == pytest.approx(1.0, abs=1e-3)
    assert seen["warnings"][0] == "nothing was blocked: its target says no words"


@pytest.mark.parametrize(
    ("tool", "more"),
    [
        ("ablate", {"component": "vision.1.mlp.3"}),
        ("patch", {"component": "vision.1.mlp.3", "concept": "red"}),
        ("logit_lens", {"images": [0, 1]}),
        ("vocabulary_effect", {"component": "language.1.mlp.3"}),
    ],
)
def test_what_needs_words_is_refused_with_a_way_on(
    clip: ToolContext, tool: str, more: dict[str, Any]
) -> None:
    with pytest.raises(PlannerError) as refused:
        do(clip, tool, **more)
    assert refused.value.hint
