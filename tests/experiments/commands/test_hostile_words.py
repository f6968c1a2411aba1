"""A label that wants to act: on a terminal, in JSON, in a bar; it is shown as words everywhere."""

from __future__ import annotations

import io
import json
import sys

import pytest

from experiments.commands.output import (
    narrate,
    print_json,
    print_json_line,
    print_table,
    print_text,
    progress,
)
from store.plain import hides

LABEL = "\x1b[2J\x1b]8;;http://evil\x07stars\u202e\x9b31m[bold red]x[/nothing]<script>\ud800"


@pytest.mark.parametrize(
    "show",
    [
        lambda: print_text(LABEL),
        lambda: print_table([LABEL], [[LABEL]], title=LABEL),
        lambda: print_json({"label": LABEL}),
        lambda: print_json_line({"label": LABEL}, sys.stdout),
        lambda: narrate(LABEL),
    ],
    ids=["text", "table", "json", "line", "narration"],
)
def test_nothing_in_a_label_reaches_a_terminal_as_it_is(
    show: object, capsys: pytest.CaptureFixture[str]
) -> None:
    assert callable(show)
    show()
    told = "".join(capsys.readouterr())
    assert "stars" in told and not any(map(hides, told))


def test_json_gives_the_label_back_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"label": LABEL})
    assert json.loads(capsys.readouterr().out) == {"label": LABEL}


def test_a_thought_beside_the_bar_is_no_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    with progress() as tell:
        tell(f"{LABEL}\nsecond line", 1, 2)
