"""`maieutic bench truth`: label components whose truth is known, and compare."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from experiments.commands.options import (
    BaseUrl,
    Device,
    JsonFlag,
    PlannerName,
    Programs,
    Quiet,
    Retries,
    Seed,
    Timeout,
)
from experiments.commands.output import narrate, print_json, progress
from experiments.commands.show import check_picture_name
from experiments.commands.workplaces import Service, chosen_planner
from store.errors import UsageError
from tools.budget import RETRIES, TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.builtin.without import Without
    from experiments.bench.report import Report
    from experiments.bench.setting import Bench

HOST = "tableau-llava"
UNTRAINED = "tableau-llava-random"
WORLD = "tableau:600/200/400"
KINDS = 11
"""Of function units (experiments/bench/kinds.py, which takes long to import)."""


def none_or_all(units: int) -> int:
    """Refuses function units of some kinds without the others."""
    if 0 < units < KINDS:
        raise typer.BadParameter(f"`{units}` are fewer than there are kinds: give 0, or {KINDS} at least")
    return units


Units = Annotated[
    int,
    typer.Option(
        min=0, max=1100, callback=none_or_all, help="Function units in all, as many of each of the 11 kinds."
    ),
]
Planted = Annotated[bool, typer.Option(help="Also plant neurons and heads into the model.")]
Neurons = Annotated[
    int, typer.Option(min=0, max=60, help="Planted neurons, half of them with a path to answers.")
]
Heads = Annotated[
    int,
    typer.Option(min=0, max=10, help="Planted heads that carry a color to the answer, if so many are spare."),
]
Untrained = Annotated[
    int, typer.Option(min=0, max=400, help="Components of a never-trained copy to label as well.")
]
Natural = Annotated[
    int, typer.Option(min=0, max=400, help="Living components of the model itself to label as well.")
]
Baselines = Annotated[bool, typer.Option(help="Also score labels made without experiments.")]
Parts = Annotated[
    str,
    typer.Option(
        metavar="PARTS",
        help="Label the units again without pairs, leads, facets or causal: a run for each, joined by commas.",
    ),
]
Figure = Annotated[Path | None, typer.Option(help="Draw where labels fail into this PNG file.")]
Page = Annotated[
    Path | None, typer.Option(help="Show right and wrong labels with their pictures in this HTML file.")
]
Painted = Annotated[
    str, typer.Option(help="Painted pictures to work with: `tableau`, or the first of each split.")
]
OwnStore = Annotated[
    str, typer.Option(help="The record; by default one of the bench's own in the cache folder.")
]


def truth(
    units: Units = 33,
    planted: Planted = True,
    neurons: Neurons = 4,
    heads: Heads = 1,
    untrained: Untrained = 0,
    natural: Natural = 0,
    baselines: Baselines = False,
    without: Parts = "",
    figure: Figure = None,
    page: Page = None,
    images: Painted = WORLD,
    store: OwnStore = "",
    planner: PlannerName = "builtin",
    base_url: BaseUrl = "",
    timeout: Timeout = TIMEOUT,
    retries: Retries = RETRIES,
    programs: Programs = True,
    jobs: Annotated[int, typer.Option(min=1, help="Components in work at once.")] = 1,
    seed: Seed = 0,
    device: Device = "auto",
    quiet: Quiet = False,
    as_json: JsonFlag = False,
) -> int:
    """Label components whose truth is known, under ordinary addresses, and compare."""
    from experiments.allowance import Allowance
    from experiments.bench.setting import set_up, set_up_natural, set_up_untrained
    from experiments.bench.truth import Beside, measure
    from experiments.commands.tables import line_of
    from experiments.commands.truth_tables import print_report
    from experiments.registry import open_target
    from store.database import open_store

    if figure is not None:
        check_picture_name(figure)
    lacking = lacking_of(planner, without)
    say = (lambda _: None) if quiet else narrate
    service = Service(base_url, timeout=timeout, retries=retries)
    with open_store(store or own_store(seed)) as record, progress() as tell:
        host = open_target(HOST, device)
        planting = partial(set_up, planted=planted, neurons=neurons, heads=heads)
        bench = planting(record, host, units, seed, images=images, progress=tell)
        never = living = None
        if untrained:
            random = open_target(UNTRAINED, device)
            never = set_up_untrained(record, random, untrained, seed, images=images, progress=tell)
        if natural:
            living = set_up_natural(record, host, natural, seed, images=images, progress=tell)
        beside = Beside(never, living, baselines, tuple(lacking))
        again = f", {len(bench.truths)} of them {len(lacking)} more times" if lacking else ""
        n = len(bench.truths) + untrained + natural
        say(f"{n} components{again}, seed {seed}; the record is `{record.where}`")
        report = measure(
            bench,
            chosen_planner(planner, service, record, programs=programs),
            beside,
            allowance=Allowance(jobs=jobs, programs=programs),
            tell=lambda one: say(line_of(one)),
        )
        if figure is not None:
            draw(report, figure, say)
        if page is not None:
            show(bench, report, page, say)
    if as_json:
        print_json(report.as_json())
    else:
        print_report(report)
    return 0


def lacking_of(planner: str, words: str) -> list[Without]:
    """What the planner lacks in each further run, beside what it lacks anyway.

    Raises UsageError for a planner that has no parts, and for words that name none.
    """
    from agent.builtin.without import BUILTIN, parts_in, without_of

    if not words:
        return []
    if planner.partition(":")[0] != BUILTIN:
        raise UsageError(
            f"`{planner}` has no parts that can be taken away",
            kind="planner",
            hint=f"leave `--without` out, or choose `--planner {BUILTIN}`",
        )
    return [without_of(planner) | parts_in(one) for one in words.split(",")]


def own_store(seed: int) -> Path:
    """The bench's own record of this seed, in a folder that is there."""
    from experiments.workplace import cache_folder

    own = cache_folder() / "bench" / f"truth-{seed}.db"
    own.parent.mkdir(parents=True, exist_ok=True)
    return own


def draw(report: Report, figure: Path, say: Callable[[str], None]) -> None:
    from experiments.bench.figure import draw_bench
    from experiments.tableau.drawing import save

    save(draw_bench(report.as_json()), figure)
    say(f"the figure is `{figure}`")


def show(bench: Bench, report: Report, page: Path, say: Callable[[str], None]) -> None:
    from experiments.bench.exhibits import examples
    from reports.examples import write_examples

    write_examples(
        bench.workplace.store.queries.run(report.run), examples(bench.workplace, report.found), page
    )
    say(f"the examples are on `{page}`")
