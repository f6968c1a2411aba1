"""Commands that measure outside a labelling run: `index`, `run TOOL`, `run program FILE`, `replay EXPERIMENT`."""

from __future__ import annotations

import json
import math
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from experiments.commands.options import (
    BaseUrl,
    DescriberName,
    Device,
    EditorName,
    Images,
    JsonFlag,
    JudgeName,
    Precision,
    PriceFile,
    Retries,
    Seed,
    StorePlace,
    TargetName,
    Timeout,
)
from experiments.commands.output import narrate, print_json, print_text
from experiments.commands.places import lasting
from store.errors import UsageError, UserError
from tools.budget import RETRIES, TIMEOUT

if TYPE_CHECKING:
    from experiments.workplace import Workplace
    from store.errors import MaieuticError
    from store.records import Experiment
    from store.views import RunEnd

DIRECT = "direct"
WORLD = ("images", "judge", "editor", "describer", "dtype")
"""Words of a command that an experiment needs to be made again, besides its own arguments."""
CLOSE = 1e-4
"""Difference of numbers that a replay may show."""


def index(
    target: TargetName,
    images: Images = "",
    judge: JudgeName = "",
    store: StorePlace = "",
    device: Device = "auto",
    dtype: Precision = "float32",
    as_json: JsonFlag = False,
) -> None:
    """Look through a collection once for all components; labelling does it by itself when it is missing."""
    from experiments.commands.workplaces import opened_workplace

    with opened_workplace(
        target, store=store, images=images, judge=judge, device=device, dtype=dtype
    ) as workplace:
        built = workplace.index
    told = {"target": target, "components": len(built), "images": images or "tableau"}
    if as_json:
        print_json(told)
    else:
        print_text(f"{told['components']} components of {target} over {told['images']}")


def run(
    tool: Annotated[
        str, typer.Argument(help="A tool's name (`maieutic show tools` lists them), or `program`.")
    ],
    target: Annotated[
        str, typer.Argument(metavar="TARGET|FILE", help="The target; of `program`, its file.")
    ] = "tableau-llava",
    of_program: Annotated[
        str, typer.Argument(metavar="TARGET", help="The target, after a program's file.", show_default=False)
    ] = "",
    arguments: Annotated[
        list[str] | None,
        typer.Option("--set", "-s", metavar="NAME=VALUE", help="An argument; JSON or plain words."),
    ] = None,
    images: Images = "",
    judge: JudgeName = "",
    editor: EditorName = "",
    describer: DescriberName = "",
    base_url: BaseUrl = "",
    prices: PriceFile = "",
    timeout: Timeout = TIMEOUT,
    retries: Retries = RETRIES,
    store: StorePlace = "",
    seed: Seed = 0,
    device: Device = "auto",
    dtype: Precision = "float32",
    as_json: JsonFlag = False,
) -> None:
    """Run one experiment and record it: `maieutic run top_exemplars -s component=language.3.mlp.17`.

    `maieutic run program FILE [TARGET]` runs a program over the tools, in the sandbox that planners' programs run in.
    """
    from experiments.commands.program import PROGRAM, run_program
    from experiments.commands.workplaces import Service, opened_workplace
    from store.errors import PlannerError
    from tools.door import check

    words = dict(read_argument(text) for text in arguments or ())
    file = ""
    if tool == PROGRAM:
        if words:
            raise UsageError(
                "a program takes no `--set`", kind="usage", hint="write arguments into the program itself"
            )
        file, target = target, of_program or "tableau-llava"
    else:
        try:
            check(tool, words)
        except PlannerError as error:
            raise UsageError(plainly(error), kind=error.kind, hint=error.hint) from error
        if of_program:
            raise UsageError(
                f"`{of_program}` is one word too many", kind="usage", hint="give TOOL and TARGET"
            )
    world = lasting(target=target, images=images, judge=judge, editor=editor)
    world |= {"describer": describer, "dtype": dtype, "seed": seed}
    service = Service(base_url, prices, timeout, retries)
    opening = partial(opened_workplace, **world, store=store, service=service, device=device)
    kept = {name: world[name] for name in WORLD}
    if file:
        run_program(file, opening, kept, as_json)
        return
    with opening() as workplace:
        found = measure(workplace, tool, words, kept)
    print_experiment(found, as_json)


def replay(
    number: Annotated[str, typer.Argument(help="Such as e12.")],
    store: StorePlace = "",
    base_url: BaseUrl = "",
    timeout: Timeout = TIMEOUT,
    retries: Retries = RETRIES,
    device: Device = "auto",
    as_json: JsonFlag = False,
) -> int:
    """Run a recorded experiment again and compare its numbers."""
    from experiments.commands.record import number_of
    from experiments.commands.workplaces import Service, opened_workplace
    from store.database import known_store

    wanted = number_of(number)
    with known_store(store or None) as record:
        old = record.queries.experiment(wanted, test=True)
        begun = record.queries.run(old.run)
    kept = {name: begun.arguments[name] for name in WORLD if name in begun.arguments}
    service = Service(base_url, timeout=timeout, retries=retries)
    with opened_workplace(
        begun.target, **kept, store=store, service=service, device=device, seed=old.seed
    ) as workplace:
        if workplace.target.fingerprint != old.fingerprint:
            raise UserError(
                f"`{begun.target}` has other weights now than when e{old.number} was measured",
                kind="changed_weights",
                hint="restore the weights, or measure anew with `maieutic run`",
            )
        new = measure(workplace, old.tool, old.arguments, kept)
    apart = differences(old, new)
    if as_json:
        print_json({"experiment": old.number, "again": new.number, "differences": apart})
    else:
        print_text(
            f"e{old.number} again as e{new.number}: " + ("the same" if not apart else f"differs in {apart}")
        )
    return 1 if apart else 0


def measure(workplace: Workplace, tool: str, words: dict[str, Any], world: dict[str, Any]) -> Experiment:
    """One call through the door, in a run of its own that remembers the world it was made in."""
    from store.errors import PlannerError
    from store.recorder import Turn
    from tools.budget import Budget
    from tools.door import call

    workplace.register()
    recorder = workplace.store.recorder
    run = recorder.open_run(
        "direct", workplace.target.fingerprint, {"tool": tool} | world, workplace.seed, "direct"
    )
    how: RunEnd = "failed"
    try:
        found = call(workplace.context(Budget()), Turn(run, DIRECT, 0, 0), tool, words)
        how = "done"
    except PlannerError as error:
        raise UserError(plainly(error), kind=error.kind, hint=error.hint) from error
    except KeyboardInterrupt:
        how = "interrupted"
        raise
    finally:
        recorder.end_run(run, how)
    return found


def plainly(error: MaieuticError) -> str:
    """The message without the hint, which people see on a line of its own."""
    return error.message.removesuffix(f"; {error.hint}") if error.hint else error.message


def read_argument(text: str) -> tuple[str, Any]:
    """`name=value`, the value as JSON where it is JSON, else as words."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(f"`{text}` is no argument", kind="usage", hint="write it as NAME=VALUE")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


def differences(old: Experiment, new: Experiment) -> dict[str, list[float | None]]:
    """Quantities whose values are further apart than CLOSE, old and new; None where one is gone."""
    before, after = old.result.get("quantities", {}), new.result.get("quantities", {})
    found: dict[str, list[float | None]] = {}
    for name in before:
        value, again = before[name]["value"], after.get(name, {}).get("value")
        if again is None or not math.isclose(value, again, rel_tol=CLOSE, abs_tol=CLOSE):
            found[name] = [value, again]
    return found


def print_experiment(found: Experiment, as_json: bool) -> None:
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    narrate(f"recorded as e{found.number} in run {found.run}")
    print_text(str(found.result["summary"]))
