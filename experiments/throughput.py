"""`python -m experiments.throughput`: components labelled a minute by a language model that takes its time.

A scripted model answers each request after `--seconds`, over loopback; the same components are labelled by 1, 8 and 64
jobs, each in a store of its own, and have to come out the same. What the model's answers alone would allow is the
ideal; what this machine's own work allows is measured with a model that answers at once. Writes
`tableau/results/throughput.json`.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from agent.openai_planner import OpenAIPlanner
from experiments.allowance import Allowance
from experiments.facts import differences, facts
from experiments.faults.model import labels, says
from experiments.faults.server import Body, Message, serving
from experiments.label import begin, choose
from experiments.tableau.card import RESULTS
from experiments.threads import Threads
from experiments.workplace import Workplace, open_workplace
from store.database import open_store

IMAGES = "tableau:40/24/40"
COMPONENTS = "language.2.mlp[0:64]"
KINDS = ("color", "shape")


def labels_causally(body: Body) -> Message:
    """The scripted model, which silences the component where it compares its phrase."""
    message = labels(body)
    names = [call["function"]["name"] for call in message.get("tool_calls", ())]
    if "activations" not in names:
        return message
    calls = [(call["function"]["name"], call["function"]["arguments"]) for call in message["tool_calls"]]
    component = json.loads(calls[-1][1])["component"]
    return says(*calls, ("ablate", {"component": component, "kinds": list(KINDS), "n": 16}))


@dataclass(frozen=True)
class Rate:
    """One run: `seconds` from the first request to the last word, `passes` of the model, `requests` to the endpoint."""

    jobs: int
    delay: float
    components: int
    seconds: float
    passes: int
    requests: int

    @property
    def a_minute(self) -> float:
        return 60 * self.components / self.seconds

    @property
    def ideal(self) -> float:
        """Components a minute if nothing but the model's answers took time; without end where they take none."""
        each = self.delay * self.requests / self.components
        return 60 * min(self.jobs, self.components) / each if each else float("inf")


def rate(folder: Path, jobs: int, delay: float, components: Sequence[str]) -> tuple[Rate, dict[str, Any]]:
    """Labels the components with a model that takes `delay` seconds, unscored, and says what came out besides."""

    def model(body: Body) -> Message:
        time.sleep(delay)
        return labels_causally(body)

    with serving(model) as endpoint, open_store(folder / f"{jobs}-{delay:g}.db") as store:
        place = open_workplace(store, "tableau-llava", images=IMAGES)
        place.cache = folder / "cache"
        chosen, allowance = choose(components, place.extent), Allowance(jobs=jobs)
        planner = OpenAIPlanner("scripted", endpoint.url)
        run = begin(place, chosen, planner.name, {})
        place.prepare(chosen)
        place.context(allowance.budget())  # makes the index before the clock runs
        threads = Threads(place, run, planner, allowance, allowance.purse(), lambda _: None)
        before, began = passes(place), time.monotonic()
        asyncio.run(threads.carry(chosen))
        seconds = time.monotonic() - began
        found = Rate(jobs, delay, len(chosen), seconds, passes(place) - before, endpoint.asked)
        return found, facts(store, run)


def passes(place: Workplace) -> int:
    """How often the target's model has run, for plans and for activations."""
    source: Any = place.activations.source
    return place.engine.passes + int(source.passes)


def measured(
    folder: Path, jobs: Sequence[int], delay: float, components: Sequence[str], say: Callable[[str], None]
) -> dict[str, Any]:
    """One run for each number of jobs, and one by all of them at once whose model answers at once."""
    rates, alone = [], None
    changed: list[str] = []
    for number, wait in [*((number, delay) for number in jobs), (max(jobs), 0.0)]:
        found, said = rate(folder, number, wait, components)
        alone = alone or said
        changed += differences(alone, said, f"{number} jobs")
        rates.append(found)
        say(
            f"{found.jobs} jobs, {found.delay:g} s an answer: {found.a_minute:.1f} components a minute "
            f"(ideal {found.ideal:.1f}), {found.passes} passes"
        )
    return {
        "target": "tableau-llava",
        "images": IMAGES,
        "components": ",".join(components),
        "rates": [asdict(one) | {"a_minute": one.a_minute, "ideal": _finite(one.ideal)} for one in rates],
        "changed": changed,
    }


def _finite(value: float) -> float | None:
    return None if value == float("inf") else value


def main(
    components: Annotated[str, typer.Option(help="Which are labelled.")] = COMPONENTS,
    jobs: Annotated[str, typer.Option(help="Numbers of components at work at once.")] = "1,8,64",
    seconds: Annotated[float, typer.Option(min=0, help="What each answer takes.")] = 2.0,
    output: Annotated[Path, typer.Option("-o", "--output", help="File to write.")] = RESULTS
    / "throughput.json",
) -> None:
    """Label the same components by 1, 8 and 64 jobs with a language model that takes its time."""
    os.environ.setdefault("OPENAI_API_KEY", "none")
    with tempfile.TemporaryDirectory() as folder:
        found = measured(
            Path(folder),
            [int(one) for one in jobs.split(",")],
            seconds,
            [components],
            lambda line: typer.echo(line, err=True),
        )
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    typer.echo(str(output))
    raise typer.Exit(1 if found["changed"] else 0)


if __name__ == "__main__":
    typer.run(main)
