"""Integrated gradients beside captum's."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from tests.tools.lively import asked
from tools.engine.engine import Engine
from tools.relevance.gradient import integrated_gradients
from tools.relevance.subject import mean_token, subject
from tools.targets.sites import EMBED

STIMULI = asked("what color is the star ?", "what shape is the circle ?")


def test_integrated_gradients_agree(llava: Engine) -> None:
    """Captum walks over the model's own `inputs_embeds`, from the same empty picture, with the same number of steps."""
    from captum.attr import IntegratedGradients

    one = subject(llava, STIMULI[0], mean_token(llava.mean(EMBED, STIMULI)))
    found = integrated_gradients(llava, one)
    batch = llava.adapter.batch([STIMULI[0]])
    real = llava.plain(STIMULI[:1], (EMBED,)).reads[EMBED]
    empty = real.clone()
    empty[batch.visual] = one.empty
    model: Any = llava.target.model

    def lead(embedded: Tensor) -> Tensor:
        return one.leads(model(inputs_embeds=embedded).logits[:, -1])

    told = IntegratedGradients(lead).attribute(real, empty, n_steps=found.steps, method="gausslegendre")
    expected = told.sum(-1)[0, batch.visual[0]].detach().numpy()
    assert np.abs(found.heat - expected).max() < 1e-5
    assert np.abs(expected).max() > 1e-3
    with torch.no_grad():
        gap = (lead(real) - lead(empty)).item()
    assert abs(found.heat.sum() - gap) <= 0.02 * max(abs(gap), 0.05)
