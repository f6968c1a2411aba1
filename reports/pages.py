"""From a record to HTML: the templates, what they may call, and where pages lie beside one another.

Everything that a template fills in is escaped unless one of our own modules made it as markup; an undefined name is an
error. Pages run no script and load nothing but the pictures beside them, and say so to the browser.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from reports import exhibits, findings, folding, leads, numbers, plots, shapes, summary, words
from reports.concepts import AS_WRITTEN, Concepts, Plain
from reports.distrust import distrust
from reports.pictures import Pictures
from reports.receipts import Receipts, code
from reports.record import CITATION, RunRecord, Thread, cited_in
from reports.story import brought, given, weighed
from reports.transcript import transcript
from store.plain import printable
from store.records import Experiment
from store.views import Found

TEMPLATES = Path(__file__).resolve().parent / "templates"
INDEX = "index.html"
COMPONENTS = "components"
PICTURES = "pictures"


@dataclass(frozen=True)
class Places:
    """Where each component's page lies, relative to the index."""

    names: dict[str, str]

    def of(self, address: str) -> str:
        return f"{COMPONENTS}/{self.names[address]}"


def places(threads: Iterable[Thread]) -> Places:
    """File names that every system takes, one for each address."""
    names: dict[str, str] = {}
    for thread in threads:
        stem = re.sub(r"[^\w.-]+", "-", thread.address, flags=re.ASCII).strip("-.") or "thread"
        taken = {name.casefold() for name in names.values()}
        name, again = f"{stem}.html", 1
        while name.casefold() in taken:
            again += 1
            name = f"{stem}-{again}.html"
        names[thread.address] = name
    return Places(names)


class Pages:
    """Renders the pages of one run."""

    def __init__(self, record: RunRecord, pictures: Pictures, plain: Plain = AS_WRITTEN) -> None:
        self._record = record
        self._concepts = Concepts(plain)
        self._places = places(record.threads)
        self._environment = environment()
        self._shared = {
            "record": record,
            "run": record.run,
            "places": self._places,
            "picture": pictures,
            "concepts": self._concepts,
            "style": (TEMPLATES / "style.css").read_text(encoding="utf-8"),
        }

    def index(self) -> str:
        """The run as a whole."""
        record = self._record
        return self._render(
            INDEX,
            up="",
            whole=summary.tally("all", record.components),
            sites=summary.by_site(record.components),
            orders=summary.orders(record.components),
            notes=distrust(record),
        )

    def component(self, thread: Thread) -> str:
        """One component, or one thread that is no component's."""
        threads = self._record.threads
        here = threads.index(thread)
        titles = {one.number: title(one) for one in thread.shown}
        said = self._concepts.throughout(thread)
        return self._render(
            "component.html",
            up="../",
            thread=thread,
            before=threads[here - 1] if here else None,
            after=threads[here + 1] if here + 1 < len(threads) else None,
            receipts=Receipts(titles, said),
            said=said,
            places_citing=citing(thread, self._concepts),
            turns=transcript(thread.steps, thread.experiments),
            brought=brought(thread),
            weighed=weighed(thread),
            given=given,
        )

    def finding(self, found: Found) -> str:
        """One answer, with the experiments that it leans on."""
        thread = findings.behind(self._record, found)
        rows = {number: [("says", "the answer")] for number in cited_in(found.finding.answer)}
        return self._render(
            "finding.html",
            up="",
            found=found,
            thread=thread,
            descriptions=self._record.leaned.get(found.number, ()),
            receipts=Receipts({one.number: title(one) for one in thread.shown}),
            places_citing=rows,
        )

    def at(self, thread: Thread) -> str:
        return self._places.of(thread.address)

    def _render(self, name: str, **known: Any) -> str:
        return self._environment.get_template(name).render(**self._shared, **known)


def title(experiment: Experiment) -> str:
    """What a link to an experiment says before it is followed."""
    told = str(experiment.result.get("summary") or experiment.error)
    return f"{words.phrase(experiment.tool)}: {told}" if told else words.phrase(experiment.tool)


def citing(thread: Thread, concepts: Concepts) -> dict[int, list[tuple[str, str]]]:
    """For each experiment, who leans on it: an anchor on the page, and its name."""
    found: dict[int, list[tuple[str, str]]] = {}

    def lean(numbers: Iterable[int], anchor: str, name: str) -> None:
        for number in dict.fromkeys(numbers):
            found.setdefault(number, []).append((anchor, name))

    if thread.description is not None:
        lean(cited_in(thread.description.text), "says", "the description")
        for facet in thread.description.facets:
            lean(facet.evidence, "says", f"the facet “{concepts.name(facet.phrase)}”")
        for name, claim in thread.claims.items():
            lean(claim.evidence if claim else (), "claims", f"the claim “{words.phrase(name)}”")
    for proposed in thread.proposed:
        evidence = [number for verdict in proposed.verdicts for number in verdict.experiments]
        lean(evidence, f"h{proposed.number}", f"hypothesis {proposed.number}")
    return found


def pretty(told: Any) -> str:
    """A value as it stands in the record."""
    return json.dumps(told, indent=2, ensure_ascii=False, default=str)


def brief(told: Any) -> str:
    """A plain value in a cell."""
    if isinstance(told, bool) or told is None:
        return {True: "yes", False: "no", None: "–"}[told]
    if isinstance(told, (int, float)):
        return numbers.number(told)
    if isinstance(told, (list, tuple)):
        return ", ".join(brief(one) for one in told) or "–"
    if isinstance(told, dict):
        return ", ".join(f"{key} {brief(one)}" for key, one in told.items()) or "–"
    return str(told)


def cell(told: Any) -> str:
    """A value in a table; two numbers are an interval."""
    if isinstance(told, (list, tuple)) and len(told) == 2 and all(isinstance(one, float) for one in told):
        return numbers.interval((told[0], told[1]))
    return brief(told)


def bare(text: str) -> str:
    """A text without its citations, for places from which they could not be followed."""
    return CITATION.sub("", text).replace(" .", ".").strip()


def whole_or_not_at_all(path: Path, page: str) -> None:
    """Writes under another name first. Nothing on a page hides, or turns the direction of what stands beside it."""
    part = path.with_name(f".{path.name}.part")
    part.write_text(printable(page), encoding="utf-8")
    os.replace(part, path)


def environment() -> Environment:
    """What every template of ours may call."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        exhibits=exhibits,
        findings=findings,
        folding=folding,
        leads=leads,
        numbers=numbers,
        plots=plots,
        shapes=shapes,
        summary=summary,
        words=words,
    )
    environment.globals.update(Measured=plots.Measured, index_page=INDEX, pictures_folder=PICTURES)
    environment.filters.update(
        number=numbers.number,
        score=numbers.score,
        interval=numbers.interval,
        score_interval=numbers.score_interval,
        seconds=numbers.seconds,
        phrase=words.phrase,
        pretty=pretty,
        brief=brief,
        cell=cell,
        code=code,
        bare=bare,
    )
    return environment
