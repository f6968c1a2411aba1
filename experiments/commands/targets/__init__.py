"""`maieutic targets`: which models can be studied, what they are made of, how well they answer."""

from __future__ import annotations

import typer

from experiments.commands.options import JsonFlag
from experiments.commands.targets.ask import ask
from experiments.commands.targets.check import check
from experiments.commands.targets.describe import describe
from experiments.commands.targets.listing import show_list

app = typer.Typer(help="List, describe, check and ask the models under study.", invoke_without_command=True)
app.command("list")(show_list)
app.command("describe")(describe)
app.command("check")(check)
app.command("ask")(ask)


@app.callback()
def targets(context: typer.Context, as_json: JsonFlag = False) -> None:
    if context.invoked_subcommand is None:
        show_list(as_json)
