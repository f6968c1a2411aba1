"""`look`: pictures of this thread's results, laid before a planner that can see.

Knows which pictures may be named: those that a result of the thread holds, and those of the planner's split. Measures
nothing: what a planner sees makes hypotheses, and is no evidence for one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field

from store.errors import PlannerError
from store.records import Model
from tools.context import ToolContext
from tools.methods.showing import chosen, keep
from tools.tool import Arguments, Result, tool

DIGITS = 10
"""Digits of a hash by which a picture is named."""
_NAME = re.compile(r"[0-9a-f]{8,64}")
_HASH = re.compile(r"[0-9a-f]{64}")
DIRECT = "direct"


class LookArguments(Arguments):
    pictures: Annotated[
        tuple[int | str, ...],
        Field(
            min_length=1,
            max_length=8,
            description="What to see: names that stand beside results (`3fa90c12be`: a picture, or a heat map on it), "
            "or numbers of pictures in your split.",
        ),
    ]
    why: Annotated[str, Field(max_length=200, description="What you want to find out.")] = ""


class Seen(Model):
    """A picture that was looked at: `words` say where it is from."""

    key: str
    image: str
    tail: str = "seen"
    words: str = ""


class Looked(Result):
    """`exemplars` are the pictures, in the order in which they were named."""

    exemplars: tuple[Seen, ...]


@tool
def look(context: ToolContext, arguments: LookArguments) -> Looked:
    """Shows you pictures: exemplars, heat maps on them, sides of pairs, up to eight at once.

    Results name their pictures; ask for those that may tell you something, such as the highest beside look-alikes that
    leave it quiet, or a pair that failed. They come with your next turn. What you see makes hypotheses; only
    measurements decide them.
    """
    known = dict(_pictures(context))
    seen = tuple(_seen(context, name, known) for name in arguments.pictures)
    return Looked(exemplars=seen, summary=f"{len(seen)} pictures: {', '.join(one.key for one in seen)}"[:400])


def _seen(context: ToolContext, name: int | str, known: dict[str, str]) -> Seen:
    if isinstance(name, str) and _NAME.fullmatch(name):
        found = [sha for sha in known if sha.startswith(name)]
        if len(found) != 1:
            raise PlannerError(
                f"`{name}` names {'no picture' if not found else 'several pictures'} of this thread's results",
                kind="picture",
                hint="take a name that stands beside a result, such as the first of `top_exemplars`",
            )
        return Seen(key=found[0][:DIGITS], image=found[0], words=known[found[0]])
    (stimulus,) = chosen(context, [name])
    return Seen(key=stimulus.key, image=keep(context, stimulus.image), words=stimulus.key)


def _pictures(context: ToolContext) -> Iterator[tuple[str, str]]:
    """Every picture in this thread's results, with words that say where; of the whole store where a person asks."""
    turn = context.turn
    alone = turn is not None and turn.thread != DIRECT
    queries = context.store.queries
    experiments = queries.experiments(turn.run, turn.thread) if turn and alone else queries.experiments()
    for experiment in experiments:
        if experiment.tool != "look":
            for sha, words in _hashes(experiment.result, ""):
                yield sha, f"e{experiment.number} {words}".strip()


def _hashes(part: Any, words: str) -> Iterator[tuple[str, str]]:
    if isinstance(part, dict):
        said = " ".join(str(part[name]) for name in ("tail", "concept", "key") if part.get(name))
        for name, value in part.items():
            kind = "" if name == "image" else name.replace("_", " ").replace("overlay", "heat map")
            yield from _hashes(value, f"{said or words} {kind}".strip() if isinstance(value, str) else words)
    elif isinstance(part, list):
        for value in part:
            yield from _hashes(value, words)
    elif isinstance(part, str) and _HASH.fullmatch(part):
        yield part, words
