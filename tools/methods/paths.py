"""Paths: what a sender's other activation changes at a receiver alone, everything else held, and what follows from it.

Wang et al. 2023 (IOI), Goldowsky-Dill et al. 2023. First run: the sender is exchanged and every component between it
and the receiver held at what it was, so that only the stream itself carries the difference; what the receiver then
holds is read. Second run: the receiver alone is put at that, and everything after it runs freely. A head holds
`attn.z`, a neuron `mlp.act`; the receiver `logits` is read in the first run. Knows pairs and plans. Not a tool.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from store.address import Address
from store.errors import PlannerError
from tools.methods.duels import Duel
from tools.methods.transplants import Runs, leads

if TYPE_CHECKING:
    from torch import Tensor

    from tools.context import ToolContext
    from tools.engine.engine import Engine
    from tools.engine.plan import Intervention
    from tools.stimuli import Stimulus
    from tools.targets.sites import Site

Order = tuple[int, int]
"""Layer, then 0 for heads and 1 for neurons: when a component writes."""


def writes_at(address: Address) -> Order:
    """When a component of the language side writes."""
    return address.layer, int(address.part == "mlp")


def refuse_pathless(sender: Address, receiver: Address | None) -> None:
    """Raises PlannerError where nothing leads from the sender to the receiver (None: the logits)."""
    for one in (sender, receiver):
        if one is not None and (one.tower != "language" or one.part not in ("mlp", "head")):
            raise PlannerError(
                f"paths lead between heads and neurons of the language side: `{one}` is none",
                kind="address",
                hint="name one such as `language.3.head.2`; for others use `patch`",
            )
    if receiver is not None and writes_at(sender) >= writes_at(receiver):
        raise PlannerError(
            f"`{sender}` writes after `{receiver}` has read: no path leads from one to the other",
            kind="no_path",
            hint=f"exchange them: sender `{receiver}`, receiver `{sender}`",
        )


def walked(
    context: ToolContext, duels: Sequence[Duel], senders: Sequence[Address], receiver: Address | None
) -> Runs:
    """Every sender's path to the receiver, in both directions: the clean sender in the corrupt run, and the reverse."""
    stimuli = [side for duel in duels for side in (duel.pair.with_, duel.pair.without)]
    plain = context.engine.plain(stimuli).logits.float()
    paths = path_logits(context.engine, stimuli, senders, receiver)
    table = np.stack([one.cpu().double().numpy() for one in (plain, *paths)])
    found = leads(table.reshape(1 + len(senders), len(duels), 2, -1), duels)
    return Runs(found[0, :, 0], found[0, :, 1], found[1:, :, 1], found[1:, :, 0])


def path_logits(
    engine: Engine, stimuli: Sequence[Stimulus], senders: Sequence[Address], receiver: Address | None
) -> Float[Tensor, "sender stimulus word"]:
    """Logits of every stimulus with each sender's path to the receiver as it is in the stimulus' partner: stimuli come
    in pairs, one behind the other."""
    from tools.engine.plan import Intervention, Plan, Row, Set
    from tools.targets.sites import site_of

    rows = [
        Row(number, _held(engine, number, number ^ 1, sender, receiver))
        for sender in senders
        for number in range(len(stimuli))
    ]
    if receiver is None:
        logits = engine.run(Plan(stimuli, rows)).logits
    else:
        site, unit = site_of(receiver)
        outcome = engine.run(Plan(stimuli, rows, (site,)))
        tap = engine.adapter.tap(site)
        real, part = outcome.batch.where(tap.space, "all"), tap.part(unit)
        second = [
            Row(row.stimulus, (Intervention(site, unit, "all", Set(read[there][:, part])),))
            for row, read, there in zip(rows, outcome.reads[site], real, strict=True)
        ]
        logits = engine.run(Plan(stimuli, second)).logits
    return logits.float().unflatten(0, (len(senders), len(stimuli)))


def _held(
    engine: Engine, number: int, other: int, sender: Address, receiver: Address | None
) -> tuple[Intervention, ...]:
    """The sender as on the other side, and everything that writes between it and the receiver as it was."""
    from tools.engine.plan import Intervention, Swap
    from tools.targets.sites import site_of

    site, unit = site_of(sender)
    between = _between(engine, writes_at(sender), None if receiver is None else writes_at(receiver))
    held = (Intervention(one, None, "all", Swap(number)) for one in between)
    return (Intervention(site, unit, "all", Swap(other)), *held)


def _between(engine: Engine, after: Order, before: Order | None) -> list[Site]:
    """Sites of all heads and neurons that write after one component and before another."""
    from tools.targets.sites import Site

    layers = engine.adapter.extent().towers["language"].layers
    orders = [(layer, kind) for layer in range(layers) for kind in (0, 1)]
    return [
        Site("mlp.act" if kind else "attn.z", "language", layer)
        for layer, kind in orders
        if (layer, kind) > after and (before is None or (layer, kind) < before)
    ]
