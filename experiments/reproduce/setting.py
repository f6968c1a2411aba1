"""Where a reproduction is made: a target with an editor, and the heads that are looked at.

Refuses targets that answer no questions and worlds whose pictures nobody edits. Knows nothing about any result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from store.address import Address, parse_set
from store.errors import UsageError, UserError

if TYPE_CHECKING:
    from tools.context import ToolContext
    from tools.engine.engine import Engine
    from tools.stimuli import ImageEditor

FAMILY, UNTRAINED = "tableau-llava", "tableau-llava-random"


def editor_of(context: ToolContext) -> ImageEditor:
    """Who edits the pictures. Raises UserError where nobody does, or the target says no words."""
    if context.target.family == "clip":
        raise UserError(
            f"`{context.target.name}` compares pictures with texts and answers no questions, so no head brings an "
            "answer back",
            kind="no_answers",
            hint="give a model that answers, such as `tableau-llava`",
        )
    if context.editor is None:
        raise UserError(
            "these pictures have no editor that changes one thing to order",
            kind="editor",
            hint="give `--images tableau`",
        )
    return context.editor


def heads_of(context: ToolContext, among: str) -> list[Address]:
    """The heads that the words mean, all by default, that have a way to the answer.

    Raises UsageError for components that are no heads, UserError for those that are not there.
    """
    named: Sequence[Address] = parse_set(among, context.extent) if among else list(context.extent.all())
    heads = [one for one in named if one.part == "head"]
    if among and len(heads) < len(named):
        raise UsageError(
            f"`{among}` names components that are no heads",
            kind="address",
            hint="such as `language.*.head.*`",
        )
    found = [head for head in heads if context.adapter.reaches(head, "all") is None]
    if len(found) < 2:
        raise UsageError(
            f"`{among}` names fewer than two heads that reach the answer",
            kind="address",
            hint="such as `language.*.head.*`",
        )
    return found


def untrained_engine(context: ToolContext, device: str) -> Engine | None:
    """The never-trained copy of an embedded target; None for others, and for the copy itself."""
    from experiments.registry import open_target
    from tools.engine.engine import Engine

    base = context.target.name.partition("@")[0]
    if not base.startswith(FAMILY) or base == UNTRAINED:
        return None
    return Engine(open_target(UNTRAINED, device))


def untrained_copy(target: str, device: str, dtype: str) -> Callable[[], Engine] | None:
    """How to make the never-trained copy of a target: of an embedded one its own, of a folder's model one with random
    weights of the same shape; None for a copy itself, and where there is nothing to copy (a hub id)."""
    from experiments.registry import open_target
    from tools.engine.engine import Engine

    base = target.partition("@")[0]
    if base == UNTRAINED:
        return None
    if base.startswith(FAMILY):
        return lambda: Engine(open_target(UNTRAINED, device, dtype=dtype))
    folder = Path(target)
    if not folder.is_dir():
        return None

    def made() -> Engine:
        from tools.targets.load import untrained_target

        name = f"{folder.name}, untrained"
        return Engine(untrained_target(folder, seed=0, name=name, device=device, dtype=dtype))

    return made
