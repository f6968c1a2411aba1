"""`maieutic bench edits`: how often an editor does what it is told, and how far the proof of it can be trusted."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from experiments.commands.options import Device, EditorName, JsonFlag, Seed
from experiments.commands.output import narrate, print_json, print_table
from experiments.commands.show import check_picture_name
from store.errors import UsageError

if TYPE_CHECKING:
    from tools.editing.verify import Verifier


def edits(
    editor: EditorName = "tableau-pix2pix",
    n: Annotated[int, typer.Option(min=1, help="Edits of each of seven kinds.")] = 72,
    verifier_n: Annotated[
        int,
        typer.Option(
            min=0, help="Edits of each kind whose right and wrong outcomes try the verifier; 0: none."
        ),
    ] = 24,
    wear: Annotated[
        float, typer.Option(min=0, max=0.9, help="Share of noise laid on those outcomes; 0: squeezed alone.")
    ] = 0.2,
    seed: Seed = 0,
    figure: Annotated[
        Path | None, typer.Option(help="Put a sheet of accepted and rejected edits into this PNG file.")
    ] = None,
    device: Device = "auto",
    as_json: JsonFlag = False,
) -> None:
    """Try an editor on pictures of the embedded world, and the verifier on outcomes whose truth is known."""
    if figure is not None:
        check_picture_name(figure)
    if not editor or editor == "exact":
        raise UsageError(
            "the exact editor needs no bench",
            kind="usage",
            hint="name a model: `tableau-pix2pix`, a folder, or `openai:MODEL`",
        )
    from experiments.bench.edits import try_editor
    from experiments.bench.edits_sheet import edits_sheet
    from experiments.editing import tableau_verifier
    from experiments.registry import open_editor
    from tools.editing.attempts import Attempts

    began = time.monotonic()
    model = open_editor(editor, device)
    verifier = tableau_verifier()
    tries = try_editor(Attempts(model, verifier), n, seed)
    narrate(f"tried {len(tries.tried)} edits in {time.monotonic() - began:.0f} s")
    found: dict[str, Any] = {
        "editor": model.name,
        "fingerprint": model.fingerprint,
        "settings": model.settings.model_dump(exclude_none=True),
        "judge": verifier.judge_name,
        "seed": seed,
        **tries.as_json(),
    }
    if verifier_n:
        found["verifier"] = verdicts(model, verifier, verifier_n, wear, seed)
    found["seconds"] = round(time.monotonic() - began)
    if figure is not None and (sheet := edits_sheet(tries)) is not None:
        sheet.save(figure, optimize=True)
        narrate(f"the sheet is `{figure}`")
    if as_json:
        print_json(found)
    else:
        print_edits(found)


def verdicts(model: object, verifier: Verifier, n: int, wear: float, seed: int) -> dict[str, Any]:
    """What the verifier says of painted outcomes, worn by the editor's own pipeline where it has one."""
    from experiments.bench.edits import try_verifier, unworn
    from experiments.bench.worn import worn_by

    pipeline = getattr(model, "pipeline", None)
    worn = worn_by(pipeline, wear) if pipeline is not None else unworn
    told = try_verifier(verifier, worn, n, seed).as_json()
    return told | {"wear": wear if pipeline is not None else None}


def print_edits(found: dict[str, Any]) -> None:
    """Rates by kind, then what the verifier got wrong."""
    rows = [
        [kind, *(_share(shares[name]) for name in ("intended_first", "first_try", "within_three"))]
        for kind, shares in [*found["kinds"].items(), ("all", found)]
    ]
    print_table(
        ["edit", "meant change at first try#", "proved at first try#", "proved within three#"],
        rows,
        title=f"{found['editor']}, {found['n']} edits, proved by {found['judge']}",
    )
    if verifier := found.get("verifier"):
        print_table(
            ["verifier", "share#"],
            [
                ["right outcomes that it accepts (recall)", _share(verifier["recall"])],
                ["right ones among those that it accepts (precision)", _share(verifier["precision"])],
                *(
                    [f"accepted although {how}", _share(share)]
                    for how, share in verifier["wrongly_accepted"].items()
                ),
            ],
            title=f"painted outcomes of known truth, n = {verifier['n']}",
        )


def _share(share: dict[str, Any] | None) -> str:
    if share is None:
        return "–"
    low, high = share["ci"]
    return f"{share['value']:.2f} [{low:.2f}, {high:.2f}] n {share['n']}"
