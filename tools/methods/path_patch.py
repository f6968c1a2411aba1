"""`path_patch`: does what one component says reach the answer through another one?

Knows which components are meant, and how shares of the gap are told; the runs are paths.py's (Wang et al. 2023).
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from store.address import Address
from store.records import Quantity
from tools.context import ToolContext
from tools.methods.ablate import refuse_unreachable
from tools.methods.answers import refuse_wordless
from tools.methods.contested import FEWEST, aligned, contested, too_few
from tools.methods.duels import duels
from tools.methods.moved import MovedPair, Shares, doubts, in_words, shares_of, shown_pairs
from tools.methods.patch import CONTROLS
from tools.methods.paths import refuse_pathless, walked
from tools.methods.showing import Component
from tools.methods.streams import refuse_crossed
from tools.methods.transplants import transplanted
from tools.methods.values import others
from tools.tool import Arguments, Result, tool

LOGITS = "logits"
SHOWN = 4


class PathPatchArguments(Arguments):
    sender: Component
    receiver: Annotated[
        str,
        Field(
            description="A head or neuron that writes later, such as `language.5.head.2`; `logits`: directly."
        ),
    ] = LOGITS
    concept: Annotated[
        str,
        Field(
            min_length=1,
            max_length=200,
            description="A phrase (`red star`), or a kind of question (`color`): what the pairs differ in.",
        ),
    ]
    n: Annotated[int, Field(ge=FEWEST, le=100, description="Pairs.")] = 16


class PathPatched(Result):
    """`pairs` are those with the largest gap."""

    sender: str
    receiver: str
    concept: str
    pairs: tuple[MovedPair, ...]


@tool
def path_patch(context: ToolContext, arguments: PathPatchArguments) -> PathPatched:
    """How much of what a sender carries between pictures reaches the answer through one receiver alone.

    The sender is exchanged between the sides of pairs while everything between it and the receiver is held; then only
    the receiver takes what it would have held. `denoising`: share of the gap between the two answers that this path
    restores; `noising`: share that goes with it; both beside random senders of the same site. `whole`: what exchanging
    the sender restores over all paths. Sender and receiver are heads or neurons of the language side, the sender
    first; the receiver `logits` is the direct way.
    """
    refuse_wordless(context)
    refuse_crossed(context)
    sender = context.address(arguments.sender)
    receiver = None if arguments.receiver == LOGITS else context.address(arguments.receiver)
    refuse_pathless(sender, receiver)
    for address in filter(None, (sender, receiver)):
        refuse_unreachable(context, address)
    made = contested(context, arguments.concept, arguments.n)
    told = aligned(context, duels(context, made))
    if len(told) < FEWEST:
        raise too_few(arguments.concept, len(told))
    runs = walked(context, told, [sender, *others(context, sender, CONTROLS, "path")], receiver)
    seed = context.derived_seed("path", sender, arguments.receiver, arguments.concept)
    shares = shares_of(runs, "margin", seed)
    whole = shares_of(transplanted(context, told, [[sender]]), "margin", seed).denoising
    return PathPatched(
        sender=str(sender),
        receiver=arguments.receiver,
        concept=arguments.concept,
        pairs=shown_pairs(context, told, runs, SHOWN),
        quantities=shares.quantities() | {"whole": whole} | made.proof,
        warnings=tuple(doubts(made.found, shares, "senders")),
        summary=_summary(arguments, sender, shares, whole),
    )


def _summary(arguments: PathPatchArguments, sender: Address, shares: Shares, whole: Quantity) -> str:
    return (
        f"{sender} → {arguments.receiver}, `{arguments.concept[:60]}`: the path restores "
        f"{in_words(shares.denoising, 3)} of the gap, its loss costs {in_words(shares.noising, 3)}; over all paths "
        f"{sender} restores {whole.value:.3f} (n = {shares.gap.n} pairs)."
    )[:400]
