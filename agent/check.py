"""What a conclusion must have before it is believed to be finished.

The first two rules in code: no claim without a receipt, and a hypothesis must be able to lose. Knows nothing about
models, pictures or planners: a thread's record and a text go in, and the reasons to refuse come out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from agent import receipts
from agent.decision import Abstention, Conclusion
from agent.receipts import broken_references, foreign_numbers, measured, uncited, unknown_numbers
from agent.thread import ThreadView
from agent.verdicts import controlled, unfounded
from store.errors import PlannerError
from store.records import CLAIMS, Claim, Experiment, Verdict

SHOWN = 5
"""Reasons told at once: more would not be read."""


def check_conclusion(view: ThreadView, conclusion: Conclusion) -> Conclusion:
    """The conclusion with its numbers filled in. Raises PlannerError with everything that has to change."""
    have = by_number(view)
    problems = [
        *_text_problems(have, conclusion.text, _names(view, conclusion)),
        *_label_problems(conclusion),
        *_facet_problems(have, conclusion),
        *_claim_problems(have, conclusion.claims),
        *(problem for verdict in conclusion.verdicts for problem in unfounded(view, verdict)),
        *_support_problems(view, conclusion),
    ]
    if problems:
        raise refusal("the conclusion was refused", problems)
    return conclusion.model_copy(update={"text": receipts.fill(conclusion.text, have)})


def check_abstention(view: ThreadView, abstention: Abstention) -> Abstention:
    """The abstention with its numbers filled in. Its reason needs no citation, but numbers must be this thread's."""
    have = by_number(view)
    problems = [
        *broken_references(abstention.reason, have),
        *(
            f"`{mark}` is not a number of this thread's experiments: leave it out, or write `{{eN.effect}}`"
            for mark in unknown_numbers(abstention.reason, have.values())
        ),
    ]
    if problems:
        raise refusal("the abstention was refused", problems)
    return abstention.model_copy(update={"reason": receipts.fill(abstention.reason, have)})


def check_verdict(view: ThreadView, verdict: Verdict) -> None:
    """Raises PlannerError when the verdict can't be given."""
    if problems := list(unfounded(view, verdict)):
        raise refusal(f"the verdict on h{verdict.hypothesis} was not recorded", problems)


def by_number(view: ThreadView) -> dict[int, Experiment]:
    return {experiment.number: experiment for experiment in view.experiments}


def refusal(what: str, problems: list[str]) -> PlannerError:
    """One error that tells all of it, up to a readable length."""
    shown = "; ".join(problems[:SHOWN])
    more = f"; and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
    return PlannerError(f"{what}: {shown}{more}", kind="check", hint=problems[0])


def _text_problems(have: Mapping[int, Experiment], text: str, names: list[str]) -> Iterator[str]:
    for sentence in uncited(text):
        yield f'"{_short(sentence)}" cites no experiment: add one as `[eN]`, or leave the sentence out'
    yield from broken_references(text, have)
    for mark in foreign_numbers(text, have, names):
        yield _numberless(mark)


def _label_problems(conclusion: Conclusion) -> Iterator[str]:
    for name, phrase in (("label", conclusion.label), ("concept", conclusion.concept)):
        if measured(phrase):
            yield f'the {name} "{_short(phrase)}" holds a measurement: put it into the text, with its receipt'


def _facet_problems(have: Mapping[int, Experiment], conclusion: Conclusion) -> Iterator[str]:
    for facet in conclusion.facets:
        missing = [number for number in facet.evidence if number not in have]
        if missing or not facet.evidence:
            yield f'the facet "{_short(facet.phrase)}" needs experiments of this thread as evidence'


def _claim_problems(have: Mapping[int, Experiment], claims: Mapping[str, Claim | None]) -> Iterator[str]:
    for name, claim in claims.items():
        if name not in CLAIMS:
            yield f"`{name}` is not a claim; claims are {', '.join(CLAIMS)}"
        if claim is None or (claim.verdict == "undetermined" and not claim.evidence):
            continue
        cited = [have[number] for number in claim.evidence if number in have]
        if not cited or len(cited) < len(claim.evidence):
            yield f"the claim `{name}` needs experiments of this thread as evidence"
        elif claim.effect is not None and not receipts.holds(claim.effect, cited):
            yield f"the claim `{name}` has an effect `{receipts.rounded(claim.effect)}` that its evidence does not hold"


def _support_problems(view: ThreadView, conclusion: Conclusion) -> Iterator[str]:
    """A hypothesis must have been able to lose, and must have won."""
    given = [verdict for stated in view.stated for verdict in stated.verdicts] + list(conclusion.verdicts)
    supporting = [verdict for verdict in given if verdict.outcome == "supports"]
    if not supporting:
        yield (
            "no verdict supports anything: propose a hypothesis, test it with an experiment that has a control, give "
            "its verdict, and conclude then; or abstain"
        )
    elif not any(controlled(view, verdict) for verdict in supporting):
        yield "no supporting verdict rests on an experiment with a control: run one, or abstain"
    same = {
        stated.number for stated in view.stated if _same_words(stated.hypothesis.concept, conclusion.concept)
    }
    about = [verdict.outcome for verdict in given if verdict.hypothesis in same]
    if "contradicts" in about and "supports" not in about:
        yield (
            f'"{_short(conclusion.concept)}" was contradicted and never supported: conclude something else, or abstain'
        )


def _names(view: ThreadView, conclusion: Conclusion) -> list[str]:
    """Phrases whose words are names, not measurements."""
    concepts = [stated.hypothesis.concept for stated in view.stated]
    return [conclusion.label, conclusion.concept, *(facet.phrase for facet in conclusion.facets), *concepts]


def _numberless(mark: str) -> str:
    return (
        f"`{mark}` is not a number of the experiments cited beside it: write `{{eN.effect}}` with the experiment and "
        "quantity that it comes from"
    )


def _same_words(one: str, other: str) -> bool:
    return one.strip().lower() == other.strip().lower() != ""


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}…"
