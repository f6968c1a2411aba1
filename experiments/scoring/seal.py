"""The sealed test: scores of frozen words go into the record once, and what they mean is settled with them.

A killed run may come back and finish what it began, since the same words on the same stimuli score the same; nobody can
come back with better words. Knows the record; knows nothing about how a score is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from experiments.scoring.joined import is_searched
from experiments.scoring.protocol import ACCURATE, NAMES, PRIMARY, SURE, Scored
from store.database import Store
from store.errors import UserError
from store.records import HEAD_CLAIMS, Claim, Description, Score, Status

if TYPE_CHECKING:
    from experiments.scoring.head_test import ClaimTested

UNTRAINED = "untrained units of the same site reach this as well"
NEAR = "its interval reaches down to what untrained units reach"
UNSEARCHED = (
    "untrained copies were searched for phrases, and for two joined by `|` or `&`, but not for this form"
)


def is_tested(store: Store, run: str, component: str) -> bool:
    """Whether the test of a component is done, down to its last claim.

    All claims are settled together, after the last score. A claim of a head that could be tested has an effect, and
    then a score.
    """
    description = store.queries.description(run, component, test=True)
    if description is None or description.claims.get("learned") is None:
        return False
    claims = ((name, description.claims.get(name)) for name in HEAD_CLAIMS)
    tested = {name for name, claim in claims if claim and claim.about and claim.effect is not None}
    return _written(store, run, component) >= {*NAMES, *tested}


def record(
    store: Store, run: str, scored: Scored, claims: Sequence[ClaimTested] = (), part: Scored | None = None
) -> Status:
    """Writes test scores of a frozen description, of a head also those of its `claims`, and settles its status, the
    claim `learned` and those. `part` is what was scored of a concept whose own form has no null (parts.py).

    Raises UserError of kind "sealed" when the component's test is done already, and RuntimeError when the description
    is not frozen or has another concept or reading than was scored.
    """
    subject = scored.subject
    scored = replace(scored, scores=scored.scores | _kept(store, run, subject.component))
    if is_tested(store, run, subject.component):
        raise UserError(
            f"`{subject.component}` of run `{run}` has been scored on test already",
            kind="sealed",
            hint="a test is taken once; label the component in a new run",
        )
    frozen = store.queries.description(run, subject.component, test=True)
    if frozen is None or (frozen.concept, frozen.reading) != (subject.concept, subject.reading):
        raise RuntimeError(
            f"`{subject.component}` of run `{run}` has no frozen words that say `{subject.concept}`"
        )
    for one in claims:
        if (said := frozen.claims.get(one.name)) is None or said.about != one.claim.about:
            raise RuntimeError(
                f"`{subject.component}` of run `{run}` was not said to `{one.name}` `{one.claim.about}`"
            )
    scores = scored.scores | {one.name: one.score for one in claims if one.score is not None}
    written = _written(store, run, subject.component)
    for name, score in scores.items():
        if name not in written:
            store.recorder.score(run, subject.component, name, score)
    store.recorder.settle(
        run,
        subject.component,
        scored.status,
        reason=why(scored),
        claims={"learned": learned(scored, part), **{one.name: one.claim for one in claims}},
    )
    return scored.status


def learned(scored: Scored, part: Scored | None = None) -> Claim:
    """Whether training put it there: the words are accurate, and surely truer than untrained units' best of their
    kind, which the whole 95 % interval must exceed.

    A concept of a form for which untrained units were not searched can fall short of the null, but not be called
    learned for exceeding it: a search over such concepts would have found better fits in untrained units too. Of
    accurate words whose part is accurate and exceeds its own null that part was learned: the claim is about it then.
    """
    rho, about, because = scored.pearson, "", ""
    below = rho.null is not None and rho.value <= rho.null
    if rho.null is None:
        verdict, because = "undetermined", "no untrained copies were measured at this site"
    elif scored.status != "verified":
        verdict = "no" if below else "undetermined"
        because = UNTRAINED if below else "the words are not accurate"
    elif _exceeds(scored) and is_searched(scored.subject.concept):
        verdict = "yes"
    elif part is not None and _exceeds(part):
        rho, about, verdict = part.pearson, part.subject.concept, "yes"
        because = f"`{about}`, a part of it, exceeds what untrained units reach"
    elif below:
        verdict, because = "no", UNTRAINED
    else:
        verdict, because = "undetermined", NEAR if is_searched(scored.subject.concept) else UNSEARCHED
    return Claim.model_validate(
        {
            "verdict": verdict,
            "effect": rho.value,
            "ci": rho.ci,
            "control": rho.null,
            "because": because,
            "about": about,
        }
    )


def _exceeds(part: Scored) -> bool:
    """Whether words are accurate, and their whole interval lies above the null."""
    rho = part.pearson
    return part.status == "verified" and rho.null is not None and rho.ci[0] > rho.null


def _kept(store: Store, run: str, component: str) -> dict[str, Score]:
    """The primary score that a killed test has written: its q stands, whatever has been frozen since."""
    found = store.queries.scores(run, component, test=True)
    return {name: score for name, score in found if name == PRIMARY and score.split == "test"}


def _written(store: Store, run: str, component: str) -> set[str]:
    """Names of the test scores that are on record."""
    found = store.queries.scores(run, component, test=True)
    return {name for name, score in found if score.split == "test"}


def why(scored: Scored) -> str:
    """Why a description was not verified, in one sentence; empty when it was."""
    if scored.reason or scored.status == "verified":
        return scored.reason
    rho, control = scored.pearson, scored.control
    if rho.q is not None and rho.q >= SURE and rho.ci[0] > ACCURATE:
        return f"among all components tested together test ρ {rho.value:.2f} may be chance (q = {rho.q:.2f})"
    if control is not None and control.margin.low <= 0 and rho.ci[0] > 0:
        return f"test ρ {rho.value:.2f} is not surely above that of `{control.phrase}` ({control.rho:.2f})"
    return f"test ρ is {rho.value:.2f} [{rho.ci[0]:.2f}, {rho.ci[1]:.2f}], not surely above 0.3"


def primary(description: Description) -> float:
    """What a description counts in an average: test ρ, and 0 where nothing was said or nothing could be scored."""
    found = description.scores.get(PRIMARY)
    return found.value if found is not None and found.split == "test" else 0.0
