"""The kinds of maps by name, each from a subject to one number a picture token."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

import numpy as np
from jaxtyping import Float

from tools.engine.engine import Engine
from tools.relevance.gradient import integrated_gradients, relevancy
from tools.relevance.occlusion import occlusion
from tools.relevance.subject import Subject
from tools.relevance.tam import tam
from tools.targets.adapter import Grid
from tools.targets.sites import Site

Method = Literal["attention", "relevancy", "tam", "gradients", "occlusion"]
METHODS: tuple[Method, ...] = get_args(Method)


class Heat(NamedTuple):
    """A map, and the share of the difference that integrated gradients missed (None for other methods)."""

    heat: Float[np.ndarray, "token"]
    error: float | None = None


def heat_of(engine: Engine, subject: Subject, method: Method, grid: Grid) -> Heat:
    """The subject's map by a method; `grid` says how its tokens lie."""
    match method:
        case "attention":
            return Heat(attention(engine, subject))
        case "relevancy":
            return Heat(relevancy(engine, subject))
        case "tam":
            return Heat(tam(engine, subject, grid.rows, grid.columns))
        case "gradients":
            found = integrated_gradients(engine, subject)
            return Heat(found.heat, found.error)
        case "occlusion":
            return Heat(occlusion(engine, subject))


def attention(engine: Engine, subject: Subject) -> Float[np.ndarray, "token"]:
    """Attention from the answer position, mean over all layers and heads."""
    layers = engine.adapter.extent().towers["language"].layers
    sites = tuple(Site("attn.pattern", "language", layer) for layer in range(layers))
    outcome = engine.plain([subject.stimulus], sites)
    answer, seen = outcome.batch.answer[0], outcome.batch.visual[0]
    each = [read[0, :, answer, seen].float().mean(0) for read in outcome.reads.values()]
    return np.mean([one.double().cpu().numpy() for one in each], axis=0)
