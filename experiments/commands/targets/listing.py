"""`maieutic targets list`: reads folders and cards, opens no model."""

from __future__ import annotations

from experiments.commands.options import JsonFlag
from experiments.commands.output import narrate, print_json, print_table
from experiments.registry import EMBEDDED


def show_list(as_json: JsonFlag = False) -> None:
    """The embedded targets, and whether their weights are here."""
    models = list(EMBEDDED.values())
    if as_json:
        print_json({"targets": [{"name": m.name, "about": m.about, "state": m.state} for m in models]})
        return
    print_table(("target", "what it is", "state"), [(m.name, m.about, m.state) for m in models])
    narrate("A LLaVA or CLIP folder, or a hub id, can stand wherever a name can.")
