"""A hook that did not fire is an error, and none stays behind."""

from __future__ import annotations

from typing import Any, cast

import pytest
import torch

from tests.tools.lively import QUESTIONS, asked
from tools.engine.attention import opened
from tools.engine.engine import Engine
from tools.engine.hooks import HookDidNotFire, hooked
from tools.targets.sites import parse_site

STIMULI = asked(*QUESTIONS)


def run(engine: Engine, *names: str) -> None:
    batch = engine.adapter.encoded(engine.adapter.batch(STIMULI))
    taps = [engine.adapter.tap(parse_site(name)) for name in names]
    with torch.no_grad(), hooked([(tap, lambda _: None) for tap in taps]):
        engine.adapter.forward(batch)


def test_a_hook_in_a_tower_that_does_not_run_is_an_error(llava: Engine) -> None:
    run(llava, "language.0.mlp.act")
    with pytest.raises(HookDidNotFire, match=r"`vision.0.mlp.act` was passed 0 times in one forward pass"):
        run(llava, "language.0.mlp.act", "vision.0.mlp.act")


def test_a_pattern_of_a_fused_attention_is_an_error(llava: Engine) -> None:
    with pytest.raises(HookDidNotFire, match=r"`language.1.attn.pattern` was passed 0 times"):
        run(llava, "language.1.attn.pattern")
    with opened(llava.target.model, ["language"]):
        run(llava, "language.1.attn.pattern")


def test_edges_cut_in_a_fused_attention_are_an_error(llava: Engine) -> None:
    tap = llava.adapter.tap(parse_site("language.0.attn.pattern"))
    cut = [(tap, torch.zeros(4, 4, 12, 12, dtype=torch.bool))]
    with pytest.raises(HookDidNotFire, match="the attention whose edges are cut"), hooked([], cut):
        llava.adapter.forward(llava.adapter.batch(STIMULI))


def test_sites_of_a_text_tower_without_texts_are_an_error(clip: Engine) -> None:
    with pytest.raises(HookDidNotFire, match=r"`language.0.mlp.act` was passed 0 times"):
        clip.plain(asked("", ""), (parse_site("language.0.mlp.act"),))


def test_no_hook_stays_behind(llava: Engine) -> None:
    def hooks() -> int:
        modules = cast(Any, llava.target.model).modules()
        return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in modules)

    llava.plain(STIMULI)
    before = hooks()
    llava.plain(STIMULI, tuple(llava.adapter.sites()))
    assert hooks() == before
    with pytest.raises(HookDidNotFire):
        run(llava, "vision.0.mlp.act")
    assert hooks() == before
