"""The command line: gathers the commands, and turns what went wrong into one sentence and an exit code.

Exit codes: 0 done, 1 failed, 2 usage, 3 partly done, 4 budget reached, 130 interrupted. With `--json` a failure is one
JSON object on stdout as well.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from experiments.commands import (
    ask,
    audit,
    bench,
    doctor,
    label,
    measure,
    record,
    reproduce,
    score,
    show,
    targets,
)
from experiments.commands.output import narrate, print_json, print_text
from experiments.driving import INTERRUPTED
from experiments.settings import as_defaults, read_settings
from store.errors import MaieuticError

app = typer.Typer(
    name="maieutic",
    help="Question a vision-language model until its parts can be described in words that survive tests.",
    add_completion=False,
    invoke_without_command=True,
)
COMMANDS: tuple[Callable[..., Any], ...] = (
    label.label,
    ask.ask,
    audit.audit,
    measure.index,
    measure.run,
    measure.replay,
    score.score,
    record.search,
    record.report,
    record.export,
    doctor.doctor,
)
SHOWN: tuple[Callable[..., Any], ...] = (
    record.runs,
    record.run,
    record.component,
    record.experiment,
    ask.finding,
)
for command in COMMANDS:
    app.command()(command)
for command in SHOWN:
    show.app.command()(command)
app.add_typer(show.app, name="show")
app.add_typer(targets.app, name="targets")
app.add_typer(bench.app, name="bench")
app.add_typer(reproduce.app, name="reproduce")


@app.callback()
def main(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    if version:
        from importlib.metadata import version as version_of

        print_text(f"maieutic {version_of('maieutic')}")
    elif context.invoked_subcommand is None:
        print_text(context.get_help())


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code. Our own bugs pass through with their traceback."""
    as_json = "--json" in arguments
    try:
        code = app(
            args=list(arguments), prog_name="maieutic", standalone_mode=False, default_map=defaults_here()
        )
    except MaieuticError as error:
        return report(error.kind, error.message, error.hint, error.exit_code, as_json)
    except typer.TyperException as error:
        return report("usage", error.format_message(), help_for(error), error.exit_code, as_json)
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except Exception as error:
        if as_json:
            print_json({"error": {"kind": "bug", "message": f"{type(error).__name__}: {error}", "hint": ""}})
        raise
    if code == INTERRUPTED:
        return report("interrupted", "interrupted", "", INTERRUPTED, as_json)
    return code if isinstance(code, int) else 0


def defaults_here() -> dict[str, Any]:
    """What `maieutic.toml` in this folder sets, for every command and those below it."""
    settings = read_settings(Path.cwd())
    inner = [
        info.name or info.callback.__name__
        for group in (show.app, targets.app, bench.app, reproduce.app)
        for info in group.registered_commands
        if info.callback
    ]
    outer = [info.name or info.callback.__name__ for info in app.registered_commands if info.callback]
    return as_defaults(settings, [*outer, "show", "targets", "bench", "reproduce"], inner)


def help_for(error: typer.TyperException) -> str:
    """Which `--help` explains the words that did not fit."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "maieutic"
    return f"see `{path} --help`"


def report(kind: str, message: str, hint: str, code: int, as_json: bool) -> int:
    """Say what went wrong on stderr, and on stdout where a machine reads; returns `code`."""
    narrate(f"Error: {message}" if kind != "interrupted" else "Interrupted.")
    if hint:
        narrate(f"Hint: {hint}")
    if as_json:
        print_json({"error": {"kind": kind, "message": message, "hint": hint}})
    sys.stdout.flush()
    return code
