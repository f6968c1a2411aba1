"""The control of the forty: what a target that was never trained gets, asked the same.

Questions that are rightly answered with yes, and name no planted address, are put to it: what it is then said to carry,
write or use would be false. What it reads is left out: untrained units do answer to colors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from experiments.forty.places import Places
from experiments.forty.proof import put, told
from experiments.forty.table import Case

CAUSAL = ("used", "why")


def untrained_says_yes(places: Places, cases: Sequence[Case]) -> dict[str, Any]:
    """How many of them it is said of, with the 95 % interval, and the words."""
    chosen = [one for one in cases if of_training(one)]
    said = [put(places, replace(one, place="untrained", against="")) for one in chosen]
    yes = [case.text for case, one in said if one.finding is not None and one.finding.verdict == "yes"]
    return (told(len(yes), len(said)) if said else {}) | {"questions": yes}


def of_training(case: Case) -> bool:
    """Whether its yes is owed to training."""
    causal = case.kind in CAUSAL or (case.kind == "which" and " read" not in case.text)
    planted = any(name.startswith("{") for name in case.named)
    return causal and case.right == "yes" and not case.again and not planted
