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
from experiments.faults.machine import DISK, MARK, ROOM, Armed, MachineFault
from experiments.faults.model import labels, studied
from experiments.faults.server import Body, Message, serving
from experiments.faults.trial import COMPONENTS, HIT, Ended, Place, again, unlike, words_of
from store.database import open_store

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
    place: Place,
    group: str,
    fault: str,
    injected: str,
    hits: int,
    first: Ended,
    then: Ended,
    changed: Sequence[str],
    began: float,
    carried: int = 0,
    reason: str = "",
) -> Row:
    """The row of two lives."""
    said = RETRIED.sub(HERE, first.told or _aside(first.err)).splitlines() or [reason]
    return Row(
        group=group,
        fault=fault,
        injected=injected,
        met=hits,
        code=first.code,
        kind=first.kind,
        said=said[0].replace(str(place.folder), "…")[:200],
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
        hits = endpoint.hit or int(fault.elsewhere is not None and first.kind.startswith("endpoint"))
        endpoint.heal()
        then = place.resume(first.run, endpoint.url)
        left = [name for name in COMPONENTS if not (fault.abstains and name == HIT)]
        changed = unlike(calm, place.facts(first.run), left)
        return row(
            place, "endpoint", fault.name, fault.injected, hits, first, then, changed, began, there.asked
        )


def of_machine(fault: MachineFault, folder: Path, cache: Path, calm: Mapping[str, Any]) -> Row:
    """A run on a machine, or of a model, that has this fault, and the run resumed without it."""
    began = time.monotonic()
    place = Place(folder, folder / "cache" if fault.cold else cache)
    folder.mkdir(parents=True)
    armed = Armed()

    def answers(body: Body) -> Message:
        (armed.now.set if studied(body) == HIT else armed.now.clear)()
        return labels(body)

    with serving(answers) as endpoint:
        if fault.inside:
            with fault.inside(armed):
                first = place.begin(endpoint.url)
            then = place.resume(first.run, endpoint.url)
        else:
            first = _struck(fault, place, endpoint.url, armed)
            then = place.ended(place.process(prepared(fault.later, place), *again(first.run, endpoint.url)))
    left = [name for name in COMPONENTS if first.components[name] not in fault.ends or name != HIT]
    told = place.facts(first.run)
    reason = (told[HIT]["description"] or {}).get("reason", "") if fault.ends else ""
    changed = unlike(calm, told, left)
    return row(
        place, fault.group, fault.name, fault.injected, armed.met, first, then, changed, began, reason=reason
    )


def _struck(fault: MachineFault, place: Place, url: str, armed: Armed) -> Ended:
    """A life in a process of its own, which the fault strikes when it is armed."""
    open_store(place.store).close()
    process = place.process(prepared(fault.prelude, place), "label", *words_of(url))
    met = fault.strike is None
    while fault.strike and process.poll() is None:
        if armed.now.wait(0.1):
            met = fault.strike(process)
            break
    ended = place.ended(process)
    armed.met += met and (MARK not in fault.prelude or marked(place).is_file())
    return ended


def prepared(lines: str, place: Place) -> str:
    """The lines that prepare a process, with what they are to know of the place."""
    room = place.store.stat().st_size + DISK
    return lines.replace(ROOM, str(room)).replace(MARK, repr(str(marked(place))))


def marked(place: Place) -> Path:
    """The file in which a process says that it met its fault."""
    return place.folder / "met"


def left_in_peace(folder: Path, cache: Path) -> Mapping[str, Any]:
    """What a run says that nobody disturbs."""
    place = Place(folder, cache)
    folder.mkdir(parents=True)
    with serving(labels) as endpoint:
        found = place.begin(endpoint.url)
    assert found.code == 0, (found.kind, found.told, found.err)
    return place.facts(found.run)
