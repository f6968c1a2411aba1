"""What a component's values are under a reading, in which unit, and what the same number is for others of its site.

Knows readings, standard deviations of the index and same-site controls; knows nothing about where pictures come from.
Not a tool.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from store.address import COUNTED, Address
from store.errors import PlannerError
from store.records import Reading
from tools.pools import side, side_of

if TYPE_CHECKING:
    from tools.context import ToolContext
    from tools.index.entry import Pooled
    from tools.stimuli import Stimulus

CONTROLS = 8
"""Other components of the same site that an effect is compared with."""


def values(
    context: ToolContext, addresses: Sequence[Address], reading: Reading, stimuli: Sequence[Stimulus]
) -> Float[np.ndarray, "stimulus component"]:
    """Pooled activations in the model's own unit, larger meaning more of what the reading means.

    Raises PlannerError where the components have no tokens of that scope, and where one gives no finite number.
    """
    measured = side(context.activations.pooled(addresses, stimuli), reading).astype(np.float64)
    if np.isinf(measured).any():
        raise no_numbers(addresses[int(np.nonzero(np.isinf(measured))[1][0])])
    if np.isnan(measured).any():
        raise no_scope(addresses[0], reading)
    return measured


def known(context: ToolContext, address: Address, reading: Reading) -> Pooled:
    """What the index knows of the component under the reading. Raises PlannerError for a scope without tokens, and for
    a component that gives no finite numbers."""
    pool = context.index.entry(address).side(reading)
    if pool.broken:
        raise no_numbers(address)
    if not pool.known:
        raise no_scope(address, reading)
    return pool


def unit(pool: Pooled) -> float:
    """One standard deviation over the pictures, in activations; infinite for a component that never varies, so that
    its effects are 0."""
    return pool.sd if pool.sd > 0 else float("inf")


def others(context: ToolContext, address: Address, n: int = CONTROLS, purpose: str = "") -> list[Address]:
    """Up to `n` other components of the same site, drawn by the run's seed and the site, so that all components of a
    site have nearly the same ones. Those that give no finite numbers are no controls.

    Raises PlannerError for what has no siblings (a connector, a stream).
    """
    if address.part not in COUNTED:
        raise PlannerError(
            f"`{address}` is not a neuron or a head",
            kind="address",
            hint="name one, such as `language.3.mlp.17`",
        )
    width = context.extent.towers[address.tower].width(address.part)
    drawn = context.random(address.site, "others", purpose).permutation(width)
    broken = context.index.broken
    rest = (int(index) for index in drawn if index != address.index)
    siblings = (Address(address.tower, address.layer, address.part, index) for index in rest)
    return list(islice((one for one in siblings if one not in broken), n))


def no_numbers(address: Address) -> PlannerError:
    return PlannerError(
        f"`{address}` gives values that are no finite numbers (NaN or infinite): nothing about it can be measured",
        kind="numbers",
        hint="abstain; a wider number format may help: `--dtype float32`",
    )


def no_scope(address: Address, reading: Reading) -> PlannerError:
    return PlannerError(
        f"`{address}` has no {reading.scope} tokens ({side_of(reading).pool})",
        kind="scope",
        hint="components of the vision tower are read at `visual` tokens only",
    )
