"""A run as a folder of pages: an index, one page a component, and the pictures beside them.

Knows where files go and that they are whole when they are there; what is on them is the business of pages.py.
"""

from __future__ import annotations

from pathlib import Path

from reports.concepts import AS_WRITTEN, Plain
from reports.findings import page_of
from reports.pages import COMPONENTS, INDEX, PICTURES, Pages, whole_or_not_at_all
from reports.pictures import Pictures
from reports.record import read_run
from store.database import Store
from store.errors import UserError


def write(store: Store, run: str, folder: Path, plain: Plain = AS_WRITTEN) -> Path:
    """Writes the pages of a run and returns the index. What is there under the same names is replaced.

    The folder can be moved, sent and opened anywhere: nothing in it points out of it. `plain` says concepts in words.
    Raises UserError for an unknown run, and for a folder that can't be written.
    """
    record = read_run(store, run)
    try:
        (folder / COMPONENTS).mkdir(parents=True, exist_ok=True)
        pages = Pages(record, Pictures(store.artifacts, folder / PICTURES), plain)
        for thread in record.threads:
            whole_or_not_at_all(folder / pages.at(thread), pages.component(thread))
        for found in record.findings:
            whole_or_not_at_all(folder / page_of(found), pages.finding(found))
        whole_or_not_at_all(folder / INDEX, pages.index())
    except OSError as error:
        raise UserError(
            f"the report can't be written to `{folder}`: {error.strerror or error}",
            kind="report",
            hint="choose another folder with `-o`",
        ) from error
    return folder / INDEX
