"""Right answers that flip when sets of visual tokens stand at their mean: in polls, in questions, and in captions.

Neo et al. 2024, table 1. A poll is answered by the likelier of yes and no, a question by its one-word answer leading
all words, a caption by naming the thing; a caption without words names nothing. Gradients explain the poll's yes
against its no, and the question's answer against the next word; captions take the poll's, as in the paper.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import expit, logsumexp

from experiments.reproduce.neo.prepared import Prepared
from store.errors import UserError
from tools.methods.retold import empty_share, retold
from tools.methods.token_ablation import Sight, ablated, sights
from tools.methods.token_gradients import token_gradients
from tools.methods.token_knockout import chances
from tools.methods.token_sets import SETS, SetName, Tokens, add_gradients
from tools.polling_judge import NO, YES
from tools.scoring.intervals import bootstrap_mean, wilson
from tools.stimuli import Stimulus

if TYPE_CHECKING:
    from tools.engine.engine import Engine
    from tools.relevance.gradient import Integrated

Say = Callable[[str], None]


class Added(NamedTuple):
    """What the sum of an item's attributions misses of the difference that they explain (a share: the median item's and
    the worst's), and the most steps that an item took."""

    missing: float
    missing_most: float
    steps_most: int


@dataclass(frozen=True, eq=False)
class Readout:
    """Item by item: right before; wrong after, with each set; what the right answer's probability loses (captions have
    none). `empty` is the share of captions without words; `gradients` how well attributions add up."""

    right: Bool[np.ndarray, "item"]
    wrong: dict[SetName, Bool[np.ndarray, "item"]]
    loss: dict[SetName, Float[np.ndarray, "item"]] = field(default_factory=dict)
    empty: dict[SetName, float] = field(default_factory=dict)
    gradients: Added | None = None

    def flips(self, name: SetName) -> Float[np.ndarray, "right"]:
        """1 where a right answer is lost, of those right before."""
        return self.wrong[name][self.right].astype(np.float64)

    def as_json(self, seed: int) -> dict[str, Any]:
        right = int(self.right.sum())
        return {
            "n": len(self.right),
            "accuracy": wilson(right, len(self.right)).as_json(),
            "sets": {name: self._set(name, right, seed) for name in self.wrong},
            "empty_captions": {name: round(share, 4) for name, share in self.empty.items()},
            "gradients": None if self.gradients is None else self.gradients._asdict(),
        }

    def _set(self, name: SetName, right: int, seed: int) -> dict[str, Any]:
        told: dict[str, Any] = {
            "flips": wilson(int(self.flips(name).sum()), right).as_json() if right else None
        }
        if name in self.loss:
            told["probability_lost"] = bootstrap_mean(self.loss[name], seed=seed).as_json()
        return told


def polls(engine: Engine, found: Prepared, gradients: bool) -> Readout:
    """Whether the thing is there. Adds gradient sets to the items where they are wanted."""
    yes, no = (answer_tokens(engine, words) for words in (YES, NO))
    plain = np.stack([one.logits for one in found.polled])
    added = None
    if gradients:
        own = [yes[int(np.argmax(row[yes]))] for row in plain]
        against = [no[int(np.argmax(row[no]))] for row in plain]
        told = token_gradients(engine, found.polling, found.polled, own, found.mean, against)
        added = _add(found.sets, told)
    names = [name for name in SETS if name in found.sets[0]]
    after = _after(engine, found.polling, found.polled, found.sets, names, found)
    before = yes_probability(plain, yes, no)
    later = {name: yes_probability(one, yes, no) for name, one in zip(names, after, strict=True)}
    return Readout(
        before > 0.5,
        {name: one <= 0.5 for name, one in later.items()},
        {name: before - one for name, one in later.items()},
        gradients=added,
    )


def questions(engine: Engine, found: Prepared, gradients: bool) -> Readout | None:
    """What the thing alone answers; None where no item has a question whose answer is one token. Nothing is ablated
    where no answer is right."""
    own = [engine.adapter.token(item.asked.answer) if item.asked else None for item in found.items]
    kept = [number for number, token in enumerate(own) if token is not None]
    if len(kept) < 2:
        return None
    right = np.array([own[number] for number in kept])
    stimuli = [asked for number in kept if (asked := found.items[number].asked) is not None]
    seen = sights(engine, stimuli)
    plain = np.stack([one.logits for one in seen])
    before = plain.argmax(axis=1) == right
    if not before.any():
        return Readout(before, {})
    sets = [dict(found.sets[number]) for number in kept]
    added = None
    if gradients:
        added = _add(sets, token_gradients(engine, stimuli, seen, right.tolist(), found.mean))
    names = [name for name in SETS if name in sets[0]]
    after = _after(engine, stimuli, seen, sets, names, found)
    sure = chances(plain, right)
    return Readout(
        before,
        {name: one.argmax(axis=1) != right for name, one in zip(names, after, strict=True)},
        {name: sure - chances(one, right) for name, one in zip(names, after, strict=True)},
        gradients=added,
    )


def captions(engine: Engine, found: Prepared, longest: int, say: Say) -> Readout:
    """Whether a caption names the thing; only captions that did are made again."""
    nothing = np.zeros(len(found.things[0]), dtype=bool)
    told = retold(
        engine, [item.caption for item in found.items], [nothing] * len(found.items), found.mean, longest
    )
    right = np.array([item.names_it(text) for item, text in zip(found.items, told, strict=True)])
    kept = np.flatnonzero(right).tolist()
    wrong: dict[SetName, Bool[np.ndarray, "item"]] = {}
    empty: dict[SetName, float] = {}
    for name in (name for name in SETS if name in found.sets[0]):
        wrong[name] = np.zeros(len(right), dtype=bool)
        if not kept:
            continue
        items = [found.items[number] for number in kept]
        texts = retold(
            engine,
            [item.caption for item in items],
            [found.sets[number][name] for number in kept],
            found.mean,
            longest,
        )
        wrong[name][kept] = [not item.names_it(text) for item, text in zip(items, texts, strict=True)]
        empty[name] = empty_share(texts)
        say(f"captions without {name}: {wrong[name].sum()} of {len(kept)} no longer name the thing")
    return Readout(right, wrong, empty=empty)


def answer_tokens(engine: Engine, words: Sequence[str]) -> list[int]:
    """The tokens that say one of the words as an answer, never a start token. Raises UserError where there is none."""
    found = [token for word in words if (token := engine.adapter.token(word)) is not None]
    if not found:
        raise UserError(
            f"`{engine.target.name}` has no one token for `{words[0]}`",
            kind="no_answers",
            hint="give a model that answers yes and no",
        )
    return found


def yes_probability(
    logits: Float[np.ndarray, "item vocabulary"], yes: Sequence[int], no: Sequence[int]
) -> Float[np.ndarray, "item"]:
    """P(yes) / (P(yes) + P(no)), each over all of its tokens."""
    lead = logsumexp(logits[:, list(yes)], axis=1) - logsumexp(logits[:, list(no)], axis=1)
    return np.asarray(expit(lead.astype(np.float64)))


def _after(
    engine: Engine,
    stimuli: Sequence[Stimulus],
    seen: Sequence[Sight],
    sets: Sequence[dict[SetName, Tokens]],
    names: Sequence[SetName],
    found: Prepared,
) -> Float[np.ndarray, "set item vocabulary"]:
    return ablated(engine, stimuli, seen, [[one[name] for one in sets] for name in names], found.mean)


def _add(sets: Sequence[dict[SetName, Tokens]], told: Sequence[Integrated]) -> Added:
    """Adds the sets by gradients."""
    for own, one in zip(sets, told, strict=True):
        add_gradients(own, one.heat)
    missed = [one.error for one in told]
    return Added(round(float(np.median(missed)), 4), round(max(missed), 4), max(one.steps for one in told))
