"""What a trial comes to, as a row: how the first life ended, what resuming did, and how the result differs from a run
that was left in peace."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.faults.endpoint import REDIRECT, EndpointFault, another_host, met, sent_on
from experiments.faults.model import labels
from experiments.faults.server import serving
from experiments.faults.trial import COMPONENTS, HIT, Ended, Place, unlike

RETRIED = re.compile(r"127\.0\.0\.1:\d+")
HERE = "127.0.0.1:PORT"


@dataclass(frozen=True)
class Row:
    """`met` counts how often the fault was met. `components` say how each stood after the first life; `changed` lists
    where the end differs from the calm run's, `carried_too_far` counts requests that came where none should."""

    group: str
    fault: str
    injected: str
    met: int
    code: int
    kind: str
    said: str
    status: str
    components: Mapping[str, str]
    resumed: int
    resumed_status: str
    changed: Sequence[str]
    carried_too_far: int = 0
    seconds: float = 0.0

    @property
    def held(self) -> bool:
        """Whether it ended in a record that resuming brought to the calm run's end, without a traceback."""
        clean = not self.changed and not self.carried_too_far and self.met > 0
        return clean and not self.kind.startswith("traceback") and self.resumed == 0


def row(
    group: str,
    fault: str,
    injected: str,
    hits: int,
    first: Ended,
    then: Ended,
    changed: Sequence[str],
    began: float,
    carried: int = 0,
) -> Row:
    """The row of two lives."""
    said = RETRIED.sub(HERE, first.told or _aside(first.err)).splitlines()
    return Row(
        group=group,
        fault=fault,
        injected=injected,
        met=hits,
        code=first.code,
        kind=first.kind,
        said=said[0][:200] if said else "",
        status=first.status,
        components=dict(first.components),
        resumed=then.code,
        resumed_status=then.status,
        changed=list(changed)[:8],
        carried_too_far=carried,
        seconds=round(time.monotonic() - began, 1),
    )


def _aside(err: str) -> str:
    """What the narration says of a component that was left for later."""
    return next((line for line in err.splitlines() if "was left for later" in line), "")


def of_endpoint(fault: EndpointFault, folder: Path, cache: Path, calm: Mapping[str, Any]) -> Row:
    """A run whose language model's endpoint has this fault, and the run resumed with one that is whole."""
    began, place = time.monotonic(), Place(folder, cache)
    folder.mkdir(parents=True)
    with ExitStack() as stack:
        endpoint = stack.enter_context(serving(labels))
        there = stack.enter_context(another_host())
        spoil = sent_on(there) if fault is REDIRECT else fault.spoil
        endpoint.fault, endpoint.met, endpoint.times = spoil, met, fault.times
        url = stack.enter_context(fault.elsewhere()) if fault.elsewhere else endpoint.url
        first = place.begin(url, "--retries", str(fault.retries))
        hits = endpoint.hit or int(fault.elsewhere is not None)
        endpoint.heal()
        then = place.resume(first.run, endpoint.url)
        left = [name for name in COMPONENTS if not (fault.abstains and name == HIT)]
        changed = unlike(calm, place.facts(first.run), left)
        return row("endpoint", fault.name, fault.injected, hits, first, then, changed, began, there.asked)


def left_in_peace(folder: Path, cache: Path, *, model: bool) -> Mapping[str, Any]:
    """What a run says that nobody disturbs, by the language model or by the built-in planner."""
    place = Place(folder, cache)
    folder.mkdir(parents=True)
    with serving(labels) as endpoint:
        found = place.begin(endpoint.url if model else "")
    assert found.code == 0, (found.kind, found.told, found.err)
    return place.facts(found.run)
