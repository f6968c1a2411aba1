"""The vocabulary lens on visual tokens: which word each token of a picture points to, layer by layer.

softmax(W_U · norm(h_l)) at the tokens that show a thing and at as many that do not (Neo et al. 2024, section 4). A
thing's best layer is the one in which most of its tokens point to its word; since the best of several layers is high by
chance alone, the same is taken for other things' words and subtracted. Knows streams and words; a readable token need
not be used, which takes an ablation to tell. Not a tool.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from store.errors import UserError
from tools.methods.token_ablation import visual_places
from tools.methods.token_sets import Tokens
from tools.stimuli import Stimulus

if TYPE_CHECKING:
    from torch import Tensor

    from tools.engine.engine import Engine
    from tools.targets.sites import Site

AT_ONCE = 8
SHORTEST_PIECE = 3
"""Letters of a word's first token, at least, for that token to stand for the word."""
SHUFFLES = 200

Labels = frozenset[int]
Shares = Float[np.ndarray, "item site"]


class Read(NamedTuple):
    """One picture: the word that leads at each site and token, on the thing and beside it, and the mean entropy in
    nats of what each site says on the thing, beside it, and in the question."""

    thing: Int[np.ndarray, "site token"]
    beside: Int[np.ndarray, "site token"]
    entropy: Float[np.ndarray, "site 3"]


class Best(NamedTuple):
    """Item by item: the largest share over the sites, how deep it lies (0 where tokens enter, 1 behind the last
    layer; the middle of several; NaN where no token ever points to the word), and what other words reach."""

    share: Float[np.ndarray, "item"]
    depth: Float[np.ndarray, "item"]
    chance: Float[np.ndarray, "item"]


def sites_of(engine: Engine) -> list[Site]:
    """Where tokens enter the decoder, and behind each of its layers."""
    from tools.targets.sites import Site

    layers = engine.adapter.extent().towers["language"].layers
    return [Site("embed"), *(Site("resid_post", "language", layer) for layer in range(layers))]


def labels_of(engine: Engine, word: str) -> Labels:
    """The tokens that stand for a word: the word alone, else its first piece of some length; with a capital too.

    Raises UserError for a word of which no token is left.
    """
    tokenizer = engine.target.processor.tokenizer
    before = tokenizer(":", add_special_tokens=False).input_ids
    found = set()
    for form in (word, word.capitalize()):
        tokens = tokenizer(f": {form}", add_special_tokens=False).input_ids[len(before) :]
        piece = "".join(letter for letter in tokenizer.decode(tokens[:1]) if letter.isalpha())
        known = bool(tokens) and tokens[0] != tokenizer.unk_token_id
        if known and (len(tokens) == 1 or len(piece) >= SHORTEST_PIECE):
            found.add(int(tokens[0]))
    if not found:
        raise UserError(
            f"`{word}` begins with no token of `{engine.target.name}` that could stand for it",
            kind="word",
            hint="name it by a common word",
        )
    return frozenset(found)


def read(
    engine: Engine, stimuli: Sequence[Stimulus], things: Sequence[Tokens], beside: Sequence[Tokens]
) -> list[Read]:
    """What the lens shows in each picture."""
    import torch

    sites = sites_of(engine)
    found: list[Read] = []
    for start in range(0, len(stimuli), AT_ONCE):
        block = stimuli[start : start + AT_ONCE]
        outcome = engine.plain(block, tuple(sites))
        for row, places in enumerate(visual_places(outcome.batch)):
            item, first = start + row, int(outcome.batch.first[row])
            words = torch.nonzero(outcome.batch.question[row])[:, 0].cpu().numpy()
            at = (first + places[things[item]], first + places[beside[item]], words)
            told = [[_said(engine, outcome.reads[site][row], one) for one in at] for site in sites]
            found.append(
                Read(
                    np.stack([one[0].words for one in told]),
                    np.stack([one[1].words for one in told]),
                    np.array([[part.entropy for part in one] for one in told]),
                )
            )
    return found


class _Said(NamedTuple):
    words: Int[np.ndarray, "token"]
    entropy: float


def _said(engine: Engine, stream: Tensor, at: Int[np.ndarray, "token"]) -> _Said:
    import torch

    if not len(at):
        return _Said(np.zeros(0, dtype=np.int64), float("nan"))
    chosen = stream[torch.as_tensor(at, device=stream.device)]
    likely = engine.adapter.unembed(chosen.to(engine.target.model.dtype)).float().log_softmax(-1)
    entropy = -(likely.exp() * likely).sum(-1).mean()
    return _Said(likely.argmax(-1).cpu().numpy(), float(entropy))


def shares(words: Sequence[Int[np.ndarray, "site token"]], labels: Sequence[Labels]) -> Shares:
    """Of each item's tokens the share that points to its word, by site; 0 for an item without tokens."""
    return np.array(
        [
            np.isin(one, list(own)).mean(axis=1) if one.shape[1] else np.zeros(one.shape[0])
            for one, own in zip(words, labels, strict=True)
        ]
    )


def best(
    words: Sequence[Int[np.ndarray, "site token"]],
    labels: Sequence[Labels],
    seed: int,
    shuffles: int = SHUFFLES,
) -> Best:
    """Each item's best site. Chance is the best site's mean share over `shuffles` draws of another item's word, which
    always is another word; NaN where all items have the same."""
    own = shares(words, labels)
    top = own.max(axis=1)
    steps = np.linspace(0, 1, own.shape[1])
    depth = np.array(
        [steps[row == most].mean() if most > 0 else np.nan for row, most in zip(own, top, strict=True)]
    )
    reached = {label: shares(words, [label] * len(words)).max(axis=1) for label in dict.fromkeys(labels)}
    random = np.random.default_rng(seed)
    chance = np.full(len(words), np.nan)
    for item, label in enumerate(labels):
        others = [other for other in labels if not other & label]
        if others:
            picked = random.integers(len(others), size=shuffles)
            chance[item] = np.mean([reached[others[other]][item] for other in picked])
    return Best(top, depth, chance)
