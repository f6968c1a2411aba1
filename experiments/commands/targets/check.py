"""`maieutic targets check`: accuracy by question kind on fresh balanced questions, with the grey-picture control."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from experiments.commands.options import Device, JsonFlag, Precision, Seed
from experiments.commands.output import print_json, print_table, progress
from experiments.commands.targets.opening import Name, opened


def check(
    name: Name,
    n: Annotated[int, typer.Option("--n", min=2, help="Questions per kind.")] = 500,
    seed: Seed = 0,
    device: Device = "auto",
    dtype: Precision = "float32",
    as_json: JsonFlag = False,
) -> None:
    """Measure a target on balanced questions about fresh scenes, and again with a grey picture."""
    target = opened(name, device, dtype)
    from experiments.tableau.check import check as measure

    with progress() as tell:
        result = measure(target, n, seed, progress=tell)
    if as_json:
        print_json(result)
        return
    print_table(
        ("kind", "accuracy", "n#", "chance#", "grey picture"),
        [kind_row(kind, values) for kind, values in result["kinds"].items()],
        title=f"{target.name} · {target.fingerprint[:12]} · seed {seed}",
    )


def kind_row(kind: str, values: Mapping[str, Any]) -> tuple[str, ...]:
    grey = values.get("grey")
    return (
        kind,
        with_interval(values),
        str(values["n"]),
        f"{values['chance']:.3f}",
        with_interval(grey) if grey else "",
    )


def with_interval(values: Mapping[str, Any]) -> str:
    low, high = values["ci"]
    return f"{values['accuracy']:.3f} [{low:.3f}, {high:.3f}]"
