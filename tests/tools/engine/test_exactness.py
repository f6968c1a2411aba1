"""The contract of every family: what changes nothing changes nothing, what restores everything restores everything."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from store.address import Tower
from tests.tools.lively import QUESTIONS, asked
from tools.engine.engine import Engine
from tools.engine.plan import Add, Intervention, Knockout, Plan, Row, Scale, Set, Swap, Value, Zero
from tools.stimuli import Stimulus
from tools.targets.batch import Positions
from tools.targets.sites import CONNECTOR_OUT, LAYER_PLACES, Site, parse_site

STIMULI = asked(*QUESTIONS)


def change(
    site: Site | str, value: Value, index: int | None = None, positions: Positions = "all"
) -> Intervention:
    return Intervention(parse_site(site) if isinstance(site, str) else site, index, positions, value)


def logits(engine: Engine, *rows: Row) -> torch.Tensor:
    return engine.run(Plan(STIMULI, rows)).logits


def test_no_intervention_is_the_plain_forward_pass(engine: Engine) -> None:
    batch = engine.adapter.batch(STIMULI)
    with torch.inference_mode():
        plain = engine.adapter.forward(batch)
    assert (engine.plain(STIMULI).logits - plain).abs().max() < 1e-5
    assert plain.std() > 0.1


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_forward_pass_is_the_models_own(asking: Engine, question: str) -> None:
    from tools.targets.answer import encode, prompt

    number = QUESTIONS.index(question)
    target = asking.target
    inputs = encode(target, [prompt(target, question, with_image=True)], [STIMULI[number].image])
    with torch.inference_mode():
        own = target.model(**inputs).logits[0, -1]
    assert (asking.plain(STIMULI).logits[number] - own).abs().max() < 1e-5


def test_putting_a_site_into_itself_changes_nothing(engine: Engine) -> None:
    plain = engine.plain(STIMULI).logits[0]
    sites = engine.adapter.sites()
    after = logits(engine, *(Row(0, (change(site, Swap(0)),)) for site in sites))
    for site, found in zip(sites, after, strict=True):
        assert (found - plain).abs().max() < 1e-5, site


def test_every_site_that_reaches_the_logits_changes_them(engine: Engine) -> None:
    plain = engine.plain(STIMULI).logits[0]
    sites = engine.adapter.sites()
    after = logits(engine, *(Row(0, (change(site, Zero()),)) for site in sites))
    for site, found in zip(sites, after, strict=True):
        moved = float((found - plain).abs().max())
        if engine.adapter.reaches(site) is None:
            assert moved > 1e-3, site
        else:
            assert moved < 1e-5, site


@pytest.mark.parametrize("scope", ["visual", "question", "answer"])
def test_what_has_no_path_to_the_logits_leaves_them_alone(engine: Engine, scope: Any) -> None:
    plain = engine.plain(STIMULI).logits[0]
    sites = [
        site
        for site in engine.adapter.sites()
        if site.tower is not None
        and (engine.adapter.tap(site).space in ("language", "answer") or scope == "visual")
        and not (engine.target.family == "clip" and site.tower == "language" and scope == "visual")
        and f"has no {scope} positions" not in (engine.adapter.reaches(site, scope) or "")
    ]
    after = logits(engine, *(Row(0, (change(site, Zero(), positions=scope),)) for site in sites))
    for site, found in zip(sites, after, strict=True):
        moved = float((found - plain).abs().max())
        assert (moved > 1e-4) == (engine.adapter.reaches(site, scope) is None), site


@pytest.mark.parametrize("place", ["resid_pre", "resid_mid", "resid_post"])
def test_patching_all_of_a_layers_residual_recovers_the_other_run(engine: Engine, place: str) -> None:
    plain = engine.plain(STIMULI).logits
    for tower, layers in engine.adapter.extent().towers.items():
        for layer in range(layers.layers):
            site = Site(place, tower, layer)  # type: ignore[arg-type]
            if not _all_passes(engine, site) or engine.adapter.reaches(site):
                continue
            patched = logits(engine, Row(0, (change(site, Swap(1)),)))[0]
            gap = plain[1] - plain[0]
            recovery = (patched - plain[0]) @ gap / (gap @ gap)
            assert abs(float(recovery) - 1) < 1e-3, site
            assert (patched - plain[1]).abs().max() < 1e-4, site


def _all_passes(engine: Engine, site: Site) -> bool:
    """Whether nothing goes around a stream: words go around the vision tower, and BLIP's cross-attentions bring more
    into the others, up to the last."""
    if engine.target.family == "clip":
        return site.tower == "vision"
    if engine.target.family == "blip":
        return site in (parse_site("language.1.resid_mid"), parse_site("language.1.resid_post"))
    return site.tower == "language"


def test_patching_the_picture_anywhere_on_its_way_shows_the_other_picture(seeing: Engine) -> None:
    other = [STIMULI[0], Stimulus("other", STIMULI[1].image, STIMULI[0].question)]
    plain = seeing.plain(other).logits
    sites = [CONNECTOR_OUT] + [
        site
        for site in seeing.adapter.sites()
        if site.tower == "vision"
        and site.place in ("resid_pre", "resid_mid", "resid_post")
        and not seeing.adapter.reaches(site)
    ]
    assert len(sites) > 6 and (plain[0] - plain[1]).abs().max() > 1e-2
    for site in sites:
        patched = seeing.run(Plan(other, [Row(0, (change(site, Swap(1)),))])).logits[0]
        assert (patched - plain[1]).abs().max() < 1e-5, site


def test_rows_do_not_influence_one_another(engine: Engine) -> None:
    towers: dict[str, Tower] = {"clip": "vision", "blip": "question"}
    tower = towers.get(engine.target.family, "language")
    rows = [
        Row(0),
        Row(1, (change(f"{tower}.1.mlp.act", Zero(), 3),)),
        Row(2, (change(f"{tower}.0.attn.z", Scale(-2.0), 1),)),
        Row(0, (change(f"{tower}.0.attn.pattern", Scale(0.0), 0),)),
        Row(1, (), (Knockout(0, None, "all", (0,), tower),)),
        Row(3, (change(f"{tower}.1.resid_pre", Set(torch.ones(1)), positions=(1, 2)),)),
        Row(2, (change(f"{tower}.0.resid_mid", Add(torch.ones(1)), 2),)),
        *(Row(number % 4) for number in range(30)),
    ]
    together = logits(engine, *rows)
    alone = torch.cat([engine.run(Plan([STIMULI[row.stimulus]], [_alone(row)])).logits for row in rows[:9]])
    assert (together[:9] - alone).abs().max() < 1e-5
    plain = engine.plain(STIMULI).logits
    assert (together[7:] - plain[[number % 4 for number in range(30)]]).abs().max() < 1e-5
    for number in range(1, 7):
        assert (together[number] - plain[rows[number].stimulus]).abs().max() > 1e-3, number


def _alone(row: Row) -> Row:
    return Row(0, row.interventions, row.knockouts)


def test_padding_changes_nothing(seeing: Engine) -> None:
    reads = tuple(
        site
        for site in seeing.adapter.sites()
        if site.layer == 1 and site.place != "attn.pattern" and seeing.adapter.tap(site).space == "language"
    )
    assert len(reads) >= len(LAYER_PLACES) - 1
    padded = seeing.plain(STIMULI, reads)
    for number, stimulus in enumerate(STIMULI):
        alone = seeing.plain([stimulus], reads)
        assert (padded.logits[number] - alone.logits[0]).abs().max() < 1e-5
        for site in reads:
            real = padded.batch.real[number]
            apart = (padded.reads[site][number][real] - alone.reads[site][0]).abs().max()
            assert apart < 1e-5 * max(1.0, float(alone.reads[site].std())), site
    assert not padded.batch.real.all()


def test_pictures_of_different_shapes_share_a_batch(llava_next: Engine) -> None:
    """Their rows have different numbers of visual tokens."""
    shapes = [(28, 56), (56, 28), (28, 28), (90, 30)]
    stimuli = [
        Stimulus(stimulus.key, stimulus.image.resize(shape), stimulus.question)
        for stimulus, shape in zip(STIMULI, shapes, strict=True)
    ]
    write = (change("language.0.attn.z", Scale(2.0), 1, "visual"),)
    together = llava_next.run(Plan(stimuli, [Row(number, write) for number in range(4)]))
    assert len(set(together.batch.visual.sum(1).tolist())) > 1
    for number, stimulus in enumerate(stimuli):
        alone = llava_next.run(Plan([stimulus], [Row(0, write)])).logits[0]
        assert (together.logits[number] - alone).abs().max() < 1e-5


def test_the_picture_encoded_once_gives_the_same_as_the_whole_way(seeing: Engine) -> None:
    rows = [Row(number, (change("language.0.mlp.act", Zero(), 3),)) for number in range(4)]
    engine = Engine(seeing.target, adapter=seeing.adapter)
    name = engine._untouched.name(STIMULI)
    whole = engine.run(Plan(STIMULI, rows, (parse_site("connector.out"),)))
    assert not engine._untouched.is_encoded(name)
    once = engine.run(Plan(STIMULI, rows))
    assert engine._untouched.is_encoded(name)
    assert (once.logits - whole.logits).abs().max() < 1e-5


def test_attention_in_the_open_is_the_models_own(engine: Engine) -> None:
    config = engine.target.model.config
    before = [config.text_config._attn_implementation, config.vision_config._attn_implementation]
    towers = engine.adapter.extent().towers
    reads = tuple(Site("attn.pattern", tower, 0) for tower in towers)
    outcome = engine.plain(STIMULI, reads)
    assert (outcome.logits - engine.plain(STIMULI).logits).abs().max() < 1e-5
    for site in reads:
        space = engine.adapter.tap(site).space
        shares = outcome.reads[site].sum(-1).transpose(1, 2)[outcome.batch.where(space, "all")]
        assert (shares - 1).abs().max() < 1e-5, site
    assert before == [config.text_config._attn_implementation, config.vision_config._attn_implementation]


def test_pictures_are_encoded_once_for_many_plans_on_the_same_stimuli(llava: Engine) -> None:
    engine, looked = Engine(llava.target), []
    tower: Any = llava.target.model.get_submodule("model.vision_tower")
    hook = tower.register_forward_hook(lambda *_: looked.append(1))
    try:
        first = engine.run(Plan(STIMULI, [Row(0)])).logits
        seen = len(looked)
        again = engine.run(Plan(STIMULI, [Row(0)])).logits
        assert len(looked) == seen
        engine.run(Plan(STIMULI[::-1], [Row(0)]))
        assert len(looked) > seen
    finally:
        hook.remove()
    assert torch.equal(first, again)
