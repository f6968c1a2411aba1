"""The outcome of a component's thread as the description that is frozen.

Knows what a conclusion, an abstention and a crash become; knows nothing about scores, which come later.
"""

from __future__ import annotations

from agent.crash import CRASH
from agent.decision import Conclusion, Reply
from agent.record import Outcome
from store.address import Address
from store.costs import spent
from store.database import Store
from store.records import Description


def described(store: Store, run: str, component: Address, outcome: Outcome, seconds: float) -> Description:
    """The description, in `seconds`; what it cost is counted from the record."""
    experiments = store.queries.experiments(run, str(component))
    paid = spent(store.queries.payments(run, str(component)))
    cost = {
        "forwards": float(sum(one.result["cost"]["forwards"] for one in experiments)),
        "tokens": float(paid.tokens),
        "money": paid.priced,
    }
    common = {
        "component": str(component),
        "evidence": outcome.evidence,
        "seconds": round(seconds, 3),
        "cost": cost,
    }
    decision = outcome.decision
    assert not isinstance(decision, Reply)  # the loop refuses it of a component
    if not isinstance(decision, Conclusion):
        status = "failed" if outcome.by == CRASH else "abstained"
        return Description.model_validate({**common, "status": status, "reason": decision.reason})
    return Description.model_validate(
        {
            **common,
            "status": "unverified",
            "reading": decision.reading,
            "label": decision.label,
            "concept": decision.concept,
            "text": decision.text,
            "facets": decision.facets,
            "confidence": decision.confidence,
            "claims": {name: claim for name, claim in decision.claims.items() if name != "learned"},
        }
    )
