"""Descriptions as tables: one row a component, one row a site."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from experiments.commands.output import print_table

if TYPE_CHECKING:
    from experiments.sites import Site
    from store.records import Description
    from store.values import Estimate

COLUMNS = ["component", "status", "label", "reading", "test ρ#", "null#", "seconds#"]


def print_descriptions(descriptions: Sequence[Description], title: str) -> None:
    """The components, and where they are of several sites, what became of each site."""
    from experiments.sites import by_site

    print_table(COLUMNS, [row_of(one) for one in descriptions], title=title)
    if len(sites := by_site(descriptions)) > 1:
        print_sites(sites)


def print_sites(sites: Sequence[Site]) -> None:
    """How components ended at each site, and how many of them each claim holds of; then the same as shares of all."""
    *_, every = sites
    rows = [
        [
            one.name,
            *map(str, one.statuses.values()),
            f"{one.rho:.2f}",
            *(str(round(share.value * share.n)) for share in claims_of(one, every)),
            f"{one.seconds:.1f}",
        ]
        for one in sites
    ]
    claims = [f"{claim.replace('_', ' ')}#" for claim in every.claims]
    columns = ["site", *(f"{status}#" for status in every.statuses), "median ρ#", *claims, "seconds#"]
    print_table(columns, rows, title="site by site; of claims, how many components they hold of")
    shares = [
        [claim.replace("_", " "), f"{share.value:.2f} [{share.low:.2f}, {share.high:.2f}]", str(share.n)]
        for claim, share in every.claims.items()
    ]
    print_table(["claim", "share of all it holds of", "n#"], shares)


def claims_of(site: Site, every: Site) -> list[Estimate]:
    """In the order in which all sites have them; 0 where a site has none."""
    from tools.scoring.intervals import wilson

    return [site.claims.get(claim, wilson(0, site.n)) for claim in every.claims]


def row_of(one: Description) -> list[str]:
    """One component, as tested."""
    rho = one.scores.get("pearson")
    told = f"{rho.value:.2f} [{rho.ci[0]:.2f}, {rho.ci[1]:.2f}]" if rho else "–"
    null = f"{rho.null:.2f}" if rho and rho.null is not None else "–"
    reading = str(one.reading) if one.label else "–"
    return [one.component, one.status, one.label or "–", reading, told, null, f"{one.seconds:.1f}"]


def line_of(one: Description) -> str:
    """One line of narration: what was said of a component, not yet tested."""
    said = f"“{one.label}” ({one.reading})" if one.label else f"{one.status}: {one.reason}"
    return f"{one.component}: {said}, {one.seconds:.1f} s"
