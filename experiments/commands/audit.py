"""`maieutic audit`: what a target does that it should not, as findings with controls, pages and JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from experiments.commands.begun import begun, same_target
from experiments.commands.ending import BUDGET, resumable, resume_command
from experiments.commands.options import (
    Device,
    Images,
    JsonFlag,
    JudgeName,
    Output,
    Precision,
    Quiet,
    Seed,
    StorePlace,
    TargetName,
)
from experiments.commands.output import narrate, print_json, print_table, print_text
from experiments.commands.places import lasting
from experiments.commands.workplaces import opened_workplace, world_of
from store.audits import TOPICS
from store.errors import UsageError, UserError

if TYPE_CHECKING:
    from store.audits import Audit

SHOWN_BY_ITSELF = Path("out/audit")


def audit(
    target: TargetName = "",
    topic: Annotated[
        str, typer.Option(help=f"One or several of {', '.join(TOPICS)}, joined by commas.")
    ] = ",".join(TOPICS),
    images: Images = "",
    questions: Annotated[
        str, typer.Option(help="JSON lines with file_name, question, answer, about the folder of pictures.")
    ] = "",
    n: Annotated[int, typer.Option("--n", min=8, max=5000, help="Pictures a measured share.")] = 200,
    judge: JudgeName = "",
    resume: Annotated[str, typer.Option(metavar="RUN", help="Go on with an audit that was stopped.")] = "",
    output: Output = SHOWN_BY_ITSELF,
    max_forwards: Annotated[int, typer.Option(min=0, help="Rows through the model; 0: no limit.")] = 0,
    max_seconds: Annotated[float, typer.Option(min=0, help="Seconds that it may take; 0: no limit.")] = 0,
    store: StorePlace = "",
    seed: Seed = 0,
    device: Device = "auto",
    dtype: Precision = "float32",
    quiet: Quiet = False,
    as_json: JsonFlag = False,
) -> int:
    """Look for hallucination, spurious cues, dominance of text, and right answers from the wrong place."""
    from experiments.audit.run import begin, carry_on
    from experiments.audit.topics import chosen
    from experiments.questions_file import beside
    from reports.audit import write
    from tools.budget import Budget

    asked = lasting(target=target, images=images, judge=judge)
    asked |= {"questions": str(Path(questions).expanduser().absolute()) if questions else ""}
    asked |= {"dtype": dtype, "seed": seed, "n": n}
    topics = chosen(topic)
    if resume:
        known = _begun(resume, store)
        asked, topics = {name: known[name] for name in asked}, tuple(known["topics"])
    elif not target:
        raise UsageError("`TARGET` is missing", kind="usage", hint="such as `maieutic audit tableau-llava`")
    say = (lambda _: None) if quiet else narrate
    with beside(asked["images"], asked["questions"]) as pictures:
        world = world_of(asked) | {"images": pictures}
        with opened_workplace(**world, store=store, device=device) as workplace:
            run = resume or begin(workplace, topics, asked["n"], asked)
            same_target(workplace, run)
            say(f"audit {run} of {workplace.target.name}: {', '.join(topics)}")
            budget = Budget(forwards=max_forwards or None, seconds=max_seconds or None)
            with resumable(resume_command("audit", "--resume", run, store=store), UserError):
                found = carry_on(workplace, run, topics, asked["n"], budget, say)
            found = found.model_copy(update={"report": str(write(workplace.store, found, output))})
    _print(found, as_json)
    return BUDGET if found.status == "budget" else 0


def _begun(run: str, store: str) -> dict[str, Any]:
    """What the audit was begun with. Raises UserError for one that is over."""
    known = begun(run, store, "audit")
    if known.status == "budget":
        raise UserError(
            f"the audit `{run}` was concluded when its budget was spent",
            kind="run",
            hint="begin a new one with a larger budget",
        )
    return known.arguments


def _print(found: Audit, as_json: bool) -> None:
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    from reports.audit import STANDS

    print_text(found.summary)
    columns = ["topic", "suspected", "verdict", "effect#", "95 %", "control#", "q#", "receipts"]
    rows = [
        [
            one.topic,
            one.name,
            STANDS[one.verdict],
            f"{one.effect:+.3f}",
            f"[{one.ci[0]:+.3f}, {one.ci[1]:+.3f}]",
            f"{one.control:+.3f}",
            f"{one.q:.2g}",
            " ".join(f"[e{number}]" for number in one.evidence),
        ]
        for one in found.findings
    ]
    print_table(columns, rows)
    for one in found.unmeasured:
        print_text(f"not measured: {one.topic}, {one.reason}")
    print_text(f"run {found.run}; report: {found.report}")
