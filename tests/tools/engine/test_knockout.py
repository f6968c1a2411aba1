"""Edges that are cut are cut: the same as a masked softmax worked out by hand, and never cut in silence."""

from __future__ import annotations

from typing import Any, cast

import pytest
import torch
from torch import Tensor

from store.errors import UserError
from tests.tools.lively import QUESTIONS, asked
from tools.engine.engine import Engine
from tools.engine.plan import Intervention, Knockout, Plan, Row, Set
from tools.targets.sites import Site, parse_site

STIMULI = asked(*QUESTIONS)


def by_hand(engine: Engine, cut: Knockout, stimulus: int, edges: Tensor) -> Tensor:
    """Output of one layer's attention, [position width], from its own projections and a mask made here."""
    model = cast(Any, engine.target.model)
    language = cut.tower == "language"
    layers = (model.model.language_model if language else model.model.vision_tower.encoder).layers
    attention = layers[cut.layer].self_attn
    names = [parse_site(f"{cut.tower}.{cut.layer}.attn.{name}") for name in "qkv"]
    read = engine.plain([STIMULI[stimulus]], tuple(names)).reads
    q, k, v = (read[name][0].unflatten(-1, (-1, attention.head_dim)).transpose(0, 1) for name in names)
    positions = q.shape[1]
    if language:
        angles = torch.outer(torch.arange(positions), model.model.language_model.rotary_emb.inv_freq)
        turn = torch.polar(torch.ones_like(angles), angles)

        def rotated(x: Tensor) -> Tensor:
            half = x.shape[-1] // 2
            z = torch.complex(x[..., :half].contiguous(), x[..., half:].contiguous()) * turn
            return torch.cat([z.real, z.imag], dim=-1)

        q, k = rotated(q), rotated(k)
    groups = len(q) // len(k)
    heads = []
    for head in range(len(q)):
        seen = torch.ones(positions, positions, dtype=torch.bool)
        if language:
            seen = seen.tril()
        if cut.head in (None, head):
            seen = seen & ~edges
        scores = q[head] @ k[head // groups].T / attention.head_dim**0.5
        weights = scores.exp() * seen
        heads.append(weights / weights.sum(-1, keepdim=True).clamp(min=1e-30) @ v[head // groups])
    output = attention.o_proj if language else attention.out_proj
    with torch.inference_mode():
        return output(torch.cat(heads, dim=-1))


@pytest.mark.parametrize("head", [None, 1])
@pytest.mark.parametrize("layer", [0, 1])
@pytest.mark.parametrize(("queries", "keys"), [("answer", "visual"), ((-1, -2), (0, 3)), ("all", "all")])
def test_a_cut_edge_equals_a_masked_softmax(
    llava: Engine, layer: int, head: int | None, queries: Any, keys: Any
) -> None:
    cut = Knockout(layer, head, queries, keys)
    out = parse_site(f"language.{layer}.attn.out")
    for stimulus in (0, 3):
        found = llava.run(Plan(STIMULI, [Row(1), Row(stimulus, (), (cut,))], (out,)))
        real = found.batch.real[1]
        length = int(real.sum())
        alone = llava.adapter.batch([STIMULI[stimulus]])
        edges = torch.zeros(length, length, dtype=torch.bool)
        from_, to = (alone.where("language", scope)[0].nonzero()[:, 0] for scope in (queries, keys))
        edges[from_[:, None], to] = True
        expected = by_hand(llava, cut, stimulus, edges)
        assert (found.reads[out][1][real] - expected).abs().max() < 1e-5


def test_a_cut_edge_of_the_vision_tower_equals_a_masked_softmax(llava: Engine) -> None:
    cut = Knockout(0, 0, "visual", (0, 2), "vision")
    out = parse_site("vision.0.attn.out")
    found = llava.run(Plan(STIMULI, [Row(2, (), (cut,))], (out,)))
    edges = torch.zeros(5, 5, dtype=torch.bool)
    edges[1:, [0, 2]] = True
    assert (found.reads[out][0] - by_hand(llava, cut, 2, edges)).abs().max() < 1e-5
    assert (found.logits[0] - llava.plain(STIMULI).logits[2]).abs().max() > 1e-4


def test_a_cut_edge_has_no_weight_and_the_others_share_it(llava: Engine) -> None:
    site = parse_site("language.1.attn.pattern")
    cut = Knockout(1, 2, "answer", "visual")
    plain, found = llava.run(Plan(STIMULI, [Row(0), Row(0, (), (cut,))], (site,))).reads[site]
    batch = llava.adapter.batch(STIMULI)
    answer, visual = int(batch.answer[0]), batch.visual[0]
    assert plain[2, answer, visual].sum() > 0.01
    assert found[2, answer, visual].sum() == 0
    assert found[2, answer].sum() == pytest.approx(1, abs=1e-6)
    rest = plain[2, answer] * ~visual
    assert (found[2, answer] - rest / rest.sum()).abs().max() < 1e-6
    found[2, answer] = plain[2, answer]
    assert (found - plain).abs().max() < 1e-6


def test_cutting_all_edges_of_a_head_leaves_it_without_output(llava: Engine) -> None:
    z = parse_site("language.0.attn.z")
    found = llava.run(Plan(STIMULI, [Row(0, (), (Knockout(0, 3, "all", "all"),))], (z,)))
    assert found.reads[z][0][:, 18:].abs().max() == 0
    assert found.reads[z][0][:, :18].abs().max() > 0.1


def test_writing_a_pattern_takes_the_place_of_the_softmax(llava: Engine) -> None:
    """All attention of one head on the first visual token: its output is that token's value."""
    site, v, z = (parse_site(f"language.1.attn.{name}") for name in ("pattern", "v", "z"))
    for stimulus in (0, 3):
        length = int(llava.adapter.batch(STIMULI).real[stimulus].sum())
        weights = torch.zeros(length)
        weights[1] = 1
        write = Intervention(site, 3, "all", Set(weights))
        found = llava.run(Plan(STIMULI, [Row(stimulus, (write,))], (v, z)))
        first = int(found.batch.first[0])
        real = found.batch.real[0]
        expected = found.reads[v][0, first + 1, 6:].expand(length, -1)
        assert (found.reads[z][0, real, 18:] - expected).abs().max() < 1e-6


def test_an_edge_that_does_not_exist_is_refused(llava: Engine) -> None:
    with pytest.raises(
        UserError, match="no visual position of `0` can attend to answer positions: they come later"
    ):
        llava.run(Plan(STIMULI, [Row(0, (), (Knockout(0, None, "visual", "answer"),))]))


def test_the_models_own_attention_is_back_after_an_error(llava: Engine) -> None:
    pattern = Site("attn.pattern", "language", 0)
    write = Intervention(pattern, None, "all", Set(torch.zeros(99)))
    with pytest.raises(UserError, match=r"a value of shape \(99,\) does not fit `language.0.attn.pattern`"):
        llava.run(Plan(STIMULI, [Row(0, (write,))]))
    assert llava.target.model.config.text_config._attn_implementation == "sdpa"
