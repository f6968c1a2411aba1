"""Probes find the direction that tells tokens apart, also among many others that the concept is not about."""

from __future__ import annotations

import pytest
import torch

from experiments.bench.probes import probe, probes


def test_a_probe_is_high_where_it_holds_and_low_elsewhere() -> None:
    random = torch.Generator().manual_seed(0)
    features = torch.randn(4000, 16, generator=random)
    features[:, 0] = 1
    counted = torch.arange(4000) < 400
    holds = counted & (torch.arange(4000) % 8 == 0)
    features[holds, 3] += 6
    scores = features @ probe(features, holds, counted)
    assert scores[holds].mean() > 0.8
    assert scores[~holds].mean().abs() < 0.1
    assert scores[holds].quantile(0.05) > scores[~holds].quantile(0.95)


def test_a_probe_needs_tokens_of_both_kinds() -> None:
    every = torch.ones(5, dtype=torch.bool)
    with pytest.raises(ValueError, match="both kinds"):
        probe(torch.ones(5, 2), every, every)


def test_probes_of_several_classes_are_each_high_on_their_own() -> None:
    random = torch.Generator().manual_seed(1)
    labels = torch.zeros(3000, 3)
    labels[torch.arange(300), torch.arange(300) % 3] = 1
    features = torch.randn(3000, 16, generator=random)
    features[:, :3] += 6 * labels
    features[:, 15] = 1
    scores = features @ probes(features, labels).T
    assert (scores[:300].argmax(1) == labels[:300].argmax(1)).float().mean() > 0.98
    assert scores[300:].mean(0).abs().max() < 0.1
