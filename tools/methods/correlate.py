"""`correlate`: do two components go together over pictures, beside random components of their sites?

Reads the index's sample alone: no forward passes. The readings at which the two are closest are chosen on one half of
the pictures and the correlation is taken on the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from jaxtyping import Float
from pydantic import Field

from store.address import Address
from store.errors import PlannerError
from store.records import Quantity, Reading
from tools.context import ToolContext
from tools.methods.showing import Component
from tools.methods.values import others
from tools.scoring.bootstrap import resampled, resamples
from tools.scoring.correlation import correlations, pearson
from tools.tool import Arguments, Result, tool

CONTROLS = 24
"""Pairs of random components, one of either site."""
DRAWS = 500
FEWEST = 16
"""Pictures in the sample, at least."""


class CorrelateArguments(Arguments):
    component: Component
    other: Annotated[str, Field(description="The other component's address.")]


class Correlated(Result):
    """`readings` are those at which the two are closest."""

    components: tuple[str, str]
    readings: tuple[str, str]


@tool
def correlate(context: ToolContext, arguments: CorrelateArguments) -> Correlated:
    """Whether two components rise and fall together over pictures (`correlation`, at their closest readings).

    The control is the mean of the same number for random pairs of components from the two sites. Correlational: two
    components may go together and do different things.
    """
    first, second = context.address(arguments.component), context.address(arguments.other)
    if first == second:
        raise PlannerError(f"`{first}` is compared with itself", kind="arguments", hint="name two components")
    n = len(context.index.sample_numbers)
    if n < FEWEST:
        raise PlannerError(f"the index holds {n} pictures, too few to compare", kind="rare", hint="take more")
    order = context.random("correlate").permutation(n)
    halves = order[: n // 2], order[n // 2 :]
    one, two = (context.index.entry(address).readings for address in (first, second))
    tables = _table(context, first, one), _table(context, second, two)
    at = _closest(*(table[halves[0]] for table in tables))
    left, right = (table[halves[1]][:, place] for table, place in zip(tables, at, strict=True))
    drawn = resamples(range(len(left)), draws=DRAWS, seed=context.derived_seed(first, second, "correlate"))
    rho = resampled(pearson(left[:, None], right[:, None], drawn.weights), drawn).estimates()[0]
    controls = _controls(context, first, second, halves)
    control = float(np.mean(controls)) if len(controls) else None
    readings = one[at[0]], two[at[1]]
    return Correlated(
        components=(str(first), str(second)),
        readings=(str(readings[0]), str(readings[1])),
        quantities={
            "correlation": Quantity(
                value=rho.value,
                unit="correlation",
                ci=(rho.low, rho.high),
                n=rho.n,
                control=control,
                control_ci=_middle(controls),
            )
        },
        summary=(
            f"{first} ({readings[0]}) and {second} ({readings[1]}) go together at {rho.value:.2f} [{rho.low:.2f}, "
            f"{rho.high:.2f}] over {rho.n} pictures; random pairs of their sites at {control or 0:.2f}."
        ),
    )


def _controls(
    context: ToolContext, first: Address, second: Address, halves: Sequence[np.ndarray]
) -> list[float]:
    """The same choice and the same measurement for components of the same sites."""
    found = []
    partners = list(
        zip(
            others(context, first, CONTROLS, "correlate"),
            others(context, second, CONTROLS, "with"),
            strict=False,
        )
    )
    for left, right in partners:
        if left == right:
            continue
        tables = [
            _table(context, address, context.index.entry(address).readings) for address in (left, right)
        ]
        at = _closest(*(table[halves[0]] for table in tables))
        held = [table[halves[1]][:, [place]] for table, place in zip(tables, at, strict=True)]
        found.append(float(correlations(held[0].T, held[1])[0, 0]))
    return found


def _table(
    context: ToolContext, address: Address, readings: Sequence[Reading]
) -> Float[np.ndarray, "picture reading"]:
    return np.stack(
        [context.index.sample([address], reading)[:, 0].astype(np.float64) for reading in readings], axis=1
    )


def _closest(
    first: Float[np.ndarray, "picture reading"], second: Float[np.ndarray, "picture reading"]
) -> tuple[int, int]:
    """Where the correlation of a reading of the one with a reading of the other is largest."""
    found = correlations(first.T, second)
    place = int(found.argmax())
    return divmod(place, found.shape[1])


def _middle(values: Sequence[float]) -> tuple[float, float] | None:
    """The 95 % interval of the mean."""
    if len(values) < 2:
        return None
    error = 1.96 * float(np.std(values, ddof=1)) / len(values) ** 0.5
    return float(np.mean(values)) - error, float(np.mean(values)) + error
