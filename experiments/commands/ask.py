"""`maieutic ask`: a question in plain words, answered with receipts; and how findings are printed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from experiments.commands.options import (
    BaseUrl,
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
from experiments.commands.output import narrate, print_json, print_table, print_text
from experiments.commands.places import lasting, lasting_target
from experiments.commands.workplaces import (
    Service,
    check_models,
    chosen_planner,
    opened_workplace,
    world_of,
)
from tools.budget import RETRIES, TIMEOUT

if TYPE_CHECKING:
    from agent.ask.why import Shown
    from experiments.workplace import Workplace
    from store.database import Store
    from store.records import AnswerRow
    from store.views import Found

BUDGET = 4
"""Exit code of a question that its budget ended."""
CALLS = 16


def ask(
    target: TargetName,
    text: Annotated[
        str, typer.Argument(metavar="QUESTION", help="In plain words; see the README for kinds.")
    ],
    image: Annotated[
        str, typer.Option(help="For a question why: a picture's number or key, or a file.")
    ] = "",
    question: Annotated[str, typer.Option(help="For a question why: what was asked about the picture.")] = "",
    against: Annotated[
        str, typer.Option(metavar="TARGET", help="Ask another target the same, and compare the two.")
    ] = "",
    images: Images = "",
    judge: JudgeName = "",
    editor: EditorName = "",
    planner: PlannerName = "builtin",
    base_url: BaseUrl = "",
    prices: PriceFile = "",
    timeout: Timeout = TIMEOUT,
    retries: Retries = RETRIES,
    programs: Programs = True,
    max_tokens: Annotated[
        int, typer.Option(min=0, help="Tokens that a language model may cost; 0: no limit.")
    ] = 0,
    max_money: Annotated[
        float, typer.Option(min=0, help="Money that it may cost; needs --prices; 0: no limit.")
    ] = 0,
    max_calls: Annotated[int, typer.Option(min=1, help="Tool calls that the answer may cost.")] = CALLS,
    max_forwards: Annotated[int, typer.Option(min=0, help="Rows through the model; 0: no limit.")] = 0,
    max_seconds: Annotated[float, typer.Option(min=0, help="Seconds that it may take; 0: no limit.")] = 0,
    store: StorePlace = "",
    seed: Seed = 0,
    device: Device = "auto",
    dtype: Precision = "float32",
    quiet: Quiet = False,
    as_json: JsonFlag = False,
) -> int:
    """Ask what a component does, which read or carry a concept, whether it is used, why an answer; with receipts."""
    from experiments.allowance import Allowance
    from experiments.asking import ask as answered
    from experiments.driving import in_this_process
    from experiments.terms import Terms

    words = lasting(target=target, images=images, judge=judge, editor=editor)
    words |= {"against": lasting_target(against)} if against else {}
    words |= {"planner": planner, "seed": seed, "dtype": dtype, "programs": programs}
    limits = {"calls": max_calls, "forwards": max_forwards, "seconds": max_seconds}
    limits |= {"tokens": max_tokens, "money": max_money}
    service = Service(base_url, prices, timeout, retries)
    check_models(words | limits, service)
    with opened_workplace(**world_of(words), store=store, service=service, device=device) as workplace:
        terms = Terms(
            chosen_planner(planner, service, workplace.store, programs=programs),
            words,
            Allowance.of(words | limits),
            Allowance(programs=programs),
            shown=shown_in(workplace, image, question),
            drive=in_this_process("ask again; what was measured is kept"),
        )
        found = answered(workplace, text, terms, beside(workplace, words, device))
        told = as_told(workplace.store, found.found)
    if not quiet:
        narrate(f"understood: {found.found.finding.understood}")
        narrate(f"{found.made} experiments measured, {found.reused} found in the store")
    print_finding(told, found.found, as_json)
    return BUDGET if found.status == "budget" else 0


def beside(workplace: Workplace, words: dict[str, Any], device: str) -> Workplace | None:
    """The other target before the same pictures, with the same store."""
    from experiments.workplace import open_workplace

    if "against" not in words:
        return None
    return open_workplace(
        workplace.store,
        words["against"],
        images=words["images"] or None,
        judge=words["judge"] or None,
        device=device,
        dtype=words["dtype"],
        seed=workplace.seed,
        progress=workplace.progress,
    )


def shown_in(workplace: Workplace, image: str, question: str) -> Shown | None:
    """The picture that a question is about; a file is put on record first, so that its key finds it again."""
    from agent.ask.why import Shown

    if not image or not question:
        return None
    if image.isdecimal():
        return Shown(int(image), question)
    path = Path(image).expanduser()
    if not path.is_file():
        return Shown(image, question)
    from tools.budget import Budget
    from tools.images import open_image
    from tools.methods.showing import keep_made
    from tools.stimuli import Stimulus

    picture = Stimulus("", open_image(path))
    stimulus = Stimulus(f"given/{picture.sha256[:16]}", picture.image)
    keep_made(workplace.context(Budget()), stimulus, "given")
    return Shown(stimulus.key, question)


def as_told(store: Store, found: Found) -> dict[str, Any]:
    """The shape of the public contract. What the sealed test says of a description is looked up where it stands."""
    finding = found.finding
    told = finding.model_dump(mode="json", exclude={"answer", "described"})
    described = []
    for place in finding.described:
        one = store.queries.description(place.run, place.component, test=True)
        if one is not None:
            kept = one.model_dump(mode="json", include={"status", "label", "scores"})
            described.append(place.model_dump() | kept)
    return {
        "finding": found.name,
        "run": found.run,
        **told,
        "answer": finding.answer or None,
        "described": described,
    }


def print_finding(told: dict[str, Any], found: Found, as_json: bool) -> None:
    if as_json:
        print_json(told)
        return
    from reports.findings import WHETHER

    finding = found.finding
    if finding.answer:
        sure = f"{finding.verdict.capitalize()}. " if finding.verdict and finding.kind in WHETHER else ""
        print_text(sure + finding.answer)
    if finding.reason:
        print_text(f"Not known: {finding.reason}")
    for one in told["described"]:
        rho = one["scores"].get("pearson")
        tested = f", test ρ {rho['value']:.2f} [{rho['ci'][0]:.2f}, {rho['ci'][1]:.2f}]" if rho else ""
        print_text(f"  {one['component']}: “{one['label']}”, {one['status']}{tested} (run {one['run']})")
    if finding.rows:
        columns = ["component", "measure", "value#", "95 %", "control#", "n#", "receipt", ""]
        print_table(columns, [_cells(one) for one in finding.rows])
    print_text(f"finding {found.name}; `maieutic report {found.run}` writes its page")


def _cells(one: AnswerRow) -> list[str]:
    return [
        f"{one.component} ({one.target})" if one.target else one.component,
        one.measure,
        f"{one.value:.3f}",
        f"[{one.ci[0]:.3f}, {one.ci[1]:.3f}]" if one.ci else "–",
        f"{one.control:.3f}" if one.control is not None else "–",
        str(one.n) if one.n is not None else "–",
        " ".join(f"[e{number}]" for number in one.evidence),
        one.told,
    ]


def finding(
    name: Annotated[str, typer.Argument(metavar="FINDING", help="Such as abcd2345/1, or a run of kind ask.")],
    store: StorePlace = "",
    as_json: JsonFlag = False,
) -> None:
    """Show an answer: the question, what was measured, and the receipts."""
    from store.database import known_store
    from store.errors import UsageError

    run, slash, number = name.partition("/")
    if slash and not (number.isascii() and number.isdigit()):
        raise UsageError(
            f"`{name}` is no finding", kind="usage", hint="give RUN/NUMBER, such as `abcd2345/1`"
        )
    with known_store(store or None) as record:
        found = record.queries.finding(run, int(number or 1))
        told = as_told(record, found)
    if not as_json:
        print_text(f"{found.finding.question} (understood: {found.finding.understood})")
    print_finding(told, found, as_json)
