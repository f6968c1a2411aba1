"""Questions answered with a component, without it, without random ones of its site, and without the whole site.

A component may be silenced together with others: a group beside random groups of its size. What belongs to the site is
measured once for all its components. Knows rows and margins; knows nothing about what follows from them. Not a tool.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from store.address import Address
from tools.methods.answers import Asked, Margins, Mode, margins, run, silenced, whole

if TYPE_CHECKING:
    from tools.context import ToolContext
    from tools.engine.plan import Intervention

Group = tuple[Address, ...]


class Compared(NamedTuple):
    """Margins on the same questions: untouched, without the group, without a control, without the site."""

    plain: Margins
    without: Margins
    control: Margins
    site: Margins


def compare(
    context: ToolContext, group: Group, controls: Sequence[Group], questions: Asked, mode: Mode
) -> Compared:
    """Only the group's own rows are new. Every question has one of the controls, so that they cost one row each."""
    n = len(questions.stimuli)
    site = group[0].site
    turns = [controls[number % len(controls)] for number in range(n)]
    drawn = " ".join("+".join(str(one.index) for one in control) for control in controls)
    with context.shared():
        plain = _kept(context, questions, "plain", [()] * n)
        control = _kept(context, questions, f"{site} {drawn} {mode}", _rows(context, questions, turns, mode))
        all_of_it = _kept(context, questions, f"{site} {mode}", [whole(context, group[0], mode)] * n)
    without = margins(
        run(context, questions.stimuli, _rows(context, questions, [group] * n, mode)), questions
    )
    return Compared(plain, without, control, all_of_it)


def _kept(
    context: ToolContext, questions: Asked, name: str, rows: Sequence[tuple[Intervention, ...]]
) -> Margins:
    key = f"{name} | {questions.kind} {len(questions.stimuli)}"
    if key not in context.memory.margins:
        context.memory.margins[key] = margins(run(context, questions.stimuli, rows), questions)
    return context.memory.margins[key]


def _rows(
    context: ToolContext, questions: Asked, groups: Sequence[Group], mode: Mode
) -> list[tuple[Intervention, ...]]:
    """What is done to each question: the group of its own silenced; donors are other questions of the kind."""
    n = len(questions.stimuli)
    donors = context.random("donors", questions.kind).permutation(n).tolist()
    return [
        tuple(
            done
            for address in group
            for done in silenced(context, address, mode, donor if donor != number else (number + 1) % n)
        )
        for number, (group, donor) in enumerate(zip(groups, donors, strict=True))
    ]
