"""Terms: what goes for a question whoever it is asked of."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from agent.ask.why import Shown
from agent.planner import Planner
from experiments.allowance import Allowance
from experiments.label import Drive

CALLS = 16
"""Tool calls that a question may cost unless somebody says otherwise; a description has a budget of its own."""


@dataclass(frozen=True)
class Terms:
    """What goes for a question whoever it is asked of. `words` are the command's, which the run remembers; `shown` is
    the picture and question that a "why" is about; `labelling` what a description may cost that it needs."""

    planner: Planner
    words: Mapping[str, Any]
    allowance: Allowance = field(default_factory=lambda: Allowance(calls=CALLS))
    labelling: Allowance = field(default_factory=Allowance)
    shown: Shown | None = None
    drive: Drive = asyncio.run


def of_a_question(each: Allowance) -> Allowance:
    """What a question may cost where a description may cost `each`: the same, and usually fewer calls."""
    return replace(each, calls=CALLS) if each.calls == Allowance().calls else each
