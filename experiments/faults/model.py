"""A language model that labels by a script: it looks, compares one phrase, gives its verdict, and concludes.

Knows nothing but the conversation that it is sent, as any model behind an endpoint; so it goes on wherever a run does.
"""

from __future__ import annotations

import json
import re
from typing import Any

from experiments.faults.server import Body, Message

TEXT = "It is more active where hearts are, by {#.effect} [#]."
PREDICTION = {
    "statement": "It is more active where hearts are.",
    "concept": "heart",
    "quantity": "effect",
    "direction": "above",
    "threshold": 0.2,
    "control": "random components of its site",
    "refuter": "an interval that falls short of 0.2 sd",
}
_STUDIED = re.compile(r"Study `([^`]+)`")


def labels(body: Body) -> Message:
    """What it says next."""
    done, last = accepted(body), measured(body)
    component = studied(body)
    if "describe" not in done:
        return says(("describe", {"component": component, "n": 20}), words="What excites it?")
    if "activations" not in done:
        aim = {"component": component, "concept": "heart", "n": 64}
        return says(("propose_hypothesis", PREDICTION), ("activations", aim))
    if "give_verdict" not in done:
        return says(("give_verdict", {"hypothesis": "h1", "experiment": last}))
    if "conclude" in refused(body):
        return says(("abstain", {"reason": "nothing stood its test"}))
    text = TEXT.replace("#", last)
    return says(("conclude", {"label": "hearts", "concept": "heart", "text": text, "confidence": 0.6}))


def says(*calls: tuple[str, dict[str, Any] | str], words: str = "") -> Message:
    """A message with tool calls; arguments given as a string are sent as they are."""
    called = [
        {
            "id": f"call_{place}",
            "type": "function",
            "function": {"name": name, "arguments": given if isinstance(given, str) else json.dumps(given)},
        }
        for place, (name, given) in enumerate(calls)
    ]
    return {"content": words or None} | ({"tool_calls": called} if called else {})


def studied(body: Body) -> str:
    """The component that the conversation is about; empty where it is about something else."""
    found = _STUDIED.search(_words(body["messages"][1]["content"])) if len(body["messages"]) > 1 else None
    return found[1] if found else ""


def accepted(body: Body) -> list[str]:
    """Names of the calls that were answered with a result, in order."""
    return [name for name, reply in replies(body) if "refused" not in reply]


def refused(body: Body) -> list[str]:
    """Names of the calls that were answered with a reason against them."""
    return [name for name, reply in replies(body) if "refused" in reply]


def measured(body: Body) -> str:
    """The last experiment with numbers, such as `e12`; empty where there is none."""
    found = [reply["experiment"] for _, reply in replies(body) if reply.get("quantities")]
    return str(found[-1]) if found else ""


def replies(body: Body) -> list[tuple[str, dict[str, Any]]]:
    """What its calls were answered with, under their names, in order."""
    names = {
        call["id"]: call["function"]["name"]
        for message in body["messages"]
        for call in message.get("tool_calls") or ()
    }
    told = [message for message in body["messages"] if message["role"] == "tool"]
    return [(names[message["tool_call_id"]], json.loads(message["content"])) for message in told]


def _words(content: Any) -> str:
    return content if isinstance(content, str) else " ".join(part.get("text", "") for part in content)
