"""What a conclusion must have before it is believed to be finished.

The first two rules in code: no claim without a receipt, and a hypothesis must be able to lose. Knows nothing about
models, pictures or planners: a thread's record and a text go in, and the reasons to refuse come out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from agent import receipts
from agent.decision import Abstention, Conclusion
from agent.receipts import broken_references, foreign_numbers, measured, uncited, unknown_numbers
from agent.thread import ThreadView, quantities
from agent.verdicts import controlled, unfounded
from store.errors import PlannerError, UserError
from store.records import AGAINST, CLAIMS, Claim, Experiment, Verdict
from tools.scoring.agreement import agreement, beyond
from tools.scoring.concept import phrases
from tools.scoring.normal import canonical
from tools.scoring.plain import describe
from tools.scoring.tree import Phrase

SHOWN = 5
"""Reasons told at once: more would not be read."""
MEASURED = {
    "reads": ("reads_", "attention", "class of tokens"),
    "writes": ("writes_", "vocabulary_effect", "kind of question"),
    "when_cut": ("drop_", "ablate", "kind of question"),
}
"""For each claim about a head: how the quantities that show it begin, the tool that measures them, what it is about."""


def check_conclusion(view: ThreadView, conclusion: Conclusion) -> Conclusion:
    """The conclusion with its numbers filled in. Raises PlannerError with everything that has to change."""
    have = by_number(view)
    problems = [
        *_text_problems(have, conclusion.text, _names(view, conclusion)),
        *_label_problems(conclusion),
        *_concept_problems(view, conclusion),
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
    """A name says what will be judged, and nothing else. Weights of a concept are no measurements."""
    for name, words in (("label", (conclusion.label,)), ("concept", _phrases(conclusion.concept))):
        for phrase in filter(measured, words):
            yield f'the {name} "{_short(phrase)}" holds a measurement: put it into the text, with its receipt'
    named = [("label", conclusion.label), *(("facet", facet.phrase) for facet in conclusion.facets)]
    for what, phrase in dict.fromkeys(named):
        if more := _beyond(phrase, conclusion.concept):
            told = ", ".join(f'"{_short(word)}"' for word in more[:SHOWN])
            yield f"the {what} says {told}, which the concept does not: say it in the concept's own words"


def _beyond(words: str, concept: str) -> tuple[str, ...]:
    """Words that a concept does not have; none of one that can't be read."""
    try:
        return beyond(words, concept)
    except UserError:
        return ()


def _concept_problems(view: ThreadView, conclusion: Conclusion) -> Iterator[str]:
    """The text must say the concept, and nothing beside it. One that can't be read is refused with what it lacks by
    whoever knows the judge."""
    try:
        found = agreement(conclusion.text, conclusion.concept, _met(view))
    except UserError:
        return
    for phrase in found.missing:
        yield (
            f'the text never names "{_short(phrase)}", which is in the concept: say it in these words, or leave it out '
            "of the concept"
        )
    for phrase in found.turned:
        yield (
            f'the text speaks for "{_short(phrase)}" where the concept rules it out, or the other way round: say it as '
            "the concept does, with a word like `without` before what is ruled out"
        )
    for phrase in found.extra:
        yield (
            f'the text says that it responds to "{_short(phrase)}", which the concept lacks: add it to the concept, or '
            "leave it out of the text"
        )


def _met(view: ThreadView) -> list[str]:
    """Phrases that this thread has dealt with: what a text might claim beside its concept."""
    concepts = [stated.hypothesis.concept for stated in view.stated]
    concepts += [str(experiment.arguments.get("concept") or "") for experiment in view.experiments]
    return [phrase for concept in dict.fromkeys(concepts) if concept for phrase in _phrases(concept)]


def _phrases(concept: str) -> tuple[str, ...]:
    """The phrases of a concept; one that can't be read is taken as one."""
    try:
        return phrases(concept)
    except UserError:
        return (concept,)


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
        elif name in MEASURED:
            yield from _about_problems(name, claim, cited)


def _about_problems(name: str, claim: Claim, cited: Sequence[Experiment]) -> Iterator[str]:
    """A head's claim is about something that its evidence measured."""
    if not claim.about and claim.verdict != "yes":
        return
    prefix, tool, what = MEASURED[name]
    numbers = [number for one in cited for number in quantities(one) if number.startswith(prefix)]
    allowed = [number.removeprefix(prefix) for number in dict.fromkeys(numbers)]
    if not allowed:
        yield f"the claim `{name}` needs an experiment that measured it as evidence: `{tool}` of a head"
    elif (claim.about.removeprefix(AGAINST) if name == "writes" else claim.about) not in allowed:
        listed = ", ".join(f"`{one}`" for one in allowed)
        either = f", or `{AGAINST}KIND`" if name == "writes" else ""
        told = f"is about `{claim.about}`" if claim.about else f"does not say which {what} it is about"
        yield f"the claim `{name}` {told}; its evidence measured: {listed}. Write `about` as one of them{either}"


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
    same = {stated.number for stated in view.stated if _same(stated.hypothesis.concept, conclusion.concept)}
    about = [verdict.outcome for verdict in given if verdict.hypothesis in same]
    if "contradicts" in about and "supports" not in about:
        yield (
            f'"{_short(conclusion.concept)}" was contradicted and never supported: conclude something else, or abstain'
        )


def _names(view: ThreadView, conclusion: Conclusion) -> list[str]:
    """Phrases whose words are names, not measurements, as they are written and as English tells them."""
    concepts = [stated.hypothesis.concept for stated in view.stated]
    own = [conclusion.concept, *(facet.phrase for facet in conclusion.facets)]
    told = [describe(Phrase(words)) for concept in own for words in _phrases(concept)]
    return [conclusion.label, *own, *told, *concepts]


def _numberless(mark: str) -> str:
    return (
        f"`{mark}` is not a number of the experiments cited beside it: write `{{eN.effect}}` with the experiment and "
        "quantity that it comes from"
    )


def _same(one: str, other: str) -> bool:
    """Whether two concepts say the same."""
    try:
        return canonical(one) == canonical(other)
    except UserError:
        return one.strip().lower() == other.strip().lower() != ""


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}…"
