"""A thread as the messages of a conversation, rebuilt from the record at every turn.

Knows the form that OpenAI-compatible endpoints read and which template goes where. What tools returned stands in it as
JSON in replies to tool calls, quoted and apart from what is said to the model; pictures that were asked for stand in
it by their hashes (sights.py). A thread that has grown too long keeps its last turns, and of the earlier ones what
counts (folding.py). Knows nothing about connections.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import prompts
from agent.decision import Abstention, Calls, Conclusion, Decision, Program, Reply
from agent.endpoint import weight
from agent.pictured import asked_for, named
from agent.programs.telling import PROGRAM, reply_of
from agent.sights import picture
from agent.thread import Decided, Goal, ThreadView, quantities
from store.plain import one_line, printable, unhidden
from store.records import Experiment, Model, Quantity, Verdict
from tools.tool import Tool

Message = dict[str, Any]
KINDS = {"head": "head", "mlp": "neuron"}
FINAL = {"conclusion": "conclude", "reply": "answer", "abstention": "abstain"}
"""The step that each kind of last decision is taken by."""
DIGITS = 4
"""Significant digits of numbers in replies: more would be copied for nothing."""


def messages(view: ThreadView, tools: Sequence[Tool] = (), room: int | None = None) -> list[Message]:
    """Everything that is said before the next decision, in about `room` tokens if it has to be.

    What does not fit goes in this order: pictures of earlier turns, then the oldest turns, of which hypotheses,
    verdicts and receipts stay as they are.
    """
    opening, last = _opening(view, tools), {"role": "user", "content": _now(view)}
    turns = [list(_exchange(view, turn)) for turn in view.decided]
    whole = _joined([*opening, *_flat(turns), last])
    if room is None or weight(whole) <= room:
        return whole
    turns = [[one for one in turn if not _pictured(one)] for turn in turns[:-1]] + turns[-1:]
    for folded in range(len(turns) + 1):
        begin = opening if not folded else [*opening[:-1], _folded(view, opening[-1], folded)]
        found = _joined([*begin, *_flat(turns[folded:]), last])
        if weight(found) <= room:
            return found
    return found


def _opening(view: ThreadView, tools: Sequence[Tool]) -> list[Message]:
    """Who the model is, what it can do, and which component it studies or what it is asked."""
    who, about = (
        ("investigator", _asked_of(view, view.goal)) if view.goal else ("experimenter", _studied(view))
    )
    digest = [{"name": tool.name, "about": tool.about, "takes": ", ".join(tool.takes)} for tool in tools]
    return [
        {"role": "system", "content": prompts.load(who).render(family=view.family, tools=digest)},
        {"role": "user", "content": about},
    ]


def _studied(view: ThreadView) -> str:
    kind = KINDS.get(view.component.part, "other")
    target = one_line(view.target)
    return prompts.load("component").render(component=str(view.component), target=target, kind=kind)


def _asked_of(view: ThreadView, goal: Goal) -> str:
    return prompts.load("question").render(
        question=printable(goal.question),
        target=one_line(view.target),
        parts=goal.parts,
        image=one_line(goal.image),
        asked=one_line(goal.asked),
    )


def _folded(view: ThreadView, about: Message, turns: int) -> Message:
    """The first message with what counts of the oldest turns."""
    until = view.decided[turns - 1].step
    before = [one for one in view.experiments if one.step <= until]
    told = prompts.load("earlier").render(
        turns=turns,
        experiments=[
            {"number": one.number, "call": _words_of(one.tool, one.arguments), "result": _json(_receipt(one))}
            for one in before
        ],
        hypotheses=[
            {
                "number": stated.number,
                "words": _words(stated.hypothesis),
                "verdicts": [_words(verdict) for verdict in stated.verdicts],
            }
            for stated in view.stated
        ],
        refused=sum(
            note.step <= until and note.kind != "program" and note.again is None for note in view.notes
        ),
    )
    return about | {"content": f"{about['content']}\n\n{told}"}


def _receipt(experiment: Experiment) -> dict[str, Any]:
    """A result without the names of its pictures."""
    return {name: told for name, told in shown(experiment).items() if name != "pictures"}


def _flat(turns: list[list[Message]]) -> list[Message]:
    return [message for turn in turns for message in turn]


def _pictured(message: Message) -> bool:
    return isinstance(message.get("content"), list)


def _joined(said: list[Message]) -> list[Message]:
    """Pictures and what is said after them as one message: some models' templates want turns to alternate."""
    found: list[Message] = []
    for message in said:
        if found and _pictured(found[-1]) and message["role"] == "user":
            found[-1] = found[-1] | {
                "content": [*found[-1]["content"], {"type": "text", "text": message["content"]}]
            }
        else:
            found.append(message)
    return found


def shown(experiment: Experiment) -> dict[str, Any]:
    """A result as a model reads it: the summary, the numbers, what to be careful about."""
    reply: dict[str, Any] = {
        "experiment": f"e{experiment.number}",
        "summary": experiment.result.get("summary", ""),
        "quantities": {name: _numbers(quantity) for name, quantity in quantities(experiment).items()},
    }
    if warnings := experiment.result.get("warnings"):
        reply["warnings"] = list(warnings)
    if pictures := named(experiment):
        reply["pictures"] = pictures
    return reply


def _exchange(view: ThreadView, turn: Decided) -> Iterator[Message]:
    """What was called at one step, and the reply to each call."""
    calls = list(_calls(view, turn))
    spoken: Message = {"role": "assistant", "content": turn.decision.thought or None}
    if calls:
        spoken["tool_calls"] = [
            {"id": mark, "type": "function", "function": {"name": name, "arguments": arguments}}
            for mark, name, arguments, _ in calls
        ]
    else:
        spoken["content"] = turn.decision.thought or "(no tool call)"
    yield spoken
    for mark, _, _, reply in calls:
        yield {"role": "tool", "tool_call_id": mark, "content": _json(reply)}
    if pictures := list(_looked(view, turn)):
        yield {"role": "user", "content": pictures}


def _looked(view: ThreadView, turn: Decided) -> Iterator[Message]:
    """The pictures that a turn asked to see, each after its words."""
    numbers = {one.number for one in view.experiments if one.step == turn.step}
    numbers |= {note.again for note in view.notes if note.step == turn.step and note.again is not None}
    for experiment in view.experiments:
        for sha, words in asked_for(experiment) if experiment.number in numbers else ():
            yield {
                "type": "text",
                "text": prompts.load("picture").render(number=experiment.number, words=one_line(words)),
            }
            yield picture(sha)


def _calls(view: ThreadView, turn: Decided) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Mark, name, arguments and reply of every call of a step."""
    decision, step = turn.decision, turn.step
    refused = {note.call: note.text for note in view.notes if note.step == step}
    again = {note.call: note.again for note in view.notes if note.step == step and note.again is not None}
    if isinstance(decision, Calls | Program):
        numbers = [stated.number for stated in view.stated if stated.step == step]
        for number, hypothesis in zip(numbers, decision.propose, strict=True):
            yield f"s{step}h{number}", "propose_hypothesis", _words(hypothesis), {"hypothesis": f"h{number}"}
    verdicts = decision.verdicts if isinstance(decision, Calls | Program | Conclusion | Reply) else ()
    for place, verdict in enumerate(verdicts):
        yield f"s{step}v{place}", "give_verdict", _asked(verdict), _judged(verdict)
    if isinstance(decision, Calls):
        for place, call in enumerate(decision.calls):
            arguments = call.unreadable or _json(call.arguments)
            why = refused.get(place) or refused.get(None) or "it was not run"
            if found := view.at(step, place):
                reply = shown(found)
            elif place in again:
                reply = shown(view.experiment(again[place])) | {"note": why}
            else:
                reply = {"refused": why}
            yield f"s{step}c{place}", call.tool, _safe(arguments), reply
    elif isinstance(decision, Program):
        yield f"s{step}p", PROGRAM, _json({"source": decision.source}), reply_of(view, step)
    elif isinstance(decision, Conclusion | Reply | Abstention):
        name = FINAL[decision.kind]
        yield f"s{step}end", name, _final(decision), {"refused": refused.get(None, "")}


def _now(view: ThreadView) -> str:
    """The last message: what went wrong apart from single calls, what is left, whether to finish."""
    left = view.left
    return prompts.load("turn").render(
        turn=view.step + 1,
        steps=max(left.steps, 1),
        calls=left.calls,
        forwards=left.forwards,
        seconds=None if left.seconds is None else round(left.seconds),
        tokens=left.tokens,
        money=None if left.money is None else f"{left.money:.2g}",
        low=left.low,
        notes=[
            one_line(note.text) for note in view.notes if note.step == view.step - 1 and note.call is None
        ],
        finish=view.finish_now,
        last="answer" if view.goal else "conclude",
    )


def _asked(verdict: Verdict) -> str:
    experiments = verdict.experiments[0] if len(verdict.experiments) == 1 else list(verdict.experiments)
    return json.dumps(
        {"hypothesis": verdict.hypothesis, "experiment": experiments, "because": verdict.because},
        ensure_ascii=False,
    )


def _judged(verdict: Verdict) -> dict[str, Any]:
    return {
        "outcome": verdict.outcome,
        "effect": _short(verdict.effect),
        "ci": [_short(end) for end in verdict.ci],
    }


def _final(decision: Decision) -> str:
    if isinstance(decision, Conclusion):
        told = decision.model_dump(mode="json", include={"label", "concept", "text", "confidence"})
        return json.dumps(told | decision.reading.model_dump(), ensure_ascii=False)
    kept = {"reason", "text", "verdict", "components"}
    return json.dumps(decision.model_dump(mode="json", include=kept), ensure_ascii=False)


def _words(model: Model) -> str:
    return _json(model.model_dump(mode="json"))


def _words_of(tool: str, arguments: dict[str, Any]) -> str:
    return f"{tool}({_json(arguments)})"


def _json(told: Any) -> str:
    return unhidden(json.dumps(told, ensure_ascii=False))


def _safe(arguments: str) -> str:
    """Arguments that are JSON: some endpoints refuse a conversation in which they are not."""
    try:
        json.loads(arguments)
    except json.JSONDecodeError:
        return json.dumps({"unreadable": arguments[:200]}, ensure_ascii=False)
    return arguments


def _numbers(quantity: Quantity) -> dict[str, Any]:
    told = quantity.model_dump(exclude_none=True)
    return {
        name: [_short(end) for end in value] if isinstance(value, tuple) else _short(value)
        for name, value in told.items()
        if value != ""
    }


def _short(value: Any) -> Any:
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value
