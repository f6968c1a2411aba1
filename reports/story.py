"""A thread as a story: what the planner thought, asked, saw and measured, turn by turn, and how it judged.

Knows turns (transcript.py), experiments and verdicts; says numbers as they were recorded, with interval, n and control.
Knows nothing about pages: whoever shows the story may lay pictures beside it, which are named by their hashes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reports import exhibits, numbers, words
from reports.folding import HEADLINES
from reports.record import Thread
from reports.transcript import CallMade, TurnTaken, transcript
from store.records import Experiment, Quantity
from store.views import Proposed

MOST = 2
"""Numbers of one experiment that are told where none of them says alone what was found; its card has them all."""
LOOK = "look"
PICTURES = 8
"""Pictures of a look that are told."""
FEW = 4
"""Pictures of any other experiment that are shown beside its turn; its card has them all."""
SIZES = ("n", "k")
"""Arguments that a result tells by itself."""
SAID_BY_NAME = ("correlation", "AUROC", "average precision")
"""Units that the name of a quantity says already."""


@dataclass(frozen=True)
class Seen:
    """A picture that a turn brought: its hash, and what it is."""

    image: str
    told: str


@dataclass(frozen=True)
class Line:
    """One thing that happened: `kind` is thought, hypothesis, call, number, picture, verdict, refusal, end or cost."""

    kind: str
    told: str
    pictures: tuple[Seen, ...] = ()
    experiment: int | None = None


@dataclass(frozen=True)
class Chapter:
    """One turn."""

    turn: TurnTaken
    lines: tuple[Line, ...]


def story(thread: Thread) -> list[Chapter]:
    """The thread's turns in order, each with what came of it."""
    made = {one.number: one for one in thread.shown}
    stated = {one.number: one for one in thread.proposed}
    effects = weighed(thread)
    first, chapters = 1, []
    for turn in transcript(thread.steps, thread.experiments):
        chapters.append(Chapter(turn, tuple(_lines(turn, made, stated, first, thread.address, effects))))
        first += len(turn.proposed)
    return chapters


@dataclass(frozen=True)
class Brought:
    """What one experiment brought to the story: numbers in words, and pictures, all that a planner asked to see
    (`asked`) or a few of the first kind."""

    numbers: str
    pictures: tuple[Seen, ...]
    asked: bool = False


def brought(thread: Thread) -> dict[int, Brought]:
    """By experiment."""
    return {one.number: Brought(told(one), _few(one), asked=one.tool == LOOK) for one in thread.shown}


def given(call: CallMade, address: str) -> str:
    """What a call asked for, in words; of a look why it was taken, since its pictures stand beside it."""
    beside = {name: _brief(value) for name, value in call.beside(address).items() if name not in SIZES}
    if call.tool == LOOK:
        return f"“{beside['why']}”" if beside.get("why") else ""
    return ", ".join(f"{name} {value}" for name, value in beside.items())


def weighed(thread: Thread) -> dict[tuple[int, tuple[int, ...]], str]:
    """The effect that each verdict stands on, by hypothesis and experiments."""
    return {
        (one.number, verdict.experiments): numbers.estimate(verdict.effect, verdict.ci)
        for one in thread.proposed
        for verdict in one.verdicts
    }


def _lines(
    turn: TurnTaken,
    made: Mapping[int, Experiment],
    stated: Mapping[int, Proposed],
    first: int,
    address: str,
    effects: Mapping[tuple[int, tuple[int, ...]], str],
) -> Iterator[Line]:
    if turn.pressed:
        yield Line("end", f"has to finish: {turn.pressed}")
    if turn.thought:
        yield Line("thought", turn.thought)
    for judged in turn.judged:
        outcome = words.OUTCOME[judged.outcome].word if judged.outcome in words.OUTCOME else judged.outcome
        by = ", ".join(f"e{number}" for number in judged.experiments)
        effect = effects.get((judged.hypothesis, judged.experiments))
        yield Line("verdict", f"h{judged.hypothesis} {outcome} by {by}" + (f": {effect}" if effect else ""))
    for number, statement in enumerate(turn.proposed, start=first):
        refuter = stated[number].hypothesis.refuter if number in stated else ""
        yield Line("hypothesis", f"h{number}: {statement}" + (f" Refuted by: {refuter}." if refuter else ""))
    for call in turn.calls:
        yield from _called(call, made, address)
    if turn.said:
        yield Line("end", f"{words.did(turn)}: {turn.said}")
    for refusal in turn.refusals:
        yield Line("refusal", refusal)
    if turn.cost:
        yield Line("cost", turn.cost)


def _called(call: CallMade, made: Mapping[int, Experiment], address: str) -> Iterator[Line]:
    """A call, then what it measured and showed, or why it did not."""
    yield Line(
        "call", f"{call.tool}({given(call, address)})" + (f" → e{call.experiment}" if call.experiment else "")
    )
    experiment = made.get(call.experiment or 0)
    if experiment is None:
        if call.refusal:
            yield Line("refusal", call.refusal)
        return
    if measured := told(experiment) or ("" if call.tool == LOOK else experiment.result.get("summary")):
        yield Line("number", str(measured), experiment=experiment.number)
    if pictures := tuple(_pictures(experiment))[:PICTURES]:
        kinds = ", ".join(dict.fromkeys(one.told for one in pictures))
        shown = f"{numbers.counted(len(pictures), 'picture')}: {kinds}"
        yield Line("picture", shown, pictures, experiment.number)


def told(experiment: Experiment) -> str:
    """The number that says alone what was found, or the first of those that there are."""
    held = experiment.result.get("quantities") or {}
    found = {name: Quantity.model_validate(one) for name, one in held.items()}
    name = next((name for name in HEADLINES if name in found), None)
    chosen = [name] if name else sorted(found, key=lambda one: found[one].control is None)[:MOST]
    return "; ".join(_measured(name, found[name]) for name in chosen)


def _measured(name: str, one: Quantity) -> str:
    unit = f" {one.unit}" if one.unit and one.unit not in SAID_BY_NAME else ""
    beside = [words.sample(one)] if one.n is not None else []
    beside += [f"control {numbers.number(one.control)}"] if one.control is not None else []
    more = f" ({', '.join(beside)})" if beside else ""
    return f"{words.quantity(name)} {numbers.estimate(one.value, one.ci)}{unit}{more}"


def _few(experiment: Experiment) -> tuple[Seen, ...]:
    """All that were asked for; else the first few of the first kind."""
    found = tuple(_pictures(experiment))
    if experiment.tool == LOOK:
        return found[:PICTURES]
    return tuple(one for one in found if one.told == found[0].told)[:FEW]


def _pictures(experiment: Experiment) -> Iterator[Seen]:
    for tail, shown in exhibits.exemplars(experiment.result).items():
        name = words.TAIL.get(tail, words.phrase(tail)).lower()
        yield from (Seen(one.image, name) for one in shown if one.image)
    for pair in exhibits.pairs(experiment.result):
        for side, one in (("without", pair.before), ("with", pair.after)):
            if one.image:
                yield Seen(one.image, f"{side} {pair.concept}")


def _brief(told: object) -> str:
    if isinstance(told, Mapping):
        return " ".join(str(part) for part in told.values())
    if isinstance(told, Sequence) and not isinstance(told, str):
        return ", ".join(map(str, told))
    return str(told)


def as_text(chapters: Sequence[Chapter]) -> Iterator[str]:
    """The story as lines for a terminal."""
    for chapter in chapters:
        yield f"turn {chapter.turn.number + 1}: {words.did(chapter.turn)}"
        for line in chapter.lines:
            yield f"  {MARKS.get(line.kind, '')}{line.told}"


MARKS: Mapping[str, str] = {
    "thought": "“ ",
    "hypothesis": "? ",
    "call": "> ",
    "number": "= ",
    "picture": "# ",
    "verdict": "! ",
    "refusal": "× ",
    "end": ". ",
    "cost": "$ ",
}
"""What stands before a line in a terminal, by its kind."""
