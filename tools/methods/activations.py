"""`activations`: a component's values on named pictures, or on pictures with a phrase against pictures without it.

Knows piles and contrasts; the judge decides which picture is which, blind to every activation.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
from jaxtyping import Float
from pydantic import Field, model_validator

from store.address import Address
from store.records import Model, Quantity, Reading
from tools.context import ToolContext
from tools.methods.contrasts import auroc, between, with_control
from tools.methods.piles import Piles, piles, presence_of
from tools.methods.showing import Component, Named, chosen
from tools.methods.values import known, others, unit, values
from tools.scoring.bootstrap import resampled, resamples
from tools.scoring.correlation import pearson
from tools.scoring.retrieval import HOLDS
from tools.tool import Arguments, Result, tool

DRAWS = 500


class ActivationsArguments(Arguments):
    component: Component
    reading: Reading = Reading()
    images: Annotated[tuple[Named, ...], Field(max_length=256, description="Pictures to read.")] = ()
    concept: Annotated[
        str, Field(max_length=200, description="A phrase that splits pictures: `red star`, `star | moon`.")
    ] = ""
    n: Annotated[int, Field(ge=16, le=1024, description="Pictures to compare, half of each kind.")] = 256

    @model_validator(mode="after")
    def _one_of_two(self) -> ActivationsArguments:
        if bool(self.images) == bool(self.concept):
            raise ValueError("give either `images` or a `concept`")
        return self


class Value(Model):
    """`value` in activations, `z` in sd above the mean over all pictures."""

    key: str
    value: float
    z: float


class Activations(Result):
    """`values` for named pictures."""

    component: str
    reading: Reading
    concept: str = ""
    values: tuple[Value, ...] = ()


@tool
def activations(context: ToolContext, arguments: ActivationsArguments) -> Activations:
    """A component's values on pictures that you name, or with a phrase against without it.

    With `images`: the value on each. With `concept`: pictures in which the planner's judge sees it, against others
    drawn at random: `effect`, the difference of means in sd of the component, AUROC, and `pearson`, the correlation of
    presence and value with the two kinds weighted as they are among all pictures; all with intervals, the effect beside
    the mean size of it for random components of the same site. Correlational: says that it fires, not why.
    """
    address = context.address(arguments.component)
    if arguments.images:
        return _named(context, address, arguments)
    split = piles(context, arguments.concept, arguments.n // 2)
    numbers = [*split.present, *split.absent]
    measured = values(context, [address], arguments.reading, [context.images.asked(i) for i in numbers])[:, 0]
    present, absent = measured[: len(split.present)], measured[len(split.present) :]
    pool, seed = (
        known(context, address, arguments.reading),
        context.derived_seed(address, "activations", arguments.concept),
    )
    effect = with_control(
        between(present, absent, unit(pool), seed=seed), _of_others(context, address, arguments), seed=seed
    )
    area = auroc(present, absent)
    rho = _correlation(context, arguments.concept, split, measured, seed)
    return Activations(
        component=str(address),
        reading=arguments.reading,
        concept=arguments.concept,
        quantities={
            "effect": effect,
            "auroc": area,
            "pearson": rho,
            "mean_present": Quantity(value=float(present.mean()), unit="activation", n=len(present)),
            "mean_absent": Quantity(value=float(absent.mean()), unit="activation", n=len(absent)),
            "base_rate": Quantity(value=split.share, unit="share of pictures", n=split.judged),
        },
        warnings=_warnings(effect, pool.sd),
        summary=_summary(address, arguments, effect, area, rho, split),
    )


def _named(context: ToolContext, address: Address, arguments: ActivationsArguments) -> Activations:
    stimuli = chosen(context, arguments.images)
    pool = known(context, address, arguments.reading)
    measured = values(context, [address], arguments.reading, stimuli)[:, 0]
    z = (measured - pool.mean) / unit(pool)
    rows = tuple(
        Value(key=stimulus.key, value=float(value), z=float(height))
        for stimulus, value, height in zip(stimuli, measured, z, strict=True)
    )
    listed = ", ".join(f"{row.key} {row.value:.3g} ({row.z:+.1f} sd)" for row in rows[:8])
    return Activations(
        component=str(address),
        reading=arguments.reading,
        values=rows,
        quantities={
            "mean": Quantity(value=float(measured.mean()), unit="activation", n=len(rows), control=pool.mean)
        },
        summary=f"{address}, {arguments.reading}: {listed}"[:400],
    )


def _correlation(
    context: ToolContext, concept: str, split: Piles, measured: Float[np.ndarray, "picture"], seed: int
) -> Quantity:
    """Over all judged pictures, of which the piles are samples: their pictures count by their shares."""
    held = presence_of(context, concept, [*split.present, *split.absent])
    n_present, n_absent = len(split.present), len(split.absent)
    drawn = resamples(range(len(measured)), draws=DRAWS, seed=seed)
    shares = np.repeat([split.share / n_present, (1 - split.share) / n_absent], [n_present, n_absent])
    found = resampled(pearson(measured[:, None], held[:, None], drawn.weights * shares), drawn).estimates()[0]
    return Quantity(value=found.value, unit="correlation", ci=(found.low, found.high), n=found.n, control=0.0)


def _of_others(
    context: ToolContext, address: Address, arguments: ActivationsArguments
) -> Float[np.ndarray, "component"]:
    """The same effect of random components of the site, on the index's own sample: no forward passes."""
    siblings = others(context, address)
    sample = context.index.sample(siblings, arguments.reading).astype(np.float64)
    holds = presence_of(context, arguments.concept, context.index.sample_numbers.tolist()) >= HOLDS
    if not holds.any() or holds.all():
        return np.zeros(0)
    spread = _sd(sample)
    return (sample[holds].mean(axis=0) - sample[~holds].mean(axis=0)) / spread


def _sd(sample: Float[np.ndarray, "place component"]) -> Float[np.ndarray, "component"]:
    spread = sample.std(axis=0)
    return np.where(spread > 0, spread, np.inf)


def _warnings(effect: Quantity, sd: float) -> tuple[str, ...]:
    found = []
    if not sd > 0:
        found.append("the component never varies: every effect is 0")
    if effect.control is not None and abs(effect.value) <= effect.control:
        found.append("random components of the same site differ as much")
    return tuple(found)


def _summary(
    address: Address,
    arguments: ActivationsArguments,
    effect: Quantity,
    area: Quantity,
    rho: Quantity,
    split: Piles,
) -> str:
    assert effect.ci is not None
    control = "unknown" if effect.control is None else f"{effect.control:.2f}"
    return (
        f"{address}, {arguments.reading}, `{arguments.concept[:80]}`: {effect.value:+.2f} sd [{effect.ci[0]:.2f}, "
        f"{effect.ci[1]:.2f}] with it against without it (n = {len(split.present)} and {len(split.absent)}; random "
        f"components of the site {control} sd); AUROC {area.value:.2f}, Pearson {rho.value:.2f}; it holds in "
        f"{split.share:.0%} of pictures."
    )
