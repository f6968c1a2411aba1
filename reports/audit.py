"""An audit as one page and one JSON file, which say the same.

Made from the findings and the store alone. Knows where the files go; how a finding looks is told by the template.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from reports.pages import TEMPLATES, environment, title, whole_or_not_at_all
from reports.plots import Measured, shared_axis
from reports.receipts import Receipts
from store.audits import TOPICS, Audit, AuditFinding
from store.database import Store
from store.errors import UserError
from store.records import Experiment

PAGE, DATA, SCHEMA = "audit.html", "audit.json", "audit.schema.json"
STANDS = {"yes": "found", "no": "refuted", "undetermined": "open"}
"""What became of a suspicion, in a word."""
ASKS = {
    "hallucination": "Does it speak of things that are not there?",
    "spurious": "Does it answer by what usually comes along, not by what was asked for?",
    "text-dominance": "Does it follow words against the picture, or agree to anything?",
    "grounding": "Does its answer come from the right place?",
}


def write(store: Store, audit: Audit, folder: Path) -> Path:
    """Writes the page, the JSON and its schema, and returns the page; what is there under these names is replaced.

    Raises UserError for a folder that can't be written.
    """
    page = folder / PAGE
    told = audit.model_copy(update={"report": str(page)})
    try:
        folder.mkdir(parents=True, exist_ok=True)
        whole_or_not_at_all(page, rendered(store, told))
        whole_or_not_at_all(folder / DATA, _json(told.model_dump(mode="json")))
        whole_or_not_at_all(folder / SCHEMA, _json(Audit.model_json_schema()))
    except OSError as error:
        raise UserError(
            f"the report can't be written to `{folder}`: {error.strerror or error}",
            kind="report",
            hint="choose another folder with `-o`",
        ) from error
    return page


def rendered(store: Store, audit: Audit) -> str:
    """The page. A receipt leads to its experiment further down on it."""
    experiments = _cited(store, audit.findings)
    return (
        environment()
        .get_template(PAGE)
        .render(
            run=store.queries.run(audit.run),
            audit=audit,
            topics=[(topic, ASKS[topic], _of(audit.findings, topic)) for topic in TOPICS],
            stands=STANDS,
            experiments=experiments,
            receipts=Receipts({one.number: title(one) for one in experiments}),
            measured=measured,
            axis=shared_axis([measured(one) for one in audit.findings]),
            style=(TEMPLATES / "style.css").read_text(encoding="utf-8"),
        )
    )


def measured(finding: AuditFinding) -> Measured:
    """The effect on its interval with the control under it."""
    return Measured(finding.effect, finding.ci, finding.control, finding.control_ci)


def _of(findings: Iterable[AuditFinding], topic: str) -> list[AuditFinding]:
    """Those that stand first."""
    order = list(STANDS)
    return sorted((one for one in findings if one.topic == topic), key=lambda one: order.index(one.verdict))


def _cited(store: Store, findings: Iterable[AuditFinding]) -> list[Experiment]:
    numbers = sorted({number for one in findings for number in one.evidence})
    return [store.queries.experiment(number) for number in numbers]


def _json(told: Any) -> str:
    return json.dumps(told, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
