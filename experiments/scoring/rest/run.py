"""The rest of the protocol for a whole run: each score that is missing is measured and written, one by one.

What is on record stands, so a second call adds nothing and a killed one goes on where it was. Knows the order of work
and what was left out for which reason; knows nothing about how a score is made.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, NamedTuple

from experiments.scoring.rest import generation, hard_negatives, near_misses, places
from experiments.scoring.rest.sealed import PROTOCOL, Measure, Sealed, Unmeasured
from experiments.scoring.seal import is_tested
from experiments.workplace import Workplace
from store.address import parse
from store.failures import room_told
from store.records import Description, Score


class Part(NamedTuple):
    """The names of the scores that one measure gives, and the measure."""

    names: tuple[str, ...]
    measure: Measure


PARTS = (
    Part(hard_negatives.NAMES, hard_negatives.hard_negatives),
    Part(generation.NAMES, generation.generation),
    Part(places.NAMES, places.places),
    Part(near_misses.NAMES, near_misses.near_misses),
)
REST = tuple(name for part in PARTS for name in part.names)
"""Names of all scores of the rest of the protocol, in order."""
NO_SHARE = "too little beside the concept could be changed, or nothing in it moved the component"


@dataclass(frozen=True)
class Rest:
    """`scores` are all that stand now, by component, `new` the names of those that this call wrote; `skipped` counts
    scores that could not be measured, by reason."""

    run: str
    scores: dict[str, dict[str, Score]]
    new: dict[str, tuple[str, ...]]
    skipped: dict[str, int]

    def as_json(self) -> dict[str, Any]:
        scored = [
            {
                "component": component,
                "scores": {name: score.model_dump(mode="json") for name, score in scores.items()},
                "new": list(self.new.get(component, ())),
            }
            for component, scores in self.scores.items()
        ]
        return {"run": self.run, "protocol": PROTOCOL, "scored": scored, "skipped": self.skipped}


def score_rest(workplace: Workplace, run: str) -> Rest:
    """Writes what the rest of the protocol says of every tested component of the run, as far as it can be measured."""
    store = workplace.store
    every = store.queries.descriptions(run, test=True)
    skipped: Counter[str] = Counter()
    ready: list[Description] = []
    for one in every:
        if one.status in ("abstained", "failed"):
            skipped["nothing was said of the component"] += len(REST)
        elif not is_tested(store, run, one.component):
            skipped["the sealed test of the component is not done"] += len(REST)
        else:
            ready.append(one)
    new: dict[str, tuple[str, ...]] = {}
    with room_told(store.where):
        sealed = _sealed(workplace, every, ready)
        for done, one in enumerate(ready):
            workplace.progress("rest of the protocol", done, len(ready))
            new[one.component] = _scored(sealed, run, one, skipped)
    standing = {one.component: one.scores for one in store.queries.descriptions(run, test=True)}
    scores = {one.component: _of_rest(standing[one.component]) for one in ready}
    return Rest(run, scores, {name: names for name, names in new.items() if names}, dict(skipped))


def _sealed(workplace: Workplace, every: list[Description], ready: list[Description]) -> Sealed:
    """With the test values of all components measured ahead, in one pass or from where the run has left them."""
    test = workplace.world.test
    addresses = sorted(parse(one.component) for one in every)
    stimuli = [test.asked(number) for number in range(len(test))]
    if ready:
        workplace.activations.prepare("activations on test", addresses, stimuli, workplace.progress)
    return Sealed(workplace, tuple(ready))


def _scored(sealed: Sealed, run: str, frozen: Description, skipped: Counter[str]) -> tuple[str, ...]:
    """Names of what was written; each is acknowledged before the next measure begins."""
    written: list[str] = []
    for part in PARTS:
        missing = [name for name in part.names if name not in frozen.scores]
        if not missing:
            continue
        try:
            found = part.measure(sealed, frozen)
        except Unmeasured as reason:
            skipped[reason.message] += len(missing)
            continue
        for name in missing:
            if name in found:
                sealed.workplace.store.recorder.score(run, frozen.component, name, found[name])
                written.append(name)
            else:
                skipped[NO_SHARE] += 1
    return tuple(written)


def _of_rest(scores: dict[str, Score]) -> dict[str, Score]:
    return {name: scores[name] for name in REST if name in scores}
