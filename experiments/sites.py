"""How a run ended, site by site: what was verified, how well its words predict, and which claims were borne out.

Pure functions of descriptions as tested. Nothing that ended is left out: an abstention and a failure count as 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, median
from typing import Any, get_args

from experiments.scoring.seal import primary
from store.address import TOWERS, Address, parse
from store.records import CLAIMS, HEAD_CLAIMS, Description, Status
from store.values import Estimate
from tools.scoring.intervals import wilson

ALL = "all"


@dataclass(frozen=True)
class Site:
    """`claims` has, for each claim that somebody made or tested here, how often its verdict is yes, of all components
    that it can be made of (Wilson's interval); `rho` is the median test score, `seconds` the mean of a component."""

    name: str
    n: int
    statuses: dict[Status, int]
    rho: float
    claims: dict[str, Estimate]
    seconds: float

    def as_json(self) -> dict[str, Any]:
        claims = {
            name: {"rate": share.value, "ci": [share.low, share.high], "n": share.n}
            for name, share in self.claims.items()
        }
        return {
            "site": self.name,
            "n": self.n,
            **{str(status): count for status, count in self.statuses.items()},
            "median_rho": self.rho,
            "claims": claims,
            "seconds": self.seconds,
        }


def by_site(descriptions: Sequence[Description]) -> list[Site]:
    """Every site that has descriptions, in the order of the model, and last all of them together."""
    places = {one.component: parse(one.component) for one in descriptions}
    sites: dict[str, list[Description]] = {}
    for one in sorted(descriptions, key=lambda one: _place(places[one.component])):
        sites.setdefault(places[one.component].site, []).append(one)
    found = [_site(name, inside) for name, inside in sites.items()]
    return [*found, _site(ALL, descriptions)] if len(found) > 1 else found


def _place(address: Address) -> tuple[int, Address]:
    return TOWERS.index(address.tower), address


def _site(name: str, descriptions: Sequence[Description]) -> Site:
    kinds: tuple[Status, ...] = get_args(Status)
    made = [claim for claim in CLAIMS if any(one.claims.get(claim) for one in descriptions)]
    return Site(
        name,
        len(descriptions),
        {kind: sum(one.status == kind for one in descriptions) for kind in kinds},
        median(map(primary, descriptions)),
        {claim: _share(descriptions, claim) for claim in made},
        mean(one.seconds for one in descriptions),
    )


def _share(descriptions: Sequence[Description], claim: str) -> Estimate:
    """Of all components that can be said to do it: only heads read and write."""
    able = [one for one in descriptions if claim not in HEAD_CLAIMS or parse(one.component).part == "head"]
    return wilson(sum(_says(one, claim) for one in able), len(able))


def _says(description: Description, name: str) -> bool:
    claim = description.claims.get(name)
    return claim is not None and claim.verdict == "yes"
