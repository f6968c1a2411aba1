"""Commands that read the store alone: `search`, `report`, `export`, and `show runs | run | component | experiment`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from experiments.commands.options import JsonFlag, Output, StorePlace
from experiments.commands.output import narrate, print_json, print_json_line, print_table, print_text
from experiments.commands.tables import print_descriptions
from store.errors import UsageError

if TYPE_CHECKING:
    from store.database import Store
    from store.records import Claim, Description, Score

RunId = Annotated[str, typer.Argument(metavar="RUN", help="A run's id, or `last`.")]
LAST = "last"


def search(
    text: Annotated[str, typer.Argument(help="Words that must all occur.")],
    limit: Annotated[int, typer.Option(min=1, help="How many places at most.")] = 20,
    store: StorePlace = "",
    as_json: JsonFlag = False,
) -> None:
    """Find descriptions, hypotheses and experiments by their words."""
    from store.database import known_store

    with known_store(store or None) as record:
        hits = record.queries.search(text, limit)
    if as_json:
        print_json({"text": text, "hits": [hit.model_dump(mode="json") for hit in hits]})
        return
    rows = [
        [hit.kind, hit.run, hit.thread, "" if hit.number is None else str(hit.number), hit.text]
        for hit in hits
    ]
    print_table(["what", "run", "component", "number#", "words"], rows, title=f"{len(rows)} places")


def report(
    run: RunId = LAST, output: Output = Path("out"), store: StorePlace = "", as_json: JsonFlag = False
) -> None:
    """Write a run as pages: one for the run, one for every component; nothing in them needs a network."""
    from reports.concepts import Plain
    from reports.site import write
    from store.database import known_store
    from tools.scoring.plain import describe, label

    with known_store(store or None) as record:
        index = write(record, _named(record, run), output, Plain(describe, label))
    if as_json:
        print_json({"path": str(index)})
    else:
        print_text(str(index))


def export(
    output: Annotated[str, typer.Option("-o", "--output", help="File to write; - is stdout.")] = "-",
    store: StorePlace = "",
    as_json: JsonFlag = False,
) -> None:
    """Write every row of the store as JSON lines; with --json one object says how many went to the file."""
    from store.database import known_store
    from store.errors import UserError

    if output == "-" and as_json:
        raise UsageError("rows are not one JSON object", kind="usage", hint="name a file with `-o`")
    with known_store(store or None) as record:
        if output == "-":
            for row in record.queries.export_rows():
                print_json_line(row, sys.stdout)
            return
        number = 0
        try:
            with Path(output).open("w", encoding="utf-8") as file:
                for row in record.queries.export_rows():
                    print_json_line(row, file)
                    number += 1
        except OSError as error:
            raise UserError(
                f"`{output}` can't be written: {(error.strerror or str(error)).lower()}",
                kind="output",
                hint="choose another file with `-o`",
            ) from error
    if as_json:
        print_json({"path": output, "rows": number})
    else:
        narrate(f"{number} rows in {output}")


def runs(store: StorePlace = "", as_json: JsonFlag = False) -> None:
    """List the runs of a store, newest first."""
    from store.database import known_store

    with known_store(store or None) as record:
        found = record.queries.runs()
    if as_json:
        print_json({"runs": [one.model_dump(mode="json") for one in found]})
        return
    rows = [[one.id, one.kind, one.target, one.planner, one.status, one.started[:16]] for one in found]
    print_table(["run", "kind", "target", "planner", "status", "started"], rows, title=f"{len(rows)} runs")


def run(run: RunId = LAST, store: StorePlace = "", as_json: JsonFlag = False) -> None:
    """Show what a run has found so far, component by component and site by site."""
    from experiments.sites import by_site
    from store.costs import spent
    from store.database import known_store

    with known_store(store or None) as record:
        name = _named(record, run)
        about, found = record.queries.run(name), record.queries.descriptions(name, test=True)
        components = record.queries.components(name)
        paid = spent(record.queries.payments(name))
    waiting = [one.address for one in components if one.status is None]
    if as_json:
        told = {
            "run": about.model_dump(mode="json"),
            "descriptions": [one.model_dump(mode="json") for one in found],
            "sites": [site.as_json() for site in by_site(found)],
            "waiting": waiting,
            "cost": paid.as_json(),
        }
        print_json(told)
        return
    title = f"run {name}, {about.status}; {len(waiting)} components wait"
    print_descriptions(found, title)
    if words := paid.words():
        print_text(words)


def component(
    address: Annotated[str, typer.Argument(help="Such as language.3.mlp.17.")],
    run: Annotated[str, typer.Option(help="A run's id; default: the newest that describes it.")] = "",
    story: Annotated[
        bool, typer.Option("--story", help="Tell turn by turn what was thought, asked, seen and judged.")
    ] = False,
    store: StorePlace = "",
    as_json: JsonFlag = False,
) -> None:
    """Show what is known of one component."""
    from store.address import parse
    from store.database import known_store
    from store.errors import UserError

    name = str(parse(address))
    with known_store(store or None) as record:
        candidates = [run] if run else [one.id for one in record.queries.runs()]
        known = ((place, record.queries.description(place, name, test=True)) for place in candidates)
        place, found = next(((place, one) for place, one in known if one), ("", None))
        trace = traceback_in(record, place, name) if found and found.status == "failed" else ""
        told = list(told_in(record, place, name)) if found and story else []
    if found is None:
        raise UserError(
            f"the store knows nothing of `{name}`",
            kind="unknown",
            hint=f"describe it: `maieutic label TARGET --components '{name}'`",
        )
    if as_json:
        print_json(found.model_dump(mode="json") | ({"story": told} if story else {}))
        return
    print_text(
        f"{found.component}: {found.status}" + (f", “{found.label}” ({found.reading})" if found.label else "")
    )
    print_text(found.text or found.reason)
    for claim, value in found.claims.items():
        if value:
            print_text(f"  {claim_line(claim, value, found.scores.get(claim))}")
    for line in score_lines(found):
        print_text(f"  {line}")
    if trace:
        print_text(f"  traceback: {trace}")
    for line in told:
        print_text(line)


def told_in(record: Store, run: str, component: str) -> Iterator[str]:
    """The component's story in a run, line by line."""
    from reports.record import read_thread
    from reports.story import as_text, story

    yield from as_text(story(read_thread(record, run, component)))


def claim_line(name: str, claim: Claim, test: Score | None) -> str:
    """A claim as one line: of a head, what it is about and what the test measured."""
    line = f"{name}{f' {claim.about}' if claim.about else ''}: {claim.verdict}"
    if test is not None:
        null = "" if test.null is None else f", null {test.null:.2f}"
        line += f", on {test.split} {test.value:.2f} [{test.ci[0]:.2f}, {test.ci[1]:.2f}]{null}"
    return line + (f" ({claim.because})" if claim.because else "")


def score_lines(found: Description) -> list[str]:
    """Every score that is not told with a claim, one a line, the primary one first."""
    from reports.words import SCORE

    return [
        f"{told}, on {score.split}: {score.value:.2f} [{score.ci[0]:.2f}, {score.ci[1]:.2f}], n {score.n}"
        + ("" if score.null is None else f", null {score.null:.2f}")
        for name, told in SCORE.items()
        if found.claims.get(name) is None and (score := found.scores.get(name)) is not None
    ]


def experiment(
    number: Annotated[str, typer.Argument(help="Such as e12.")],
    store: StorePlace = "",
    as_json: JsonFlag = False,
) -> None:
    """Show one experiment: what was asked, and what came of it."""
    from store.database import known_store

    wanted = number_of(number)
    with known_store(store or None) as record:
        found = record.queries.experiment(wanted, test=True)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    print_text(f"e{found.number}: {found.tool}({found.arguments}) in run {found.run}, {found.thread}")
    print_text(str(found.result.get("summary", "")))


def traceback_in(record: Store, run: str, component: str) -> str:
    """The file that holds the traceback of a component that failed; empty where there is none."""
    steps = record.queries.steps(run, component)
    kept = str(steps[-1].decision.get("traceback", "")) if steps else ""
    return str(record.artifacts.path(kept)) if kept else ""


def number_of(text: str) -> int:
    """12 for `e12` or `12`. Raises UsageError for other words."""
    digits = text.removeprefix("e")
    if not digits.isdecimal():
        raise UsageError(
            f"`{text}` is not an experiment", kind="usage", hint="give its number, such as `e12`"
        )
    return int(digits)


def _named(record: Store, run: str) -> str:
    """The run's id; `last` is the newest."""
    from store.errors import UserError

    if run != LAST:
        return record.queries.run(run).id
    found = record.queries.runs()
    if not found:
        raise UserError(
            "the store has no runs",
            kind="run",
            hint="begin one: `maieutic label tableau-llava --components 'language.3.mlp[0:4]'`",
        )
    return found[0].id
