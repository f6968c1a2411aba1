"""What is particular to a family: windows, packed pictures, cross-attention head by head, the grid of its tokens."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from store.address import Tower, parse
from store.errors import UserError
from tests.tools.lively import QUESTIONS, asked
from tools.engine.engine import Engine
from tools.engine.plan import Intervention, Knockout, Plan, Row, Scale, Swap, Zero
from tools.stimuli import Stimulus
from tools.targets.answer import answer
from tools.targets.sites import CONNECTOR_OUT, Site, parse_site, site_of

STIMULI = asked(*QUESTIONS)


def test_every_component_has_a_site_a_row_and_its_name_back(engine: Engine) -> None:
    extent = engine.adapter.extent()
    for address in extent.all():
        assert parse(str(address), extent) == address
        site, unit = site_of(address)
        tap = engine.adapter.tap(site)
        assert unit is not None and tap.units == extent.towers[address.tower].width(address.part)
        width = engine.adapter.tap(Site("attn.out", address.tower, address.layer)).width
        assert engine.adapter.output_row(address).shape[-1] == width


def test_sites_are_read_back_from_their_names(engine: Engine) -> None:
    for site in engine.adapter.sites():
        assert parse_site(str(site), engine.adapter.extent()) == site


@pytest.mark.parametrize("seed", [0, 1])
def test_painting_one_token_changes_the_connectors_output_most_at_its_position(
    seeing: Engine, seed: int
) -> None:
    """With attention turned down, which would carry random weights' paint as far as its own place."""
    engine = _with_quiet_vision(seeing)
    shown = Stimulus("gray", Image.new("RGB", (96, 48), (128, 128, 128)), QUESTIONS[0])
    grid = engine.adapter.boxes(*shown.image.size)
    plain = engine.plain([shown], (CONNECTOR_OUT,)).reads[CONNECTOR_OUT][0]
    lead = len(plain) - grid.rows * grid.columns
    right = 0
    for token, box in enumerate(grid.boxes):
        found = engine.plain([_painted(shown, box, seed)], (CONNECTOR_OUT,)).reads[CONNECTOR_OUT][0]
        right += int((found - plain)[lead:].norm(dim=-1).argmax()) == token
    assert right >= 0.95 * len(grid.boxes)


def _with_quiet_vision(engine: Engine) -> Engine:
    target = replace(engine.target, model=deepcopy(engine.target.model))
    quiet = Engine(target)
    with torch.no_grad():
        for layer in range(quiet.adapter.extent().towers["vision"].layers):
            out = cast(Any, quiet.adapter.tap(Site("attn.out", "vision", layer)).module)
            out.weight.mul_(0.01)
    return quiet


def _painted(shown: Stimulus, box: np.ndarray, seed: int) -> Stimulus:
    left, top, right, bottom = box.round().astype(int)
    pixels = np.asarray(shown.image).copy()
    noise = np.random.default_rng(seed).integers(0, 255, (bottom - top, right - left, 3))
    pixels[top:bottom, left:right] = noise
    return Stimulus("painted", Image.fromarray(pixels), shown.question)


def test_a_patch_of_the_vision_tower_is_where_the_grid_says(qwen: Engine) -> None:
    """Four positions side by side make one visual token, whatever windows its patches went through."""
    site = parse_site("vision.0.resid_pre")
    shown = Stimulus("gray", Image.new("RGB", (24, 24), (128, 128, 128)), QUESTIONS[0])
    plain = qwen.plain([shown], (site,)).reads[site][0]
    for token, box in enumerate(qwen.adapter.boxes(24, 24).boxes):
        found = qwen.plain([_painted(shown, box, 0)], (site,)).reads[site][0]
        moved = (found - plain).norm(dim=-1)
        assert (moved[4 * token : 4 * token + 4] > 1e-3).all()
        moved[4 * token : 4 * token + 4] = 0
        assert moved.max() < 1e-5


def test_windows_bound_what_a_patch_attends_to(qwen: Engine) -> None:
    sites = tuple(parse_site(f"vision.{layer}.attn.pattern") for layer in range(3))
    reads = qwen.plain(STIMULI, sites).reads
    window = torch.tensor([0, 0, 1, 0, 0, 1, 2, 2, 3]).repeat_interleave(4)
    apart = window[:, None] != window
    for site, windowed in zip(sites, (True, False, True), strict=True):
        assert (reads[site][..., apart].max() < 1e-12) == windowed
        assert reads[site][..., ~apart].min() > 0


@pytest.mark.parametrize("layer", [0, 1])
@pytest.mark.parametrize(
    ("tower", "keys"), [("question", "question"), ("cross", "visual"), ("cross", (0, 3))]
)
def test_a_cut_edge_of_either_attention_equals_a_masked_softmax(
    blip: Engine, tower: Tower, keys: Any, layer: int
) -> None:
    cut = Knockout(layer, 1, "question", keys, tower)
    z = parse_site(f"{tower}.{layer}.attn.z")
    for stimulus in (0, 3):
        found = blip.run(Plan(STIMULI, [Row(1), Row(stimulus, (), (cut,))], (z,))).reads[z][1]
        batch = blip.adapter.batch([STIMULI[stimulus]])
        expected = _by_hand(blip, cut, stimulus)
        assert (found[: expected.shape[0]] - expected).abs().max() < 1e-5
        assert expected.shape[0] == int(batch.real.sum())


def _by_hand(engine: Engine, cut: Knockout, stimulus: int) -> Tensor:
    """What the heads read, [position width], from the projections of the row alone and a mask made here."""
    names = [parse_site(f"{cut.tower}.{cut.layer}.attn.{name}") for name in "qkv"]
    outcome = engine.plain([STIMULI[stimulus]], tuple(names))
    q, k, v = (outcome.reads[name][0].unflatten(-1, (4, -1)).transpose(0, 1) for name in names)
    taps = engine.adapter.tap(parse_site(f"{cut.tower}.{cut.layer}.attn.pattern"))
    cut_off = outcome.batch.where(taps.space, cut.queries)[0][:, None]
    cut_off = cut_off & outcome.batch.where(taps.looks_at, cut.keys)[0]
    heads = []
    for head in range(4):
        weights = (q[head] @ k[head].T / q.shape[-1] ** 0.5).exp()
        if head == cut.head:
            weights = weights * ~cut_off
        heads.append(weights / weights.sum(-1, keepdim=True).clamp(min=1e-30) @ v[head])
    return torch.cat(heads, dim=-1)


@pytest.mark.parametrize("tower", ["cross", "recall"])
def test_heads_of_a_cross_attention_are_changed_one_by_one(blip: Engine, tower: Tower) -> None:
    z, out = parse_site(f"{tower}.1.attn.z"), parse_site(f"{tower}.1.attn.out")
    plain = blip.plain(STIMULI, (z, out)).reads
    for head in range(4):
        address = parse(f"{tower}.1.head.{head}", blip.adapter.extent())
        _, unit = site_of(address)
        changed = blip.run(Plan(STIMULI, [Row(0, (Intervention(z, unit, "all", Zero()),))], (z, out)))
        row = blip.adapter.output_row(address)
        part = plain[z][0][:, head * len(row) : (head + 1) * len(row)]
        real = changed.batch.where(blip.adapter.tap(z).space, "all")[0]
        lost = (plain[out][0] - changed.reads[out][0] - part @ row)[real]
        assert lost.abs().max() < 1e-5 and (part @ row)[real].abs().max() > 1e-3
        others = [one for one in range(4) if one != head]
        kept = (changed.reads[z][0] - plain[z][0]).unflatten(-1, (4, -1))[:, others][real]
        assert kept.abs().max() < 1e-5


def test_blips_forward_pass_begins_the_answer_that_it_generates(blip: Engine) -> None:
    model = cast(Any, blip.target.model)
    for stimulus, found in zip(STIMULI, blip.plain(STIMULI).logits, strict=True):
        alone = blip.target.processor(text=stimulus.question, images=stimulus.image, return_tensors="pt")
        own = model.generate(**alone, max_new_tokens=1, output_scores=True, return_dict_in_generate=True)
        assert (own.scores[0][0] - found).abs().max() < 1e-5


@pytest.mark.parametrize("pictured", [True, False])
def test_answers_do_not_hang_on_the_other_questions_of_a_batch(asked_of: Engine, pictured: bool) -> None:
    images = [stimulus.image for stimulus in STIMULI]
    together = answer(asked_of.target, QUESTIONS, images if pictured else None, max_new_tokens=4)
    alone = [
        answer(asked_of.target, [question], [image] if pictured else None, max_new_tokens=4)[0]
        for question, image in zip(QUESTIONS, images, strict=True)
    ]
    assert together == alone and any(together)


def test_what_a_family_does_not_have_is_refused_with_the_reason(blip: Engine) -> None:
    for name, scope, message in (
        ("question.0.mlp.act", "visual", "`0` has no visual positions: nothing would be changed"),
        ("question.0.mlp.act", "answer", "`0` has no answer positions: nothing would be changed"),
        ("language.0.mlp.act", "question", "there are no `question` positions in the logits"),
    ):
        write = Intervention(parse_site(name), 1, cast(Any, scope), Zero())
        with pytest.raises(UserError, match=message):
            blip.run(Plan(STIMULI, [Row(0, (write,))]))
        assert f"has no {scope} positions" in str(blip.adapter.reaches(parse_site(name), cast(Any, scope)))
    assert "one position" in str(blip.adapter.reaches(parse_site("language.0.attn.q"), "answer"))


def test_a_cross_pattern_is_swapped_between_questions_of_equally_many_words_alone(blip: Engine) -> None:
    pattern = parse_site("cross.0.attn.pattern")
    swapped = Plan(STIMULI, [Row(0, (Intervention(pattern, 2, "all", Swap(1)),))], (pattern,))
    other = blip.plain(STIMULI, (pattern,)).reads[pattern][1]
    assert (blip.run(swapped).reads[pattern][0, 2] - other[2]).abs().max() < 1e-6
    with pytest.raises(UserError, match="positions of `3` can't be put into"):
        blip.run(Plan(STIMULI, [Row(0, (Intervention(pattern, 2, "all", Swap(3)),))]))


def test_the_same_head_query_runs_on_both_kinds_of_connector(seeing: Engine) -> None:
    """Every head of the extent, scaled in the same words: cross-attention is one tower more, not another language."""
    rows, heads = [], [one for one in seeing.adapter.extent().all() if one.part == "head"]
    for address in heads:
        site, unit = site_of(address)
        rows.append(Row(0, (Intervention(site, unit, "all", Scale(3.0)),)))
    plain, found = seeing.plain(STIMULI).logits[0], seeing.run(Plan(STIMULI, rows)).logits
    for address, logits in zip(heads, found, strict=True):
        moved = float((logits - plain).abs().max())
        assert (moved > 1e-4) == (seeing.adapter.reaches(address) is None), address
