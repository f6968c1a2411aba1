"""Component addresses: one string for a part of a model, the same in commands, URLs, rows and Python.

Knows the grammar (`language.3.mlp.17`, `vision.2.head.0`, `connector`, `language.3.resid`, `language.3.sae[NAME].1033`)
and sets of addresses (`language.3.mlp[0:64],language.*.head.*`). Knows nothing about models: what a target has is told
by an Extent. Models that read the picture by cross-attention have three towers more: `question` encodes it, `cross` are
its heads that look at the picture, and `recall` those by which the answer (`language`) looks at the question.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from store.errors import UserError

Tower = Literal["vision", "question", "cross", "recall", "language"]
Part = Literal["mlp", "head", "resid", "sae", "connector"]
TOWERS: tuple[Tower, ...] = get_args(Tower)
COUNTED: tuple[Part, ...] = ("mlp", "head")
_TOWER = rf"(?P<tower>{'|'.join(TOWERS)})"
_ONE = re.compile(
    _TOWER + r"\.(?P<layer>\d+)\."
    r"(?:(?P<part>mlp|head)\.(?P<index>\d+)|(?P<resid>resid)|sae\[(?P<sae>[\w.-]+)\]\.(?P<latent>\d+))"
)
_MANY = re.compile(
    _TOWER + r"\.(?P<layers>\d+|\*|\[\d*:\d*\])\.(?P<part>mlp|head)"
    r"(?:\.(?P<index>\d+|\*)|\[(?P<first>\d*):(?P<last>\d*)\])"
)


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """One component. `layer` and `index` count from 0; `index` is None for `resid` and `connector`.

    A neuron is an input of its MLP's last linear map; `dictionary` names the sparse autoencoder of an `sae` latent.
    """

    tower: Tower
    layer: int
    part: Part
    index: int | None = None
    dictionary: str = ""

    def __str__(self) -> str:
        match self.part:
            case "connector":
                return "connector"
            case "resid":
                return f"{self.tower}.{self.layer}.resid"
            case "sae":
                return f"{self.tower}.{self.layer}.sae[{self.dictionary}].{self.index}"
        return f"{self.tower}.{self.layer}.{self.part}.{self.index}"

    @property
    def site(self) -> str:
        """All components of this kind in this layer, such as `language.3.mlp`."""
        return str(self) if self.index is None else str(self).rpartition(".")[0]


CONNECTOR = Address("language", 0, "connector")


@dataclass(frozen=True, slots=True)
class Layers:
    """How many layers a tower has, and how many neurons and heads each of them (cross-attention has no neurons)."""

    layers: int
    neurons: int
    heads: int

    def width(self, part: Part) -> int:
        return self.heads if part == "head" else self.neurons


@dataclass(frozen=True, slots=True)
class Extent:
    """What a target has; `target` is the name that errors use."""

    target: str
    towers: Mapping[Tower, Layers]

    def all(self) -> Iterator[Address]:
        """Every neuron and head, in order."""
        for tower, layers in self.towers.items():
            for layer in range(layers.layers):
                for part in COUNTED:
                    for index in range(layers.width(part)):
                        yield Address(tower, layer, part, index)


def parse(text: str, extent: Extent | None = None) -> Address:
    """The component that `text` names, inside the extent where one is given.

    Raises UserError of kind "address" for words of another form, or a layer or index past the end.
    """
    if text == "connector":
        return CONNECTOR
    found = _ONE.fullmatch(text)
    if not found:
        raise _unreadable(text)
    tower: Tower = found["tower"]  # type: ignore[assignment]  # the pattern allows no other word
    layer = int(found["layer"])
    if found["resid"]:
        address = Address(tower, layer, "resid")
    elif found["sae"]:
        address = Address(tower, layer, "sae", int(found["latent"]), found["sae"])
    else:
        part: Part = found["part"]  # type: ignore[assignment]
        address = Address(tower, layer, part, int(found["index"]))
    if extent is not None:
        _check(address, extent)
    return address


def parse_set(text: str, extent: Extent) -> list[Address]:
    """The components that `text` names, joined by commas, each once and in the order of naming.

    `*` is all, `[a:b]` counts from a up to b − 1 as in Python, and either may be left out. Raises UserError of kind
    "address" for a range past the end, or one that is empty.
    """
    found: dict[Address, None] = {}
    for part in (piece.strip() for piece in text.split(",")):
        if part:
            found |= dict.fromkeys(_expand(part, extent))
    if not found:
        raise UserError(
            f"`{text}` names no component",
            kind="address",
            hint="such as `language.3.mlp[0:64],language.*.head.*`",
        )
    return list(found)


def _expand(text: str, extent: Extent) -> Iterator[Address]:
    many = _MANY.fullmatch(text)
    if not many or _ONE.fullmatch(text):
        yield parse(text, extent)
        return
    tower: Tower = many["tower"]  # type: ignore[assignment]
    part: Part = many["part"]  # type: ignore[assignment]
    have = _tower(tower, extent, text)
    layers = _range(many["layers"], have.layers, text, f"{extent.target} has {have.layers} {tower} layers")
    width = have.width(part)
    if not width:
        raise _attention_alone(text, tower, extent)
    kind = "heads" if part == "head" else "neurons"
    told = f"a {tower} layer of {extent.target} has {width} {kind}"
    asked = many["index"] if many["index"] is not None else f"[{many['first']}:{many['last']}]"
    for layer in layers:
        for index in _range(asked, width, text, told):
            yield Address(tower, layer, part, index)


def _range(asked: str, have: int, text: str, told: str) -> range:
    """The numbers that `3`, `*` or `[a:b]` names among `have`."""
    if asked == "*":
        return range(have)
    if asked.startswith("["):
        first, _, last = asked.strip("[]").partition(":")
        chosen = range(int(first or 0), int(last or have))
    else:
        chosen = range(int(asked), int(asked) + 1)
    if not chosen:
        raise UserError(
            f'"{text}": `{asked}` is empty',
            kind="address",
            hint=f"`{asked.split(':')[0]}:{have}]` goes to the end",
        )
    if chosen.stop > have:
        raise UserError(f'"{text}": {told} (0–{have - 1})', kind="address", hint=f"stay below {have}")
    return chosen


def _check(address: Address, extent: Extent) -> None:
    have = _tower(address.tower, extent, str(address))
    last = have.layers - 1
    if address.layer > last:
        nearest = str(address).replace(f".{address.layer}.", f".{last}.", 1)
        raise UserError(
            f'"{address}": {extent.target} has {have.layers} {address.tower} layers (0–{last})',
            kind="address",
            hint=f'did you mean "{nearest}"?',
        )
    if address.part != "head" and not have.neurons:
        raise _attention_alone(str(address), address.tower, extent)
    if address.part in COUNTED and address.index is not None and address.index >= have.width(address.part):
        width = have.width(address.part)
        kind = "heads" if address.part == "head" else "neurons"
        raise UserError(
            f'"{address}": a {address.tower} layer of {extent.target} has {width} {kind} (0–{width - 1})',
            kind="address",
            hint=f'did you mean "{address.site}.{width - 1}"?',
        )


def _tower(tower: Tower, extent: Extent, text: str) -> Layers:
    if tower not in extent.towers:
        raise UserError(
            f'"{text}": {extent.target} has no `{tower}` tower',
            kind="address",
            hint=f"it has {', '.join(extent.towers)}",
        )
    return extent.towers[tower]


def _attention_alone(text: str, tower: Tower, extent: Extent) -> UserError:
    return UserError(
        f'"{text}": the `{tower}` tower of {extent.target} is attention alone, it has heads and nothing else',
        kind="address",
        hint=f"such as `{tower}.0.head.0`",
    )


def _unreadable(text: str) -> UserError:
    return UserError(
        f'"{text}" is not a component address',
        kind="address",
        hint="such as `language.3.mlp.17`, `vision.2.head.0`, `language.3.mlp[0:64]` or `language.*.head.*`",
    )
