"""`maieutic label`: describe components, with receipts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from experiments.commands.begun import begun, same_target
from experiments.commands.ending import carried_on, ended, new_command, resume_command
from experiments.commands.options import (
    BaseUrl,
    DescriberName,
    Device,
    EditorName,
    Images,
    JsonFlag,
    JudgeName,
    PlannerName,
    Precision,
    PriceFile,
    Programs,
    Quiet,
    Retries,
    Seed,
    StorePlace,
    TargetName,
    Timeout,
)
from experiments.commands.output import narrate, print_json
from experiments.commands.places import lasting
from experiments.commands.tables import print_descriptions
from experiments.commands.workplaces import (
    Service,
    check_models,
    chosen_planner,
    opened_workplace,
    world_of,
)
from store.errors import UsageError
from tools.budget import CALLS, RETRIES, REVISIONS, TIMEOUT

if TYPE_CHECKING:
    from experiments.label import Labelled
    from experiments.workplace import Workplace

Limit = Annotated[
    int, typer.Option(min=1, help="Describe at most so many components now; --resume does the rest.")
]

Tokens = Annotated[
    int, typer.Option(min=0, help="Tokens that language models may cost the run; 0: no limit.")
]
Money = Annotated[float, typer.Option(min=0, help="Money that they may cost it, as in the price file.")]
TokensEach = Annotated[int, typer.Option(min=0, help="Tokens that they may cost a component.")]
MoneyEach = Annotated[float, typer.Option(min=0, help="Money that they may cost a component.")]
Revisions = Annotated[int, typer.Option(min=0, help="Times that a conclusion may be sent back.")]
Judged = Annotated[
    int, typer.Option(min=0, help="Test pictures that the scorer's judge sees of a component; 0: all.")
]
Context = Annotated[int, typer.Option(min=0, help="Tokens that the language model holds; 0: the usual.")]


def label(
    line: typer.Context,
    target: TargetName = "",
    components: Annotated[str, typer.Option(help="Such as `language.3.mlp[0:64],language.*.head.*`.")] = "",
    resume: Annotated[str, typer.Option(metavar="RUN", help="Go on with a run that was stopped.")] = "",
    images: Images = "",
    judge: JudgeName = "",
    editor: EditorName = "",
    planner: PlannerName = "builtin",
    base_url: BaseUrl = "",
    describer: DescriberName = "",
    prices: PriceFile = "",
    timeout: Timeout = TIMEOUT,
    retries: Retries = RETRIES,
    programs: Programs = True,
    jobs: Annotated[int, typer.Option(min=1, help="Components in work at once.")] = 1,
    limit: Limit = 1_000_000,
    max_calls: Annotated[int, typer.Option(min=1, help="Tool calls a component may cost.")] = CALLS,
    max_forwards: Annotated[int, typer.Option(min=0, help="Rows through the model; 0: no limit.")] = 0,
    max_seconds: Annotated[float, typer.Option(min=0, help="Seconds a component may take; 0: no limit.")] = 0,
    judged: Judged = 0,
    max_tokens: Tokens = 0,
    max_money: Money = 0,
    max_tokens_each: TokensEach = 0,
    max_money_each: MoneyEach = 0,
    max_revisions: Revisions = REVISIONS,
    context: Context = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would do, and stop.")] = False,
    store: StorePlace = "",
    seed: Seed = 0,
    device: Device = "auto",
    dtype: Precision = "float32",
    quiet: Quiet = False,
    as_json: JsonFlag = False,
) -> int:
    """Describe neurons and heads: experiments, words that cite them, and a blind test of the words."""
    from experiments.allowance import Allowance
    from experiments.label import begin, choose

    asked = lasting(target=target, images=images, judge=judge, editor=editor)
    asked |= {"components": components, "planner": planner, "describer": describer, "seed": seed}
    asked |= {"dtype": dtype, "calls": max_calls, "forwards": max_forwards, "seconds": max_seconds}
    asked |= {"judged": judged, "revisions": max_revisions, "context": context, "programs": programs}
    purses = {"tokens": max_tokens, "money": max_money}
    purses |= {"tokens_each": max_tokens_each, "money_each": max_money_each}
    asked |= purses
    if resume:
        known = begun(resume, store, "label").arguments
        allowed = known.get("programs", True)
        source = line.get_parameter_source("programs")
        if programs != allowed and source and source.name == "COMMANDLINE":
            check_programs(resume, allowed, known["planner"])
        asked |= {name: known[name] for name in asked if name in known} | {"programs": allowed}
        asked |= {name: limit for name, limit in purses.items() if limit}
    service = Service(base_url, prices, timeout, retries)
    check_words(asked)
    if not dry_run:
        check_models(asked, service, kept=bool(resume))
    say = (lambda _: None) if quiet else narrate
    with opened_workplace(**world_of(asked), store=store, service=service, device=device) as workplace:
        chosen = choose(asked["components"], workplace.extent)
        if dry_run:
            return print_estimate(workplace, len(chosen), as_json)
        maker = chosen_planner(
            asked["planner"],
            service,
            workplace.store,
            context=asked["context"],
            programs=asked["programs"],
            tell=workplace.progress,
        )
        run = resume or begin(workplace, chosen, maker.name, asked)
        same_target(workplace, run)
        say(f"run {run}: {len(chosen)} components of {workplace.target.name}")
        again = resume_command("label", "--resume", run, store=store, service=service)
        allowance = Allowance.of(asked, jobs)
        found = carried_on(workplace, run, maker, allowance, limit=limit, again=again, say=say)
    print_found(found, as_json)
    if told := found.spent.words():
        say(told)
    return ended(found, again, lambda failed: new_command(asked, failed, store, service))


def check_words(asked: dict[str, Any]) -> None:
    """Refuses a run that says nothing of what to describe, before anything is opened."""
    if not asked["target"] or not asked["components"]:
        missing = "TARGET" if not asked["target"] else "--components"
        raise UsageError(
            f"`{missing}` is missing",
            kind="usage",
            hint="such as `maieutic label tableau-llava --components 'language.3.mlp[0:8]'`",
        )


def check_programs(run: str, allowed: bool, planner: str) -> None:
    """Refuses to go on with programs where the run was begun without, or the other way round: it would be another run.
    The built-in planner writes none."""
    if planner.partition(":")[0] != "builtin":
        begun_with, other = ("allowed", "`--no-programs`") if allowed else ("switched off", "`--programs`")
        raise UsageError(
            f"run `{run}` was begun with programs {begun_with}",
            kind="usage",
            hint=f"begin a new run with {other}, or go on without that option",
        )


def print_estimate(workplace: Workplace, components: int, as_json: bool) -> int:
    """What a run would cost, in rows through the model, counted from its design."""
    from experiments.estimate import estimate

    found = estimate(workplace, components)
    if as_json:
        print_json(found.as_json())
    else:
        narrate(
            f"{components} components: about {found.forwards:,} rows through the model "
            f"({found.shared:,} shared, {found.each:,} a component), some {_time(found.seconds)} here"
        )
    return 0


def _time(seconds: float) -> str:
    return f"{seconds:.0f} seconds" if seconds < 100 else f"{seconds / 60:.0f} minutes"


def print_found(found: Labelled, as_json: bool) -> None:
    from experiments.label import summary

    if as_json:
        print_json(found.as_json())
        return
    counts = ", ".join(f"{number} {name}" for name, number in summary(found.descriptions).items())
    print_descriptions(found.descriptions, f"run {found.run}: {counts}")
