"""The null of an architecture: how well the best words fit units that were never trained, place by place.

Random units behind random eyes are selective too, nearly always for the background. So a component has learned
something only when its words are truer than what the same search over phrases finds in untrained copies, at the same
site, for a phrase of the same class or for two phrases joined. Measured once for all targets of one configuration,
since trained weights do not enter it, and kept in a file; untrained.py measures, joined.py says which forms of
concepts the search covers.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float
from pydantic import JsonValue, ValidationError

from experiments.scoring.joined import kinds
from experiments.scoring.judged import Judged
from experiments.scoring.untrained import UNITS, Fits, Peers, search
from store.address import Address, Extent
from store.records import Model, Reading, Scope
from tools.activations import ActivationSource, ModelActivations
from tools.scoring.concept import phrases as phrases_of
from tools.scoring.presence import Label, Presence
from tools.scoring.selectivity import NULL_QUANTILE, split
from tools.targets.fingerprint import configuration
from tools.targets.target import Target

PICTURES = 600
"""Stimuli that the search sees: half of them choose the phrase, the others measure it."""
FEW = 10
"""Units whose best phrase is of a class, from which on they have a percentile of their own."""
VERSION = 3
"""Goes up when a null of the same settings would come out differently."""
Classes = Callable[[str], str]
"""From a phrase to its class, such as `color`: phrases that compete, and are about equally frequent."""


class SiteNull(Model):
    """95th percentile of ρ over so many untrained units from so many copies, by class of phrase.

    `combined` is that of two phrases joined, by the class of the easier one: that whose own threshold is higher.
    """

    units: int
    copies: int
    thresholds: dict[str, float]
    combined: dict[str, float]


class Null(Model):
    """What untrained copies of a configuration reach, by place (`language.3.mlp at visual tokens`)."""

    configuration: str
    made_with: dict[str, JsonValue]
    places: dict[str, SiteNull]

    def threshold(
        self, component: Address, reading: Reading, concept: str, class_of: Classes
    ) -> float | None:
        """What ρ of the concept must exceed; None where the place was not measured.

        A combination must exceed the nulls of all its phrases and that of combinations as easy, a phrase of a class
        that was not measured those of all classes. For a concept of a form that was not searched (`is_searched`) this
        is a bound that can refute, but not confirm. Raises UserError for a concept that can't be read.
        """
        found = self.places.get(place(component, reading.scope))
        if found is None:
            return None
        classes = [class_of(phrase) for phrase in phrases_of(concept)]
        easiest = easier(classes, found.thresholds)
        single = found.thresholds.get(easiest, max(found.thresholds.values()))
        if len(classes) == 1:
            return single
        return max(single, found.combined.get(easiest, max(found.combined.values())))


def easier(classes: Iterable[str], thresholds: Mapping[str, float]) -> str:
    """The class whose phrases fit untrained units best; one that was not measured may be easier than all others."""
    return max(sorted(classes), key=lambda name: thresholds.get(name, math.inf))


def place(component: Address, scope: Scope) -> str:
    """Where a component competes: neurons with those of their layer, heads, which are few, with all of their tower."""
    site = f"{component.tower}.*.head" if component.part == "head" else component.site
    return f"{site} at {scope} tokens"


def untrained_null(
    target: Target,
    wanted: Iterable[tuple[Address, Scope]],
    judged: Judged,
    phrases: Sequence[str],
    class_of: Classes,
    *,
    extent: Extent,
    folder: Path,
    shipped: Sequence[Path] = (),
    read: Callable[[Target], ActivationSource] = ModelActivations,
    pictures: int = PICTURES,
    seed: int = 0,
    say: Callable[[str], None] = lambda _: None,
) -> Null:
    """The null at the places of all wanted components, measured where no file in `shipped` or `folder` has it.

    `phrases` are what is searched, as the judge sees them in the first `pictures` of its stimuli; `read` gives a copy's
    activations. Places where components have no values (a vision tower has no question) are left out, and all are where
    no phrase holds in enough of so few pictures to be searched.
    """
    shown = min(pictures, len(judged))
    made_with: dict[str, JsonValue] = {
        "judge": judged.name,
        "pictures": judged.source.fingerprint,
        "shown": shown,
        "phrases": _digest(sorted([class_of(phrase), phrase] for phrase in phrases)),
        "units": UNITS,
        "seed": seed,
        "version": VERSION,
    }
    copied = configuration(target.model)
    name = f"null-{copied[:12]}-{_digest(made_with)[:8]}.json"
    found = Null(configuration=copied, made_with=made_with, places={})
    for path in [*(other / name for other in shipped), folder / name]:
        found = _joined(found, _kept(path, found))
    peers = {place(component, scope): _peers(component, scope, extent) for component, scope in wanted}
    missing = {where: which for where, which in peers.items() if where not in found.places}
    if missing:
        half = split(range(shown), seed)
        labels = tuple(Label(class_of(phrase), phrase) for phrase in phrases)
        presence = Presence(labels, judged.columns(phrases)[:, :shown]).supported(half)
        if not presence.labels:
            return found
        measured = search(target, missing, judged, presence, half, read, say)
        new = {where: summarized(copies, presence.classes) for where, copies in measured.items() if copies}
        found = _joined(found, new)
        _keep(folder / name, found)
    return found


def summarized(copies: Sequence[Fits], classes: Sequence[str]) -> SiteNull:
    """The 95th percentile of ρ by class: among all units, and among those whose best phrase is of the class.

    The higher one counts: a unit that is described by a color was chosen for it, and so were those; above all those
    that no two phrases fit better. Too few of them make no percentile. For two phrases joined it is the same, with
    the units for which such a pair is the best find.
    """
    rho, combined, strength = (
        np.concatenate(parts, axis=1)
        for parts in zip(*((one.rho, one.combined, one.strength) for one in copies), strict=True)
    )
    best, gains = (
        np.concatenate(parts) for parts in zip(*((one.best, one.gains) for one in copies), strict=True)
    )
    thresholds = {
        name: _percentile(rho[index], best == index, (best == index) & ~gains)
        for index, name in enumerate(classes)
    }
    easier_of = [easier([classes[one], classes[two]], thresholds) for one, two in kinds(len(classes))]
    described = np.where(gains, np.array(easier_of)[strength.argmax(axis=0)], "")
    pairs = {}
    for name in classes:
        own = [kind for kind, of in enumerate(easier_of) if of == name]
        taken = strength[own].argmax(axis=0)[None]
        pairs[name] = _percentile(np.take_along_axis(combined[own], taken, axis=0)[0], described == name)
    return SiteNull(units=rho.shape[1], copies=len(copies), thresholds=thresholds, combined=pairs)


def _percentile(rho: Float[np.ndarray, "unit"], *chosen: Bool[np.ndarray, "unit"]) -> float:
    """Of all units or of chosen ones, whichever is highest."""
    groups = [rho, *(rho[some] for some in chosen if some.sum() >= FEW)]
    return round(max(float(np.quantile(group, NULL_QUANTILE)) for group in groups), 4)


def _peers(component: Address, scope: Scope, extent: Extent) -> Peers:
    """All components that compete with this one."""
    tower, part = component.tower, component.part
    layers = range(extent.towers[tower].layers) if part == "head" else [component.layer]
    width = extent.towers[tower].width(part)
    return Peers(tuple(Address(tower, layer, part, i) for layer in layers for i in range(width)), scope)


def _joined(first: Null, places: dict[str, SiteNull]) -> Null:
    return first.model_copy(update={"places": first.places | places})


def _kept(path: Path, like: Null) -> dict[str, SiteNull]:
    """What a file has; nothing where it is missing, torn, or of other settings."""
    try:
        kept = Null.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValidationError):
        return {}
    return (
        kept.places
        if kept.model_copy(update={"places": {}}) == like.model_copy(update={"places": {}})
        else {}
    )


def _keep(path: Path, found: Null) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.tmp")
    partial.write_text(found.model_dump_json(indent=1) + "\n", encoding="utf-8")
    partial.replace(path)


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
