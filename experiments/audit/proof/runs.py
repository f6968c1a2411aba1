"""The audits of a proof: which target, topics and seed, and what each found, as JSON that is kept.

A run that was stopped goes on where it was: the store has what was asked, and an audit whose record is there is not
run again. Knows how an audit is run; knows nothing about what it should have found.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from experiments.audit.results import counts_of
from store.audits import AuditFinding, Topic

if TYPE_CHECKING:
    from experiments.workplace import Workplace
    from store.database import Store

Say = Callable[[str], None]
Record = dict[str, Any]
"""An audit's target, seed, size and findings, each finding with its counts."""
STORE = "audits.db"
FOUND = ("name", "topic", "kind", "verdict", "effect", "ci", "control", "excess", "excess_ci", "p", "q", "n")
"""What of a finding goes into a record; words are made again by the audit."""


class Planned(NamedTuple):
    """One audit; `images` are those on which reference means are taken."""

    target: str
    topics: tuple[Topic, ...]
    seed: int
    n: int
    images: str = "tableau:96/24/24"

    @property
    def words(self) -> dict[str, Any]:
        """What its run is opened with."""
        return {"target": self.target, "images": self.images, "seed": self.seed, "n": self.n}

    @property
    def file(self) -> str:
        return f"{self.target}-{'+'.join(self.topics)}-{self.seed}-{self.n}.json"


def audited(planned: Planned, folder: Path, say: Say = lambda _: None) -> Record:
    """The record of an audit: the one that lies in `folder`, or what is measured now and laid there."""
    path = folder / planned.file
    if path.is_file():
        found: Record = json.loads(path.read_text(encoding="utf-8"))
        return found
    from experiments.workplace import open_workplace
    from store.database import open_store

    folder.mkdir(parents=True, exist_ok=True)
    with open_store(folder / STORE) as store:
        workplace = open_workplace(
            store, planned.target, images=planned.images, device="cpu", seed=planned.seed
        )
        record = _run(workplace, planned, say)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    partial.replace(path)
    return record


def _run(workplace: Workplace, planned: Planned, say: Say) -> Record:
    from experiments.audit.run import begin, carry_on
    from tools.budget import Budget

    run = _begun(workplace.store, planned) or begin(workplace, planned.topics, planned.n, planned.words)
    audit = carry_on(workplace, run, planned.topics, planned.n, Budget(), say)
    made = workplace.store.queries.experiments(run)
    return {
        "target": planned.target,
        "fingerprint": audit.fingerprint,
        "topics": list(planned.topics),
        "seed": planned.seed,
        "n": planned.n,
        "findings": [finding_of(workplace.store, one) for one in audit.findings],
        "forwards": sum(one.result["cost"]["forwards"] for one in made),
        "seconds": round(sum(one.result["cost"]["seconds"] for one in made), 1),
        "code": made[0].code,
    }


def finding_of(store: Store, finding: AuditFinding) -> dict[str, Any]:
    """A finding with the counts on which it rests."""
    told = store.queries.experiment(finding.evidence[-1])
    counts = told.result["gate"]["counts"] if finding.kind == "gate" else counts_of(told)
    beside = told.arguments.get("random", [])
    whole = finding.model_dump(mode="json")
    more = {"numbers": whole["numbers"]} if finding.kind == "gate" else {}
    return {name: whole[name] for name in FOUND} | {
        "components": list(finding.components),
        "random": beside,
        "counts": {arm: list(count) for arm, count in counts.items()},
        **more,
    }


def _begun(store: Store, planned: Planned) -> str:
    """The run of this audit that stands in the store already; "" where there is none."""
    wanted = {**planned.words, "topics": list(planned.topics)}
    for run in store.queries.runs():
        if run.kind == "audit" and run.arguments == wanted:
            return run.id
    return ""
