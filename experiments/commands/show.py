"""`maieutic show`: look at what the house knows, without any model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from experiments.commands.options import JsonFlag, Seed
from experiments.commands.output import narrate, print_json, print_table, print_text
from store.errors import UsageError

app = typer.Typer(help="Look at what is known, without any model.", no_args_is_help=True)

PICTURES = (".png", ".jpg", ".jpeg", ".webp")


@app.command()
def world(
    output: Annotated[Path, typer.Option("-o", "--output", help="Picture file to write.")] = Path(
        "world.png"
    ),
    count: Annotated[int, typer.Option(min=1, max=200, help="How many scenes.")] = 24,
    seed: Seed = 0,
    as_json: JsonFlag = False,
) -> None:
    """Paint a sheet of scenes from the embedded world, each with its caption."""
    check_picture_name(output)
    from experiments.tableau.captions import caption
    from experiments.tableau.data import scenes as drawn
    from experiments.tableau.sheet import contact_sheet

    scenes = list(drawn("check", count, seed))
    captions = [caption(scene) for scene in scenes]
    sheet = contact_sheet(scenes, captions, title=f"The embedded world: {count} scenes, seed {seed}")
    output.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(output)
    if as_json:
        print_json({"path": str(output), "seed": seed, "captions": captions})
    else:
        narrate(f"{count} scenes, {sheet.width}×{sheet.height} pixels")
        print_text(str(output))


@app.command()
def pictures(
    folder: Annotated[Path, typer.Option("-o", "--output", help="New folder for the PNG files.")],
    images: Annotated[
        str, typer.Option(help="`tableau`, or the first of each split: `tableau:600/250/400`.")
    ] = "tableau",
    as_json: JsonFlag = False,
) -> None:
    """Paint the embedded world's pictures as PNG files with their questions, a folder such as anybody has."""
    from experiments.tableau.files import write_pictures
    from experiments.worlds import tableau_sources

    number = write_pictures(tableau_sources(images), folder)
    if as_json:
        print_json({"path": str(folder), "pictures": number})
    else:
        narrate(f"{number} pictures with their questions")
        print_text(str(folder))


@app.command()
def tools(as_json: JsonFlag = False) -> None:
    """List the tools: what each measures, and what it takes; with --json the schemas that language models read."""
    import tools.methods  # noqa: F401  # registers every tool
    from tools.tool import TOOLS

    chosen = [TOOLS[name] for name in sorted(TOOLS)]
    if as_json:
        print_json({"tools": [tool.schema() for tool in chosen]})
        return
    rows = [[tool.name, tool.about, ", ".join(tool.takes)] for tool in chosen]
    print_table(["tool", "what it says", "arguments"], rows, title=f"{len(rows)} tools")


def check_picture_name(output: Path) -> None:
    """Refuse a name that says no picture format before anything is drawn."""
    if output.suffix.lower() not in PICTURES:
        raise UsageError(
            f"`{output}` does not say which picture format to write",
            kind="usage",
            hint=f"end the name in one of {', '.join(PICTURES)}",
        )
