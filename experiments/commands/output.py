"""What commands print, and where: data to stdout, narration to stderr.

Knows rich and JSON; knows nothing about what is printed, which may be a stranger's words: nothing in it acts on a
terminal. rich honors `NO_COLOR` and drops color off a terminal.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from store.plain import one_line, printable, unhidden

PIPE_WIDTH = 160
"""Columns of a table that no terminal shows, so that its cells stay on one line."""


def print_json(value: Mapping[str, Any]) -> None:
    """One JSON object on stdout, NaN refused."""
    told = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    sys.stdout.write(unhidden(told) + "\n")


def print_json_line(value: Mapping[str, Any], file: TextIO) -> None:
    """One JSON object on a line of its own."""
    told = json.dumps(value, ensure_ascii=False, allow_nan=False)
    file.write(unhidden(told) + "\n")


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, title: str = "") -> None:
    """A table on stdout; columns whose name ends with `#` hold numbers and stand right (the mark is not shown)."""
    table = Table(title=printable(title) or None, title_justify="left")
    for name in columns:
        table.add_column(printable(name.rstrip("#")), justify="right" if name.endswith("#") else "left")
    for row in rows:
        table.add_row(*map(printable, row))
    width = None if sys.stdout.isatty() else PIPE_WIDTH
    Console(markup=False, highlight=False, width=width).print(table)


def print_text(text: str) -> None:
    """One line of data on stdout."""
    sys.stdout.write(printable(text) + "\n")


@contextmanager
def progress() -> Iterator[Callable[[str, int, int], None]]:
    """A bar on stderr that is told (what, done, total); shown on a terminal only, and gone afterwards."""
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("")

        def tell(what: str, done: int, total: int) -> None:
            bar.update(task, description=escape(one_line(what)), completed=done, total=total)

        yield tell


def narrate(text: str) -> None:
    """One line on stderr for the person who waits."""
    sys.stderr.write(printable(text) + "\n")
