"""Translators: they begin as the logit lens, learn what is affine, and are kept as they are."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.tools.lively import asked, lively
from tools.engine.engine import Engine
from tools.targets.sites import Site
from tools.tuned import Translators, divergence, read, thinned, trained


@pytest.fixture(scope="module")
def engine(llava_folder: Path) -> Engine:
    return Engine(lively(llava_folder))


def test_without_training_translators_are_the_logit_lens(engine: Engine) -> None:
    streams = torch.randn(2, 5, 24, generator=torch.Generator().manual_seed(0))
    nothing = trained(engine.target.model, streams, torch.zeros(5, 15), seed=0, steps=0)
    model = engine.target.model
    assert (read(model, streams, nothing) == read(model, streams, None)).all()
    assert (read(model, streams, None)[1] - engine.adapter.unembed(streams[1])).abs().max() < 1e-5


def test_the_last_layers_lens_is_the_models_own_answer(engine: Engine) -> None:
    site = Site("resid_post", "language", 1)
    outcome = engine.plain(asked("what color is the star ?"), (site,))
    lens = read(engine.target.model, outcome.reads[site][:, outcome.batch.answer[0]][None], None)
    assert (lens[0] - outcome.logits).abs().max() < 1e-5
    assert divergence(lens, outcome.logits).max() < 1e-6


def test_what_is_affine_is_learned_and_holds_on_other_rows(engine: Engine) -> None:
    """A planted map between the streams of a layer and the end: the translator finds it, the plain lens does not."""
    generator = torch.Generator().manual_seed(0)
    streams = torch.randn(1, 600, 24, generator=generator)
    turn = torch.linalg.qr(torch.randn(24, 24, generator=generator)).Q
    final = engine.adapter.unembed(streams[0] @ turn + 0.3)
    model = engine.target.model
    found = trained(model, streams[:, :400], final[:400], seed=0, steps=600)
    held = streams[:, 400:]
    far, plain = (float(divergence(read(model, held, one), final[400:]).mean()) for one in (found, None))
    assert far < 0.2 * plain
    again = Translators.from_bytes(found.to_bytes())
    assert (again.slope == found.slope).all() and (again.shift == found.shift).all()


def test_the_divergence_is_torchs(engine: Engine) -> None:
    generator = torch.Generator().manual_seed(0)
    lens, final = (torch.randn(*shape, generator=generator) for shape in ((2, 4, 15), (4, 15)))
    expected = torch.nn.functional.kl_div(
        lens.log_softmax(-1), final.log_softmax(-1).expand(2, -1, -1), log_target=True, reduction="none"
    ).sum(-1)
    assert (divergence(lens, final) - expected).abs().max() < 1e-5


def test_places_are_thinned_evenly_and_few_are_kept() -> None:
    assert thinned(range(5), 9) == [0, 1, 2, 3, 4]
    assert thinned(range(101), 3) == [0, 50, 100]
