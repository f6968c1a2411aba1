"""`python -m experiments.bench.by_eye`: an editor's first tries on sheets for a rater to judge, beside the verifier.

`draw` paints the sheets without a word of what the verifier says, and keeps its verdicts in a file apart; `compare`
takes the rater's verdicts and says how often the two agree. Knows trials and files; knows no world.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from experiments.bench.edits import share, try_editor
from experiments.editing import tableau_verifier
from experiments.registry import open_editor
from experiments.tableau.card import RESULTS
from experiments.tableau.sheet import beside, picture_sheet
from store.errors import MaieuticError, UserError
from tools.editing.attempts import Attempts

EACH, SHEET, COLUMNS = 29, 40, 5
"""Edits of every kind, pairs on a sheet, and pairs beside one another."""
RIGHT, MORE, NOT = "r", "m", "n"
"""A rater's verdicts: what was asked is there and nothing else changed; more changed; what was asked is not there."""
VERDICTS, EYE = "verdicts.json", "edits-by-eye.json"
app = typer.Typer(add_completion=False, help=__doc__, no_args_is_help=True)


@app.command()
def draw(
    out: Annotated[Path, typer.Option("--out", "-o", help="Where sheets and verdicts go.")],
    editor: Annotated[str, typer.Option(help="As at `maieutic bench edits`.")] = "tableau-pix2pix",
    n: Annotated[int, typer.Option(min=1, help="How many tries are shown.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Draws pictures, instructions and noise.")] = 400,
) -> None:
    """Paint the sheets, and keep what the verifier says apart."""
    model = open_editor(editor, "auto")
    tries = try_editor(Attempts(model, tableau_verifier(), most=1), EACH, seed)
    order = sorted(range(len(tries.tried)), key=lambda number: (number % EACH, number))[:n]
    out.mkdir(parents=True, exist_ok=True)
    shown = []
    for number in order:
        trial, tried = tries.trials[number], tries.tried[number]
        (attempt,), (picture,) = tried.attempts, tried.pictures
        before = trial.planned.before.image
        shown.append((beside(before, picture or before), attempt.words, attempt.accepted, trial.kind))
    for start in range(0, len(shown), SHEET):
        part = shown[start : start + SHEET]
        sheet = picture_sheet(
            [pair for pair, *_ in part],
            [f"{start + place}: {words}" for place, (_, words, *_) in enumerate(part)],
            scale=1,
            columns=COLUMNS,
            title=f"{start} to {start + len(part) - 1}: before and after",
        )
        sheet.save(out / f"sheet-{start // SHEET}.png")
    record = {
        "editor": model.name,
        "fingerprint": model.fingerprint,
        "seed": seed,
        "words": [words for _, words, *_ in shown],
        "kinds": [kind for *_, kind in shown],
        "accepted": [accepted for _, _, accepted, _ in shown],
    }
    (out / VERDICTS).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(f"{len(shown)} tries on sheets in `{out}`")


@app.command()
def compare(
    out: Annotated[Path, typer.Option("--out", "-o", help="Where `draw` put the verifier's verdicts.")],
    labels: Annotated[Path, typer.Option(help="One letter a try, in order: r, m or n; blanks don't count.")],
    rater: Annotated[str, typer.Option(help="Who judged: a person, a model, how often.")],
    into: Annotated[Path, typer.Option(help="Where the record goes.")] = RESULTS / EYE,
) -> None:
    """Hold a rater's verdicts beside the verifier's."""
    known = json.loads((out / VERDICTS).read_text(encoding="utf-8"))
    seen = "".join(labels.read_text(encoding="utf-8").split())
    found = agreement(known, seen) | {"rater": rater}
    into.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps({name: found[name] for name in ("n", "right", "precision", "recall")}))


def agreement(known: dict[str, Any], seen: str) -> dict[str, Any]:
    """Shares of what a rater calls right among accepted tries (precision), and accepted among right (recall).

    Raises UserError for verdicts that are not one of three letters a try.
    """
    if len(seen) != len(known["accepted"]) or set(seen) - {RIGHT, MORE, NOT}:
        raise UserError(
            f"{len(seen)} verdicts {''.join(sorted(set(seen)))!r} for {len(known['accepted'])} tries",
            kind="labels",
            hint=f"write one of {RIGHT}, {MORE}, {NOT} for every try, in order",
        )
    right = [letter == RIGHT for letter in seen]
    both = sum(one and other for one, other in zip(right, known["accepted"], strict=True))
    return {
        **known,
        "by_eye": seen,
        "n": len(seen),
        "right": share(sum(right), len(seen)),
        "asked_for_is_there": share(sum(letter != NOT for letter in seen), len(seen)),
        "precision": share(both, sum(known["accepted"])),
        "recall": share(both, sum(right)),
    }


def main() -> int:
    """Runs a command; a mistake with a remedy is one sentence and an exit code."""
    try:
        app(prog_name="python -m experiments.bench.by_eye", standalone_mode=False)
    except MaieuticError as error:
        print(f"Error: {error.message}\nHint: {error.hint}", file=sys.stderr)
        return error.exit_code
    except typer.TyperException as error:
        print(f"Error: {error.format_message()}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
