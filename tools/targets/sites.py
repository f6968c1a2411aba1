"""Sites: places of the forward pass that can be read and written, as strings and as values.

Knows the names (`language.3.mlp.act`, `vision.0.resid_pre`, `embed`, `connector.out`, `logits`) and which site holds
which component. Knows nothing about where a site sits in a given architecture (`llava.py`, `clip.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from store.address import Address, Extent, Layers, Tower
from store.errors import UserError

LayerPlace = Literal[
    "resid_pre",
    "attn.q",
    "attn.k",
    "attn.v",
    "attn.pattern",
    "attn.z",
    "attn.out",
    "resid_mid",
    "mlp.pre",
    "mlp.act",
    "mlp.out",
    "resid_post",
]
GlobalPlace = Literal["embed", "connector.out", "logits"]
Place = LayerPlace | GlobalPlace

LAYER_PLACES: tuple[LayerPlace, ...] = get_args(LayerPlace)
"""In the order in which a layer computes them."""
GLOBAL_PLACES: tuple[GlobalPlace, ...] = get_args(GlobalPlace)
HEADED: frozenset[Place] = frozenset(("attn.q", "attn.k", "attn.v", "attn.pattern", "attn.z"))
"""Sites whose parts are heads; the parts of all others are single numbers."""

ATTENTION_PLACES: tuple[LayerPlace, ...] = tuple(place for place in LAYER_PLACES if place.startswith("attn."))
"""What a tower of cross-attention has: its stream and its neurons are those of the tower that looks."""

LOCAL: frozenset[Place] = frozenset(LAYER_PLACES) - {"resid_pre", "attn.k", "attn.v"}
"""Sites that within their layer act on their own position alone."""


@dataclass(frozen=True, slots=True)
class Site:
    """A place in the forward pass; `tower` and `layer` (from 0) are None for `embed`, `connector.out` and `logits`.

    `attn.q`, `.k` and `.v` are the projections' outputs, before positions are rotated in; `attn.pattern` is the
    softmax; `attn.z` is what heads read, side by side, before the output projection. `mlp.pre` is the input of the
    nonlinearity (of the gate, where there is one) and `mlp.act` the neurons: the input of the last linear map.
    `resid_mid` is what the MLP reads before it is normed, or, where layers norm what they write, as it is.
    """

    place: Place
    tower: Tower | None = None
    layer: int | None = None

    def __str__(self) -> str:
        return self.place if self.tower is None else f"{self.tower}.{self.layer}.{self.place}"

    @property
    def headed(self) -> bool:
        """Whether its parts are heads."""
        return self.place in HEADED


class Part(NamedTuple):
    """A component's site, and which unit or head of it the component is, from 0 (None: all of it)."""

    site: Site
    unit: int | None


EMBED, CONNECTOR_OUT, LOGITS = (Site(place) for place in GLOBAL_PLACES)


def parse_site(text: str, extent: Extent | None = None) -> Site:
    """The site that `text` names, inside the extent where one is given.

    Raises UserError of kind "site" for words of another form, or a layer past the end.
    """
    for site in (EMBED, CONNECTOR_OUT, LOGITS):
        if text == site.place:
            return site
    tower, _, rest = text.partition(".")
    layer, _, place = rest.partition(".")
    if tower not in get_args(Tower) or not (layer.isascii() and layer.isdigit()) or place not in LAYER_PLACES:
        raise UserError(
            f'"{text}" is not a site',
            kind="site",
            hint=f"such as `language.3.mlp.act` or `embed`; a layer has {', '.join(LAYER_PLACES)}",
        )
    site = Site(place, tower, int(layer))  # type: ignore[arg-type]  # both were looked up just now
    if extent is not None:
        check_site(site, extent)
    return site


def check_site(site: Site, extent: Extent) -> None:
    """Raises UserError of kind "site" when the target has no such tower or layer."""
    if site.tower is None or site.layer is None:
        return
    if site.tower not in extent.towers:
        raise UserError(
            f'"{site}": {extent.target} has no `{site.tower}` tower',
            kind="site",
            hint=f"it has {', '.join(extent.towers)}",
        )
    if site.place not in places_of(extent.towers[site.tower]):
        raise UserError(
            f'"{site}": the `{site.tower}` tower of {extent.target} is attention alone',
            kind="site",
            hint=f"it has {', '.join(ATTENTION_PLACES)}",
        )
    last = extent.towers[site.tower].layers - 1
    if site.layer > last:
        raise UserError(
            f'"{site}": {extent.target} has {last + 1} {site.tower} layers (0–{last})',
            kind="site",
            hint=f'did you mean "{Site(site.place, site.tower, last)}"?',
        )


def places_of(tower: Layers) -> tuple[LayerPlace, ...]:
    """The places of each of a tower's layers."""
    return LAYER_PLACES if tower.neurons else ATTENTION_PLACES


def site_of(address: Address) -> Part:
    """Where a component lives: a neuron in `mlp.act`, a head in `attn.z`, a layer's stream in `resid_post`.

    Raises UserError for latents of a dictionary: they live in no site of the model's own.
    """
    match address.part:
        case "mlp":
            return Part(Site("mlp.act", address.tower, address.layer), address.index)
        case "head":
            return Part(Site("attn.z", address.tower, address.layer), address.index)
        case "resid":
            return Part(Site("resid_post", address.tower, address.layer), None)
        case "connector":
            return Part(CONNECTOR_OUT, None)
    raise UserError(
        f"`{address}` is a latent of a dictionary and has no site of its own",
        kind="site",
        hint="name a neuron, a head, a layer's `resid` or the `connector`",
    )


def all_sites(extent: Extent) -> Iterator[Site]:
    """Every site of every tower, then the three that belong to no layer."""
    for tower, layers in extent.towers.items():
        for layer in range(layers.layers):
            for place in places_of(layers):
                yield Site(place, tower, layer)
    yield from (EMBED, CONNECTOR_OUT, LOGITS)
