"""Plans that are one: those that read the same of the same stimuli run as one plan, row below row.

What is known of the stimuli is then found once, and rows fill the model's passes together. Knows plans; knows nothing
about how one is run.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence

from tools.engine.plan import Outcome, Plan, Swap


def carried_out(plans: Sequence[Plan], run: Callable[[Plan], Outcome]) -> list[Outcome | Exception]:
    """What comes of each of the plans. Where plans fail together each runs alone, and none fails for another."""
    found: dict[int, Outcome | Exception] = {}
    for numbers in alike(plans):
        mine = [plans[number] for number in numbers]
        try:
            found |= zip(numbers, parted(run(merged(mine)), mine), strict=True)
            continue
        except Exception as error:
            if len(mine) == 1:
                found[numbers[0]] = error
                continue
        # outside, since an error holds on to everything that the failed run had made
        found |= zip(numbers, (carried_out([plan], run)[0] for plan in mine), strict=True)
    return [found[number] for number in range(len(plans))]


def alike(plans: Sequence[Plan]) -> list[list[int]]:
    """The plans' numbers, those together that can be one, in the order in which they came."""
    found: dict[Hashable, list[int]] = {}
    for number, plan in enumerate(plans):
        key = (frozenset(plan.reads), *(stimulus.sha256 for stimulus in plan.stimuli))
        found.setdefault(key, []).append(number)
    return list(found.values())


def merged(plans: Sequence[Plan]) -> Plan:
    """Alike plans as one."""
    first = plans[0]
    return Plan(first.stimuli, [row for plan in plans for row in plan.rows], first.reads)


def parted(outcome: Outcome, plans: Sequence[Plan]) -> Iterator[Outcome]:
    """What came of each of the plans that were merged, with the rows that it would have taken alone."""
    end = 0
    for plan in plans:
        start, end = end, end + len(plan.rows)
        yield Outcome(
            outcome.logits[start:end],
            {site: found[start:end] for site, found in outcome.reads.items()},
            outcome.batch.rows(range(start, end)),
            len(plan.rows) + len(_sources(plan)),
        )


def _sources(plan: Plan) -> set[int]:
    """The stimuli from whose untouched runs swaps take."""
    values = (what.value for row in plan.rows for what in row.interventions)
    return {value.stimulus for value in values if isinstance(value, Swap)}
