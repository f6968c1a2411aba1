"""All that a report needs of one run, read once from the store.

Knows the store's questions, and that a report, unlike a planner, may see the sealed test. Knows nothing about pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from store.address import TOWERS, parse
from store.costs import Spent, spent
from store.database import Store
from store.errors import UserError
from store.records import Claim, Described, Description, Experiment, Reading, Score
from store.views import Found, Proposed, Run, Step

CITATION = re.compile(r"\[\s*(e\d+(?:\s*,\s*e\d+)*)\s*\]")
PENDING = "pending"
STATUSES = ("verified", "unverified", "abstained", "failed", PENDING)
"""What can have become of a component, best first; `pending` was begun or planned, and has no description yet."""
PRIMARY = "pearson"


class Named(NamedTuple):
    """A score under its name."""

    name: str
    score: Score


@dataclass(frozen=True)
class Thread:
    """One component's whole record, or that of calls that belong to no component (`question`, `direct`)."""

    address: str
    status: str
    reason: str
    description: Description | None
    scores: tuple[Named, ...]
    proposed: tuple[Proposed, ...]
    experiments: tuple[Experiment, ...]
    steps: tuple[Step, ...]
    borrowed: tuple[Experiment, ...] = ()
    """Cited here, measured elsewhere."""

    @property
    def label(self) -> str:
        return self.description.label if self.description else ""

    @property
    def reading(self) -> Reading | None:
        """The side that was described; None where nothing was."""
        return self.description.reading if self.description and self.description.label else None

    @property
    def claims(self) -> Mapping[str, Claim | None]:
        return self.description.claims if self.description else {}

    @property
    def shown(self) -> tuple[Experiment, ...]:
        return self.experiments + self.borrowed

    @cached_property
    def numbers(self) -> frozenset[int]:
        """Every experiment that has a card on this component's page."""
        return frozenset(experiment.number for experiment in self.shown)

    @cached_property
    def test(self) -> Score | None:
        """The primary score on the sealed test."""
        return next(
            (score for name, score in self.scores if name == PRIMARY and score.split == "test"),
            None,
        )

    @property
    def warnings(self) -> Iterator[tuple[int, str]]:
        """Each warning with the experiment that gave it."""
        for experiment in self.experiments:
            for warning in experiment.result.get("warnings") or ():
                yield experiment.number, str(warning)

    @property
    def lost(self) -> frozenset[int]:
        """Cited numbers that the store does not hold."""
        return cited(self.description, self.proposed) - self.numbers


@dataclass(frozen=True)
class RunRecord:
    """A run with its components in order, then its other threads, and the answers that it gave.

    `cited` holds for each answer, by number, the experiments it leans on; `leaned` the descriptions, as tested; `spent`
    is what language models have cost the run.
    """

    run: Run
    components: tuple[Thread, ...]
    others: tuple[Thread, ...]
    findings: tuple[Found, ...] = ()
    cited: Mapping[int, tuple[Experiment, ...]] = field(default_factory=dict)
    leaned: Mapping[int, tuple[tuple[Described, Description], ...]] = field(default_factory=dict)
    spent: Spent = field(default_factory=Spent)

    @property
    def threads(self) -> tuple[Thread, ...]:
        return self.components + self.others


def read_run(store: Store, run: str) -> RunRecord:
    """Raises UserError for a run that the store does not know."""
    queries = store.queries
    known = queries.run(run)
    measured: dict[str, list[Experiment]] = {}
    for experiment in queries.experiments(run, test=True):
        measured.setdefault(experiment.thread, []).append(experiment)
    standing = {component.address: component for component in queries.components(run)}

    def thread(address: str, status: str = "", reason: str = "") -> Thread:
        return _thread(store, run, address, status, reason, tuple(measured.get(address, ())))

    components = (standing[address] for address in sorted(standing, key=_place))
    findings = tuple(queries.findings(run))
    return RunRecord(
        known,
        tuple(thread(one.address, one.status or PENDING, one.reason) for one in components),
        tuple(thread(address) for address in sorted(set(measured) - set(standing))),
        findings,
        {one.number: _experiments(store, one.finding.evidence) for one in findings},
        {one.number: _descriptions(store, one.finding.described) for one in findings},
        spent(queries.payments(run)),
    )


def read_thread(store: Store, run: str, address: str) -> Thread:
    """One component of a run. Raises UserError for a run that the store does not know."""
    known = store.queries.run(run).id
    standing = {one.address: one for one in store.queries.components(known)}
    status, reason = (
        (standing[address].status or PENDING, standing[address].reason) if address in standing else ("", "")
    )
    return _thread(
        store, known, address, status, reason, tuple(store.queries.experiments(known, address, test=True))
    )


def cited(description: Description | None, proposed: tuple[Proposed, ...]) -> frozenset[int]:
    """Numbers of all experiments that words, facets, claims or verdicts lean on."""
    found = {number for one in proposed for verdict in one.verdicts for number in verdict.experiments}
    if description is not None:
        found |= set(description.evidence) | set(cited_in(description.text + description.reason))
        found |= {number for facet in description.facets for number in facet.evidence}
        found |= {number for claim in description.claims.values() if claim for number in claim.evidence}
    return frozenset(found)


def cited_in(text: str) -> list[int]:
    """The experiments that a text cites, as `[e12]` or `[e12, e14]`."""
    return [int(word) for found in CITATION.finditer(text) for word in re.findall(r"\d+", found[1])]


def _place(address: str) -> tuple[int, tuple[object, ...]]:
    """In the order in which a picture passes through the model; what is no address comes last."""
    try:
        parsed = parse(address)
    except UserError:
        return 1, (address,)
    return 0, (TOWERS.index(parsed.tower), parsed.layer, parsed.part, parsed.index or 0, address)


def _thread(
    store: Store, run: str, address: str, status: str, reason: str, experiments: tuple[Experiment, ...]
) -> Thread:
    queries = store.queries
    description = queries.description(run, address, test=True)
    proposed = tuple(queries.hypotheses(run, address))
    missing = cited(description, proposed) - {experiment.number for experiment in experiments}
    borrowed = (_elsewhere(store, number) for number in sorted(missing))
    return Thread(
        address=address,
        status=status,
        reason=reason or (description.reason if description else ""),
        description=description,
        scores=tuple(Named(*scored) for scored in queries.scores(run, address, test=True)),
        proposed=proposed,
        experiments=experiments,
        steps=tuple(queries.steps(run, address)),
        borrowed=tuple(experiment for experiment in borrowed if experiment is not None),
    )


def _experiments(store: Store, numbers: Iterable[int]) -> tuple[Experiment, ...]:
    found = (_elsewhere(store, number) for number in numbers)
    return tuple(one for one in found if one is not None)


def _descriptions(store: Store, places: Iterable[Described]) -> tuple[tuple[Described, Description], ...]:
    """As tested, where the store still has them."""
    found = ((place, store.queries.description(place.run, place.component, test=True)) for place in places)
    return tuple((place, one) for place, one in found if one is not None)


def _elsewhere(store: Store, number: int) -> Experiment | None:
    """An experiment of another component or run; None where the store has lost it."""
    try:
        return store.queries.experiment(number, test=True)
    except UserError:
        return None
