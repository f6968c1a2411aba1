"""When a push is sufficient: what a component's push did, held against everything else that was pushed as far.

Knows quantities with their intervals and where single controls lie; knows nothing about how they were measured. Not a
tool.
"""

from __future__ import annotations

from typing import NamedTuple

from store.records import Answer, Quantity


class Verdict(NamedTuple):
    answer: Answer
    because: str


SILENT = Verdict("undetermined", "nothing was added: what its absence does tells of need")
"""What silence says of it."""


def verdict(quantities: dict[str, Quantity]) -> Verdict:
    """Whether a push is sufficient, with the reason, from what was measured. `control_ci` is where single controls lie,
    19 of 20: a push must surely do more than nearly all of them, and than it does elsewhere."""
    effect, directions = quantities["effect"], quantities["directions"]
    assert effect.ci is not None
    low, high = effect.ci
    if high <= 0:
        return Verdict("no", "the answers that name the concept do not gain")
    for control, name in ((effect, "random components"), (directions, "random directions")):
        assert control.control is not None and control.control_ci is not None
        if high < control.control:
            return Verdict("no", f"{name} at the same divergence raise these answers more")
    if low <= 0:
        return Verdict("undetermined", "the interval of the gain holds 0")
    for control, name in ((effect, "random components"), (directions, "random directions")):
        assert control.control_ci is not None
        if low <= control.control_ci[1]:
            return Verdict("undetermined", f"some {name} at the same divergence raise these answers as much")
    elsewhere = quantities.get("elsewhere")
    if elsewhere is None or elsewhere.ci is None:
        return Verdict("undetermined", "no questions about other things are known to compare with")
    if low <= elsewhere.ci[1]:
        return Verdict("undetermined", "right answers to other questions gain as much")
    return Verdict("yes", "beyond random components, random directions and other questions")
