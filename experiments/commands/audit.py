"""`maieutic audit`: what a target does that it should not, as findings with controls, pages and JSON."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from experiments.commands.ending import BUDGET, INTERRUPTED, PARTLY, Stopped
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
from experiments.commands.places import lasting_images, lasting_judge, lasting_target
from store.audits import TOPICS
from store.errors import MaieuticError, UsageError, UserError

if TYPE_CHECKING:
    from store.audits import Audit

SHOWN_BY_ITSELF = Path("out/audit")
REMEMBERED = ("target", "images", "questions", "judge", "dtype", "seed", "n")


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
    from experiments.commands.label import same_target
    from experiments.commands.workplaces import opened_workplace
    from experiments.questions_file import beside
    from reports.audit import write
    from tools.budget import Budget

    asked: dict[str, Any] = {
        "target": lasting_target(target),
        "images": lasting_images(images),
        "questions": str(Path(questions).expanduser().absolute()) if questions else "",
        "judge": lasting_judge(judge),
        "dtype": dtype,
        "seed": seed,
        "n": n,
    }
    topics = chosen(topic)
    if resume:
        asked, topics = _remembered(resume, store)
    elif not target:
        raise UsageError("`TARGET` is missing", kind="usage", hint="such as `maieutic audit tableau-llava`")
    again = f"go on with `{shlex.join(['maieutic', 'audit', '--resume', resume or 'RUN', *_place(store)])}`"
    with (
        beside(asked["images"], asked["questions"]) as pictures,
        opened_workplace(
            asked["target"],
            store=store,
            images=pictures,
            judge=asked["judge"],
            device=device,
            dtype=asked["dtype"],
            seed=asked["seed"],
        ) as workplace,
    ):
        if resume:
            same_target(workplace, resume)
        run = resume or begin(workplace, topics, asked["n"], asked)
        again = again.replace("RUN", run) if not resume else again
        if not quiet:
            narrate(f"audit {run} of {workplace.target.name}: {', '.join(topics)}")
        budget = Budget(forwards=max_forwards or None, seconds=max_seconds or None)
        tell = narrate if not quiet else (lambda _: None)
        try:
            found = carry_on(workplace, run, topics, asked["n"], budget, tell)
        except KeyboardInterrupt:
            raise Stopped("interrupted", "interrupted", again, INTERRUPTED) from None
        except UserError:
            raise
        except MaieuticError as error:
            raise Stopped(
                error.message, error.kind, f"{error.hint or 'mend it'}, then {again}", PARTLY
            ) from error
        found = found.model_copy(update={"report": str(write(workplace.store, found, output))})
    _print(found, as_json)
    return BUDGET if found.status == "budget" else 0


def _remembered(run: str, store: str) -> tuple[dict[str, Any], tuple[Any, ...]]:
    """What the audit was begun with: a resumed audit is the same audit."""
    from store.database import known_store

    with known_store(store or None) as record:
        begun = record.queries.run(run)
    if begun.kind != "audit":
        raise UserError(f"`{run}` is no audit", kind="run", hint="`maieutic show runs` lists them")
    if begun.status == "budget":
        raise UserError(
            f"the audit `{run}` was concluded when its budget was spent",
            kind="run",
            hint="begin a new one with a larger budget",
        )
    asked = {name: begun.arguments[name] for name in REMEMBERED}
    return asked, tuple(begun.arguments["topics"])


def _place(store: str) -> list[str]:
    return ["--store", store] if store else []


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
