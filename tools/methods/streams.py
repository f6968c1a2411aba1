"""Which targets have one stream: the picture's tokens stand among the words', and all that is said comes out of it.

Not so where a decoder looks at the picture, or at the question, by cross-attention. Not a tool.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from store.errors import PlannerError

if TYPE_CHECKING:
    from tools.context import ToolContext


def refuse_crossed(context: ToolContext) -> None:
    """Raises PlannerError for a target in which picture and answer do not share a stream."""
    if crossed := sorted({*context.extent.towers} - {"vision", "language"}):
        raise PlannerError(
            f"`{context.target.name}` answers by cross-attention (`{'`, `'.join(crossed)}`): no single stream leads "
            "from its picture to its answer",
            kind="scope",
            hint="use `patch`, `find_components` and `ablate`, which follow every way",
        )
