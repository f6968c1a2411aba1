"""Which attention was not computed as the target was opened with it, since fused kernels show no weights; in words.

The engine switches a tower to attention in the open while a plan reads or cuts it (tools/engine/attention.py). The
numbers are the same within rounding, the time is not. Not a tool.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from store.address import Tower

if TYPE_CHECKING:
    from tools.context import ToolContext

SHOWS = ("eager",)
"""Implementations that show their weights."""


def switched(context: ToolContext, tower: Tower) -> list[str]:
    """One sentence where the tower's weights could not be had as it is; none where they could."""
    from tools.engine.attention import implementations
    from tools.targets.sites import Site

    if context.adapter.tap(Site("attn.pattern", tower, 0)).open:
        return []
    return [
        f"attention of `{tower}` was computed in the open, since `{name}` shows no weights"
        for name in implementations(context.target.model, (tower,)).values()
        if name not in SHOWS
    ]
