"""What an answer of a language model must have before it is believed: receipts, a control, and a test that could fail.

Knows a thread's record and a text, as check.py does for conclusions; knows nothing about what was asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agent import receipts
from agent.check import by_number, refusal
from agent.decision import Reply
from agent.receipts import broken_references, citations, foreign_numbers, uncited
from agent.thread import ThreadView, quantities
from agent.verdicts import controlled, unfounded
from store.records import AnswerRow, Experiment


def check_reply(view: ThreadView, reply: Reply) -> Reply:
    """The answer with its numbers filled in. Raises PlannerError with everything that has to change."""
    have = by_number(view)
    problems = [
        *(
            f'"{one[:80]}" cites no experiment: add one as `[eN]`, or leave it out'
            for one in uncited(reply.text)
        ),
        *broken_references(reply.text, have),
        *(
            f"`{mark}` is not a number of the experiments cited beside it: write `{{eN.effect}}`"
            for mark in foreign_numbers(reply.text, have, _names(view))
        ),
        *(problem for verdict in reply.verdicts for problem in unfounded(view, verdict)),
        *_unsupported(view, reply, [have[number] for number in citations(reply.text) if number in have]),
        *_unmeasured(view, (*reply.components, *(row.component for row in reply.rows))),
    ]
    if problems:
        raise refusal("the answer was refused", problems)
    return reply.model_copy(update={"text": receipts.fill(reply.text, have)})


def _unsupported(view: ThreadView, reply: Reply, cited: Sequence[Experiment]) -> Iterator[str]:
    """An answer leans on a control, and a yes or a no on a verdict that could have been the other."""
    if all(one.control is None for experiment in cited for one in quantities(experiment).values()):
        yield "no experiment that the answer cites had a control: run one, or abstain"
    given = [verdict for stated in view.stated for verdict in stated.verdicts] + list(reply.verdicts)
    decided = [one for one in given if one.outcome != "inconclusive" and controlled(view, one)]
    if reply.verdict and not decided:
        yield (
            f"nothing decides the `{reply.verdict}`: propose a hypothesis, test it with an experiment that has a "
            "control, and give its verdict; or answer with `open`"
        )


def _unmeasured(view: ThreadView, components: Sequence[str]) -> Iterator[str]:
    """Components that no experiment of the thread has named."""
    told = " ".join(f"{one.arguments} {one.result}" for one in view.experiments)
    for component in dict.fromkeys(components):
        if component not in told:
            yield f"`{component}` was measured by no experiment of this thread: leave it out, or measure it"


def _names(view: ThreadView) -> list[str]:
    """Phrases whose words are names, not measurements."""
    concepts = [stated.hypothesis.concept for stated in view.stated]
    return concepts + [str(one.arguments.get("concept") or "") for one in view.experiments]


def row_of(component: str, name: str, experiment: Experiment) -> AnswerRow:
    """A line of the table from one quantity of an experiment. Raises KeyError for one that it does not have."""
    found = quantities(experiment)[name]
    return AnswerRow(
        component=component,
        value=found.value,
        unit=found.unit,
        ci=found.ci,
        n=found.n,
        control=found.control,
        control_ci=found.control_ci,
        evidence=(experiment.number,),
        measure=name.removesuffix(f" {component}"),
    )
