"""A thread as the messages of a conversation, rebuilt from the record at every turn.

Knows the form that OpenAI-compatible endpoints read and which template goes where. What tools returned stands in it as
JSON in replies to tool calls, quoted and apart from what is said to the model. Knows nothing about connections.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import prompts
from agent.decision import Abstention, Calls, Conclusion, Decision
from agent.thread import Decided, ThreadView, quantities
from store.records import Experiment, Model, Quantity, Verdict

Message = dict[str, Any]
KINDS = {"head": "head", "mlp": "neuron"}
DIGITS = 4
"""Significant digits of numbers in replies: more would be copied for nothing."""


def messages(view: ThreadView) -> list[Message]:
    """Everything that is said before the next decision."""
    kind = KINDS.get(view.component.part, "other")
    about = prompts.load("component").render(component=str(view.component), target=view.target, kind=kind)
    said: list[Message] = [
        {"role": "system", "content": prompts.load("experimenter").render(family=view.family)},
        {"role": "user", "content": about},
    ]
    for turn in view.decided:
        said += _exchange(view, turn)
    return [*said, {"role": "user", "content": _now(view)}]


def shown(experiment: Experiment) -> dict[str, Any]:
    """A result as a model reads it: the summary, the numbers, what to be careful about."""
    reply: dict[str, Any] = {
        "experiment": f"e{experiment.number}",
        "summary": experiment.result.get("summary", ""),
        "quantities": {name: _numbers(quantity) for name, quantity in quantities(experiment).items()},
    }
    if warnings := experiment.result.get("warnings"):
        reply["warnings"] = list(warnings)
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
        yield {"role": "tool", "tool_call_id": mark, "content": json.dumps(reply, ensure_ascii=False)}


def _calls(view: ThreadView, turn: Decided) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Mark, name, arguments and reply of every call of a step."""
    decision, step = turn.decision, turn.step
    refused = {note.call: note.text for note in view.notes if note.step == step}
    if isinstance(decision, Calls):
        numbers = [stated.number for stated in view.stated if stated.step == step]
        for number, hypothesis in zip(numbers, decision.propose, strict=True):
            yield f"s{step}h{number}", "propose_hypothesis", _words(hypothesis), {"hypothesis": f"h{number}"}
    verdicts = decision.verdicts if isinstance(decision, Calls | Conclusion) else ()
    for place, verdict in enumerate(verdicts):
        yield f"s{step}v{place}", "give_verdict", _asked(verdict), _judged(verdict)
    if isinstance(decision, Calls):
        for place, call in enumerate(decision.calls):
            found = view.at(step, place)
            why = refused.get(place) or refused.get(None) or "it was not run"
            arguments = call.unreadable or json.dumps(call.arguments, ensure_ascii=False)
            yield f"s{step}c{place}", call.tool, _safe(arguments), shown(found) if found else {"refused": why}
    elif isinstance(decision, Conclusion | Abstention):
        name = "conclude" if isinstance(decision, Conclusion) else "abstain"
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
        low=left.low,
        notes=[note.text for note in view.notes if note.step == view.step - 1 and note.call is None],
        finish=view.finish_now,
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
    return json.dumps(decision.model_dump(mode="json", include={"reason"}), ensure_ascii=False)


def _words(model: Model) -> str:
    return json.dumps(model.model_dump(mode="json"), ensure_ascii=False)


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
