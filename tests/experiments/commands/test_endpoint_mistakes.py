"""Wrong keys, addresses, models, servers and prices: one sentence with what to do, and the right exit code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from store.database import open_store
from tests.agent.scripted_server import Reply, serving
from tests.labelling import ABSTAINED, Labelled, Place, label

KEY = "sk-maieutic-tests-0123456789abcdef"
MODEL = ("--planner", "openai:scripted")
NOWHERE = "http://127.0.0.1:9/v1"
"""Nothing listens on the port for discarding."""


@pytest.fixture
def place(labelled: Labelled, tmp_path: Path) -> Place:
    return Place(tmp_path, labelled.place.cache, KEY)


@pytest.mark.parametrize(
    ("words", "kind", "told", "hint"),
    [
        (MODEL, "endpoint-key", "`openai` needs a key in `OPENAI_API_KEY`", "--base-url"),
        (("--describer", "eyes"), "endpoint-key", "`openai` needs a key in `OPENAI_API_KEY`", "--base-url"),
        (
            (*MODEL, "--base-url", "localhost:11434"),
            "endpoint-url",
            "`localhost:11434` is not the address of an endpoint",
            "http://localhost:11434/v1",
        ),
        (
            (*MODEL, "--base-url", NOWHERE, "--max-money", "1"),
            "prices",
            "nobody knows what `scripted` costs, so money can't be limited",
            "`--prices` names",
        ),
        (
            (
                "--planner",
                "openai:gpt-5-nano",
                "--base-url",
                NOWHERE,
                "--describer",
                "eyes",
                "--max-money-each",
                "1",
            ),
            "prices",
            "nobody knows what `eyes` costs",
            "--max-tokens",
        ),
        (
            ("--editor", "openai:brush", "--base-url", NOWHERE, "--max-money", "1"),
            "prices",
            "nobody knows what `brush` costs",
            "or `picture`",
        ),
        (
            (*MODEL, "--base-url", NOWHERE, "--prices", "nowhere.toml"),
            "prices",
            "the price file `nowhere.toml` can't be read",
            "--prices",
        ),
    ],
)
def test_what_can_be_known_before_is_refused_before_anything_is_opened(
    labelled: Labelled, tmp_path: Path, words: tuple[str, ...], kind: str, told: str, hint: str
) -> None:
    place = Place(tmp_path, labelled.place.cache, "")
    said = place.says(*label(ABSTAINED, *words, "--json"))
    error = said.json["error"]
    assert (said.code, error["kind"]) == (1, kind)
    assert told in error["message"] and hint in error["hint"] and "Traceback" not in said.err
    assert not place.store.exists()


def refusing(status: int, message: str) -> Reply:
    return Reply({"error": {"message": f"{message} (key {KEY})"}}, status)


@pytest.mark.parametrize(
    ("reply", "kind", "told", "hint"),
    [
        (refusing(401, "Incorrect API key"), "endpoint-key", "refused the key (401)", "OPENAI_API_KEY"),
        (
            refusing(404, "The model `scripted` does not exist"),
            "endpoint-model",
            "has no model `scripted` (404)",
            "another name after `openai:`",
        ),
        (refusing(404, "page not found"), "endpoint-url", "takes no chat there (404)", "end in `/v1`"),
        (
            refusing(400, "scripted does not support tools"),
            "endpoint-tools",
            "does not call tools",
            "Ollama with a model whose page says `tools`",
        ),
        (
            refusing(400, "max_tokens is too large"),
            "endpoint-request",
            "(400): ",
            "the server's words say why",
        ),
        (refusing(500, "CUDA out of memory"), "endpoint", "CUDA out of memory", "its own log may say why"),
    ],
)
def test_what_the_endpoint_says_first_ends_with_3_a_sentence_and_a_run_to_resume(
    place: Place, monkeypatch: pytest.MonkeyPatch, reply: Reply, kind: str, told: str, hint: str
) -> None:
    impatient(monkeypatch)
    with serving(reply) as endpoint:
        said = place.says(*label(ABSTAINED, *MODEL, "--base-url", endpoint.url, "--json"))
    check(place, said.code, said.json["error"], kind, told, hint)
    assert KEY not in said.out + said.err and "Traceback" not in said.err


def test_an_address_where_nobody_listens_is_named(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    impatient(monkeypatch)
    said = place.says(*label(ABSTAINED, *MODEL, "--base-url", NOWHERE, "--json"))
    told = f"`{NOWHERE}` did not answer ("
    check(place, said.code, said.json["error"], "endpoint", told, "`--base-url` is its address")


def check(place: Place, code: int, error: dict[str, Any], kind: str, told: str, hint: str) -> None:
    assert (code, error["kind"]) == (3, kind)
    assert told in error["message"] and hint in error["hint"]
    with open_store(place.store) as store:
        (run,) = store.queries.runs()
        assert run.status == "partial" and f"maieutic label --resume {run.id}" in error["hint"]


def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asks once, so that a test need not wait for a server to come to its senses."""
    monkeypatch.setenv("MAIEUTIC_RETRIES", "0")
