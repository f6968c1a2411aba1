"""What is told of a program afterwards: in the record as a note, and to its planner as the reply to its call.

Knows how programs end, in words; knows nothing about how they are run.
"""

from __future__ import annotations

import json
from typing import Any

from agent.programs.sandbox import Ended
from agent.thread import Note, ThreadView

PROGRAM = "run_program"
"""The name under which a program is called for."""


def noted(step: int, ended: Ended) -> Note:
    """How it ended, for the record and the planner's next turn."""
    if ended.end == "refused":
        return Note(step, "repair", told(ended), 0)
    more = f"\n(… {ended.cut} more characters)" if ended.cut else ""
    return Note(step, "program", told(ended), 0, printed=ended.printed + more)


def told(ended: Ended) -> str:
    """How it ended, in one sentence for whoever wrote it."""
    where = f"line {ended.line}: " if ended.line is not None and not ended.told.startswith("line") else ""
    match ended.end:
        case "done":
            return "it ran to its end"
        case "refused":
            return f"the program was not run: {where}{ended.told}"
        case "error":
            return f"it stopped with an error: {where}{ended.told}"
        case "limit":
            return f"it was stopped at a limit: {where}{ended.told}"
        case "crash":
            return f"it was killed: {where}{ended.told}"


def reply_of(view: ThreadView, step: int) -> dict[str, Any]:
    """How the program of a step ended, what it printed, and which experiments it made."""
    note = next((note for note in view.notes if note.step == step), None)
    if note is None or note.kind == "repair":
        return {"refused": note.text if note else "it was not run"}
    return {
        "ended": note.text,
        "printed": note.printed,
        "experiments": [
            {
                "experiment": f"e{one.number}",
                "call": f"{one.tool}({json.dumps(one.arguments, ensure_ascii=False)})",
                "summary": one.result.get("summary", ""),
            }
            for one in view.experiments
            if one.step == step
        ],
    }
