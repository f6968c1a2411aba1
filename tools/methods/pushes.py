"""Pushes: what can be added to a component, to others of its site, or to what the site writes, in doses.

A neuron is pushed by activation, a head along what it adds where a concept holds beyond what it adds elsewhere (its
mean output where too few pictures tell). Others and random directions are pushed by the length of what is written, so
that one dose means the same for all of them; every question has one of its own. Knows sites and directions; knows
nothing about questions. Not a tool.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jaxtyping import Float

from store.address import Address
from store.errors import PlannerError
from store.records import Reading, Scope
from tools.methods.answers import reference_mean
from tools.methods.piles import piles
from tools.methods.values import known

if TYPE_CHECKING:
    from torch import Tensor

    from tools.context import ToolContext
    from tools.engine.plan import Intervention

PICTURES = 24
"""Pictures of either kind between which a head's direction is the mean difference."""


@dataclass(frozen=True)
class Push:
    """`at(number, dose)` is what is done in question `number`; `along` says what of, `unit` what a dose of 1 is."""

    at: Callable[[int, float], tuple[Intervention, ...]]
    along: str
    unit: str

    def rows(self, numbers: Sequence[int], dose: float) -> list[tuple[Intervention, ...]]:
        return [self.at(number, dose) for number in numbers]


def own_push(context: ToolContext, address: Address, reading: Reading, concept: str) -> Push:
    """More of the component itself. A dose of 1 takes a neuron from its mean to the largest value that was seen.

    Raises PlannerError for a component that never varies.
    """
    import torch

    if address.part == "head":
        direction, along = _direction(context, address, reading.scope, concept)
        return Push(
            lambda _, dose: _add(address, reading.scope, dose * direction),
            along,
            "of the difference observed",
        )
    pool = known(context, address, reading)
    reach = pool.top[0].value - pool.mean
    if not reach > 0:
        raise PlannerError(
            f"`{address}` never varies: nobody can say how much more of it is",
            kind="dead",
            hint="leave the claim undetermined",
        )
    step = torch.tensor(reach if reading.sign == "+" else -reach)
    return Push(
        lambda _, dose: _add(address, reading.scope, dose * step),
        f"its activation, in steps of {reach:.3g}",
        "of the way from its mean to the largest value seen",
    )


def silencing(address: Address, scope: Scope) -> Push:
    """Less of the component: a dose of 1 is none of it."""
    return Push(lambda _, dose: _scaled(address, scope, dose), "its activation, down", "of what it is")


def others_push(context: ToolContext, siblings: Sequence[Address], scope: Scope) -> Push:
    """More, or by chance less, of another component of the site in every question."""
    steps = {sibling: _written(context, sibling, scope) for sibling in siblings}
    signs = context.random(siblings[0].site, "signs").choice([-1.0, 1.0], size=1024)

    def at(number: int, dose: float) -> tuple[Intervention, ...]:
        sibling = siblings[number % len(siblings)]
        return _add(sibling, scope, dose * float(signs[number]) * steps[sibling])

    return Push(at, "random components of the site", "length written")


def others_silenced(siblings: Sequence[Address], scope: Scope) -> Push:
    """Less of another component of the site in every question, beyond none of it where the dose exceeds 1."""

    def at(number: int, dose: float) -> tuple[Intervention, ...]:
        return _scaled(siblings[number % len(siblings)], scope, dose)

    return Push(at, "random components of the site", "of what they are")


def directions_push(context: ToolContext, address: Address, scope: Scope) -> Push:
    """A random direction of what the site writes in every question."""
    import torch

    from tools.engine.plan import Add, Intervention
    from tools.targets.sites import Site

    site = Site("mlp.out" if address.part == "mlp" else "attn.out", address.tower, address.layer)
    width = context.adapter.tap(site).width
    seed = context.derived_seed(address.site, "pushed directions")

    def at(number: int, dose: float) -> tuple[Intervention, ...]:
        vector = torch.randn(width, generator=torch.Generator().manual_seed(seed + number))
        return (Intervention(site, None, scope, Add(dose * vector / vector.norm())),)

    return Push(at, "random directions of what the site writes", "length written")


def _add(address: Address, scope: Scope, vector: Tensor) -> tuple[Intervention, ...]:
    from tools.engine.plan import Add, Intervention
    from tools.targets.sites import site_of

    site, unit = site_of(address)
    return (Intervention(site, unit, scope, Add(vector)),)


def _scaled(address: Address, scope: Scope, dose: float) -> tuple[Intervention, ...]:
    from tools.engine.plan import Intervention, Scale
    from tools.targets.sites import site_of

    site, unit = site_of(address)
    return (Intervention(site, unit, scope, Scale(1 - dose)),)


def _written(context: ToolContext, address: Address, scope: Scope) -> Tensor:
    """What is added to the component so that it writes a vector of length 1; nothing for one that writes nothing."""
    import torch

    row = context.adapter.output_row(address).detach().float().cpu()
    direction = torch.ones(1) if address.part == "mlp" else _mean_output(context, address, scope)
    length = float((direction @ row.reshape(len(direction), -1)).norm())
    return direction / length if length > 0 else direction * 0


def _direction(
    context: ToolContext, address: Address, scope: Scope, concept: str
) -> tuple[Float[Tensor, "head_width"], str]:
    """What the head reads out where the concept holds less what it does elsewhere, with its name."""
    from tools.targets.sites import site_of

    site, head = site_of(address)
    part, place = context.adapter.tap(site).part(head), _class(scope)
    try:
        split = piles(context, concept, PICTURES)
    except PlannerError as error:
        if error.kind != "rare":
            raise
        return _mean_output(context, address, scope), "its mean output"
    kept = context.memory.means
    for name, numbers in (("with", split.present), ("without", split.absent)):
        key = f"{site} {name} {concept}"
        if key not in kept:
            with context.shared():
                kept[key] = context.engine.mean(site, [context.images.asked(i) for i in numbers])
    means = [kept[f"{site} {name} {concept}"][place, part] for name in ("with", "without")]
    return means[0] - means[1], "its output where the concept holds, less that elsewhere"


def _mean_output(context: ToolContext, address: Address, scope: Scope) -> Float[Tensor, "head_width"]:
    from tools.targets.sites import site_of

    site, head = site_of(address)
    return reference_mean(context, site)[_class(scope), context.adapter.tap(site).part(head)]


def _class(scope: Scope) -> int:
    from tools.targets.batch import CLASSES

    return CLASSES.index(scope)
