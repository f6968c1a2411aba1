"""The engine on the committed model: exact there too, and what it patches means what it should."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from experiments.registry import open_target
from experiments.tableau.source import TableauSource
from tools.engine.engine import Engine
from tools.engine.plan import Intervention, Knockout, Plan, Row, Swap, Zero
from tools.stimuli import Stimulus
from tools.targets.answer import encode, prompt
from tools.targets.sites import parse_site


@pytest.fixture(scope="module")
def engine(committed_weights: Path) -> Engine:
    return Engine(open_target("tableau-llava", "cpu", weights=committed_weights))


@pytest.fixture(scope="module")
def stimuli() -> list[Stimulus]:
    """Questions about colors that the model gets right, with different answers and lengths."""
    found: dict[str, Stimulus] = {}
    for stimulus in TableauSource("train").ask("color", 24, 3):
        found.setdefault(stimulus.answer, stimulus)
    return list(found.values())[:3]


def test_untouched_rows_are_the_models_own_answers(engine: Engine, stimuli: list[Stimulus]) -> None:
    target = engine.target
    found = engine.plain(stimuli).logits
    for row, stimulus in zip(found, stimuli, strict=True):
        inputs = encode(target, [prompt(target, stimulus.question, with_image=True)], [stimulus.image])
        with torch.no_grad():
            own = target.model(**inputs).logits[0, -1]
        assert (row - own).abs().max() < 1e-5 * own.abs().max()
        assert int(row.argmax()) == engine.adapter.token(stimulus.answer)


def test_self_patches_of_every_site_change_nothing(engine: Engine, stimuli: list[Stimulus]) -> None:
    plain = engine.plain(stimuli[:1]).logits[0]
    layers = ("vision.1.resid", "language.2")
    sites = [site for site in engine.adapter.sites() if site.tower is None or str(site).startswith(layers)]
    rows = [Row(0, (Intervention(site, None, "all", Swap(0)),)) for site in sites]
    after = engine.run(Plan(stimuli[:1], rows)).logits
    assert (after - plain).abs().max() < 1e-5 * plain.abs().max()


def test_the_picture_of_another_run_brings_its_answer(engine: Engine, stimuli: list[Stimulus]) -> None:
    """Before any layer the visual tokens alone bring all of it; later every position must come along."""
    one, other = stimuli[0], Stimulus("other", stimuli[1].image, stimuli[0].question)
    pair = [one, other]
    stream = parse_site("language.0.resid_pre")
    plain = engine.plain(pair).logits
    patched = engine.run(Plan(pair, [Row(0, (Intervention(stream, None, "visual", Swap(1)),))])).logits[0]
    assert (patched - plain[1]).abs().max() < 1e-5 * plain.abs().max()
    whole = parse_site("language.3.resid_post")
    after = engine.run(Plan(pair, [Row(0, (Intervention(whole, None, "all", Swap(1)),))])).logits[0]
    gap = plain[1] - plain[0]
    assert float((after - plain[0]) @ gap / (gap @ gap)) == pytest.approx(1, abs=1e-3)


def test_a_model_that_may_not_look_at_the_picture_does_not_know(
    engine: Engine, stimuli: list[Stimulus]
) -> None:
    right = torch.tensor([engine.adapter.token(stimulus.answer) for stimulus in stimuli])
    blind = tuple(
        Knockout(layer, None, queries, "visual")
        for layer in range(engine.adapter.extent().towers["language"].layers)
        for queries in ("question", "answer")
    )
    dark = (Intervention(parse_site("connector.out"), None, "all", Zero()),)
    rows = range(len(stimuli))
    plain, blinded, darkened = (
        engine.run(Plan(stimuli, [Row(row, *what) for row in rows])).logits.softmax(-1)[rows, right]
        for what in ((), ((), blind), (dark,))
    )
    assert plain.min() > 0.5
    assert blinded.mean() < 0.4
    assert darkened.mean() < 0.4
