"""Token activation map: where the last layer's picture tokens already say the answer, less what the question explains.

Li et al. 2025, "Token Activation Map to Visually Explain Multimodal LLMs". The raw map of a word is its lens logit at
every picture token, above 0. Estimated causal inference takes away what the maps of context words account for; the
rank Gaussian filter smooths. Their text leaves values unsorted; here windows are sorted and σ is std / mean, as in the
authors' program, and a window without differences keeps its value (σ = 0).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from tools.engine.engine import Engine
from tools.relevance.subject import Subject
from tools.targets.sites import Site

WINDOW = 3


def tam(engine: Engine, subject: Subject, rows: int, columns: int) -> Float[np.ndarray, "token"]:
    """The map of the target's answer over its picture tokens, which lie in `rows` × `columns`."""
    maps, weights = activations(engine, subject)
    kept = beside_words(without_context(maps[0], maps[1:], weights), weights)
    return rank_gaussian(kept.reshape(rows, columns)).ravel()


def activations(
    engine: Engine, subject: Subject
) -> tuple[Float[np.ndarray, "word token"], Float[np.ndarray, "context"]]:
    """Raw maps of the answer, then of every context word, and how strongly each context position says the answer.

    Context are the words of the prompt but the one at which the answer is predicted, and the answer's own word.
    """
    layers = engine.adapter.extent().towers["language"].layers
    site = Site("resid_post", "language", layers - 1)
    outcome = engine.plain([subject.stimulus], (site,))
    stream, batch = outcome.reads[site][0], outcome.batch
    ids = batch.inputs["input_ids"][0]
    words = batch.real[0] & ~batch.visual[0] & (ids != subject.said)
    words[batch.answer[0]] = False
    places = words.nonzero()[:, 0]
    meant = [subject.said, *ids[places].tolist()]
    seen = engine.adapter.unembed(stream[batch.visual[0]])[:, meant].T.relu()
    said = engine.adapter.unembed(stream[places])[:, subject.said].relu()
    return seen.double().cpu().numpy(), said.double().cpu().numpy()


def without_context(
    raw: Float[np.ndarray, "token"],
    context: Float[np.ndarray, "context token"],
    weights: Float[np.ndarray, "context"],
) -> Float[np.ndarray, "token"]:
    """max(0, A − s·E), where E is the context's maps at their weights and s = ⟨A, E⟩ / ⟨E, E⟩."""
    total = float(weights.sum())
    if total <= 0:
        return raw.clip(min=0)
    expected = weights @ context / total
    size = float(expected @ expected)
    scale = float(raw @ expected) / size if size > 0 else 0.0
    return np.asarray((raw - scale * expected).clip(min=0))


def beside_words(
    kept: Float[np.ndarray, "token"], words: Float[np.ndarray, "context"]
) -> Float[np.ndarray, "token"]:
    """The map on a scale on which the coldest of its tokens and of the prompt's words has 0 and the hottest 1: maps of
    different answers then compare, and a word that hangs on words is cold all over the picture."""
    everything = np.concatenate([kept, words])
    low, high = float(everything.min()), float(everything.max())
    return np.asarray((kept - low) / (high - low)) if high > low else np.zeros_like(kept)


def rank_gaussian(heat: Float[np.ndarray, "rows columns"]) -> Float[np.ndarray, "rows columns"]:
    """Each value replaced by its window's sorted values under a Gaussian about the middle rank, σ = std / mean ranks.

    Windows are WINDOW × WINDOW, edges mirrored.
    """
    half = WINDOW // 2
    wide = np.pad(heat, half, mode="reflect") if min(heat.shape) > half else np.pad(heat, half, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(wide, (WINDOW, WINDOW))
    ordered = np.sort(windows.reshape(*heat.shape, -1), axis=-1)
    mean, spread = ordered.mean(-1), ordered.std(-1)
    varied = (mean > 0) & (spread > 0)
    sigma = np.where(varied, spread, 1.0) / np.where(varied, mean, 1.0)
    ranks = np.arange(WINDOW**2) - WINDOW**2 // 2
    weight = np.exp(-(ranks**2) / (2 * sigma[..., None] ** 2))
    smooth = (ordered * weight).sum(-1) / weight.sum(-1)
    return np.asarray(np.where(varied, smooth, mean))
