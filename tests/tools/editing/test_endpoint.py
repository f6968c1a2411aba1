"""An images endpoint as it can be: slow, overloaded, filtering, wrong, or far away; and what it costs."""

from __future__ import annotations

import base64
import re
import time
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from agent.prices import Price, Prices
from store.errors import UserError
from tests.tools.editing.images_server import (
    Asked,
    Reply,
    Server,
    holds,
    painted,
    paints,
    refuses,
    serving,
    shows,
)
from tests.tools.editing.pipelines import noise, pixels, squares
from tools.budget import Budget, BudgetReached, Payer, paying
from tools.editing.backend import NO_SEEDS, Failed, Made, Outcome, Settings
from tools.editing.endpoint import EndpointModel
from tools.images import MAX_BYTES
from tools.purse import Purse

KEY = "sk-very-secret"
SMALL = Settings(size=64)


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def at(server: Server, **more: object) -> EndpointModel:
    given: dict[str, object] = {"settings": SMALL, "retries": 0} | more
    return EndpointModel("paint-1", server.url, **given)  # type: ignore[arg-type]


def one(server: Server, **more: object) -> Outcome:
    return at(server, **more).edit(squares(1), ["make it red"], [1])[0]


def why(outcome: Outcome) -> str:
    assert isinstance(outcome, Failed), outcome
    return f"{outcome.kind}: {outcome.why}"


def made(outcome: Outcome) -> Made:
    assert isinstance(outcome, Made), outcome
    return outcome


def png(image: Image.Image) -> bytes:
    buffer = BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def test_a_picture_and_its_words_are_sent_and_what_comes_is_the_edit() -> None:
    picture = squares(1)[0]
    with serving(paints) as server:
        outcome = at(server).edit([picture], ["make it red"], [1])[0]
        (asked,) = server.requests
    assert asked.path == "/v1/images/edits"
    assert asked.fields == {
        "model": "paint-1",
        "prompt": "make it red",
        "n": "1",
        "size": "64x64",
        "response_format": "b64_json",
    }
    assert np.array_equal(pixels(asked.picture()), pixels(picture))
    assert np.array_equal(pixels(made(outcome).image), pixels(painted(asked)))
    assert asked.key == f"Bearer {KEY}"


def test_a_seed_is_not_pretended() -> None:
    with serving(paints) as server:
        settings = at(server, settings=Settings(size=64, quality="low", steps=9)).settings
    assert settings == Settings(size=64, quality="low", seeds=NO_SEEDS)


def test_a_region_is_sent_as_what_is_transparent() -> None:
    picture = squares(1)[0]
    region = np.zeros((64, 64), dtype=bool)
    region[10:30, 20:40] = True
    with serving(paints) as server:
        outcome = at(server).edit([picture], ["make it red"], [1], regions=[region])[0]
        mask = server.requests[0].picture("mask")
    assert np.array_equal(pixels(mask.getchannel("A")) == 0, region)
    assert np.array_equal(pixels(made(outcome).image)[~region], pixels(picture)[~region])


@pytest.mark.parametrize(
    ("size", "page"), [((1000, 1000), "1024x1024"), ((900, 600), "1536x1024"), ((64, 100), "1024x1536")]
)
def test_a_picture_is_sent_on_the_page_that_it_fills_best(size: tuple[int, int], page: str) -> None:
    with serving(paints) as server:
        outcome = at(server, settings=None).edit([Image.new("RGB", size, "navy")], ["red"], [1])[0]
        (asked,) = server.requests
    assert asked.fields["size"] == page
    assert f"{asked.picture().width}x{asked.picture().height}" == page
    assert why(outcome).startswith("blank")


def test_a_picture_of_another_shape_is_framed_and_cut_out_again() -> None:
    picture = Image.new("RGB", (60, 30), "navy")
    picture.paste("white", (0, 0, 30, 30))

    def echoes(asked: Asked) -> Reply:
        page = asked.picture().convert("RGB")
        page.paste("red", (32, 16, 64, 48))
        return shows(page)

    with serving(echoes) as server:
        outcome = made(at(server).edit([picture], ["red"], [1])[0])
        page = server.requests[0].picture().convert("RGB")
    assert page.getpixel((40, 5)) == (255, 255, 255) and page.getpixel((60, 30)) == (0, 0, 128)
    assert outcome.image.size == (60, 30)
    assert outcome.image.getpixel((50, 15)) == (255, 0, 0)
    assert outcome.notes[0] == "was framed on a page of 64×64 pixels and cut out of it again"


def test_an_overloaded_server_is_asked_again() -> None:
    with serving(refuses(429, "slow down"), refuses(500, "oops"), paints) as server:
        made(one(server, retries=2))
        assert len(server.requests) == 3


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_that_never_answers_fails_this_picture_for_now(status: int) -> None:
    with serving(refuses(status, "no")) as server:
        outcome = one(server)
    assert why(outcome).startswith(f"endpoint: `{server.url}` answered {status}, also after waiting: ")
    assert isinstance(outcome, Failed) and outcome.passing


def test_a_slow_server_is_not_waited_for_for_ever() -> None:
    with serving(Reply({}, delay=20.0)) as server:
        began = time.monotonic()
        outcome = one(server, timeout=0.2)
        assert time.monotonic() - began < 10
    assert why(outcome) == f"endpoint: `{server.url}` did not answer within 0.2 seconds"


def test_a_server_that_is_not_there_is_told_as_that() -> None:
    with serving(paints) as server:
        pass
    assert "did not answer (APIConnectionError)" in why(one(server))


def test_one_failure_does_not_spoil_the_others() -> None:
    def sometimes(asked: Asked) -> Reply:
        return refuses(500, "oops") if asked.fields["prompt"] == "blue" else paints(asked)

    with serving(sometimes) as server:
        outcomes = at(server).edit(squares(3), ["red", "blue", "green"], [1, 2, 3])
    assert [type(outcome) for outcome in outcomes] == [Made, Failed, Made]


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (shows(Image.new("RGB", (64, 64))), "blank: the picture that came back is black all over"),
        (shows(squares(1)[0]), "unchanged: the picture came back as it was given"),
        (shows(noise((64, 32))[0]), "shape: a picture of 64×32 pixels came back for one of 64×64"),
        (holds({"b64_json": "%%%"}), "broken: the picture in the endpoint's answer is broken (no base64)"),
        (
            holds({"b64_json": "aGVsbG8="}),
            "broken: the endpoint sent no usable picture: `the answer` is not a",
        ),
        (
            holds({"b64_json": base64.b64encode(png(squares(1)[0])[:500]).decode()}),
            "broken: the endpoint sent no usable picture: `the answer` is broken",
        ),
        (holds({}), "broken: the endpoint's answer holds no picture"),
        (Reply({"created": 0, "data": []}), "broken: the endpoint's answer holds no picture"),
        (Reply({"created": 0}), "broken: the endpoint's answer holds no picture"),
        (Reply(b"<html>"), "broken: the endpoint's answer holds no picture"),
        (
            Reply({"data": "no list", "usage": {"input_tokens": "many"}}),
            "broken: the endpoint's answer holds",
        ),
        (Reply({"data": [{"b64_json": 7, "url": 8}]}), "broken: the endpoint's answer holds no picture"),
        (
            refuses(400, "Your request was rejected by our safety system"),
            "safety: `http://127.0.0.1",
        ),
        (refuses(400, "the picture is too red"), "endpoint: `http://127.0.0.1"),
    ],
)
def test_an_answer_that_is_no_edit_is_told_apart(reply: Reply, told: str) -> None:
    with serving(reply) as server:
        assert why(one(server)).startswith(told)


def test_an_answer_of_another_size_is_scaled_and_says_so() -> None:
    with serving(shows(noise((128, 128))[0])) as server:
        outcome = made(one(server))
    assert outcome.image.size == (64, 64)
    assert outcome.notes == ("came back at 128×128 pixels and was scaled to 64×64",)


def test_a_server_that_does_not_know_the_format_is_asked_without_it() -> None:
    def strict(asked: Asked) -> Reply:
        if "response_format" in asked.fields:
            return refuses(400, "Unknown parameter: 'response_format'")
        return paints(asked)

    with serving(strict) as server:
        model = at(server)
        for _ in range(2):
            made(model.edit(squares(1), ["red"], [1])[0])
        assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("status", "kind"), [(401, "endpoint-key"), (403, "endpoint-key"), (404, "endpoint-model")]
)
def test_what_all_pictures_would_be_refused_for_is_the_users_to_mend(status: int, kind: str) -> None:
    with serving(refuses(status, f"wrong: {KEY}")) as server, pytest.raises(UserError) as caught:
        at(server).edit(squares(2), ["red", "red"], [1, 2])
    assert caught.value.kind == kind
    assert KEY not in caught.value.message


def test_the_key_is_repeated_nowhere() -> None:
    with serving(refuses(400, f"bad key {KEY}")) as server:
        model = at(server)
        assert KEY not in why(model.edit(squares(1), ["red"], [1])[0])
        assert KEY not in repr(vars(model)) + model.fingerprint + model.settings.model_dump_json()


def test_without_a_key_or_an_address_there_is_nothing_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(UserError, match="needs a key in `OPENAI_API_KEY`"):
        EndpointModel("paint-1")


def test_another_model_or_endpoint_is_another_fingerprint() -> None:
    prints = {
        EndpointModel(model, url).fingerprint
        for model, url in (("a", "http://x/v1"), ("b", "http://x/v1"), ("a", "http://y/v1"))
    }
    assert len(prints) == 3
    assert all(re.fullmatch("[0-9a-f]{64}", each) for each in prints)


class TestAddresses:
    """Answers that name an address instead of holding a picture."""

    def test_a_picture_at_the_endpoints_own_server_is_fetched_without_the_key(self) -> None:
        with serving(paints) as server:
            server.files["/made.png"] = Reply(png(noise((64, 64), seed=3)[0]))
            server.script = [holds({"url": f"{server.url.removesuffix('/v1')}/made.png"})]
            assert made(one(server)).image.size == (64, 64)
            assert server.fetched == [("/made.png", "")]

    @pytest.mark.parametrize(
        "url",
        [
            "http://127.0.0.1:9/made.png",
            "http://localhost/made.png",
            "http://169.254.169.254/latest/meta-data",
            "https://example.org/made.png",
            "file:///etc/passwd",
            "ftp://example.org/made.png",
        ],
    )
    def test_no_other_address_is_opened(self, url: str) -> None:
        with serving(holds({"url": url})) as server:
            assert "which is not fetched: allow the server by name" in why(one(server, hosts=("good.org",)))

    def test_a_server_that_was_allowed_is_not_asked_without_encryption(self) -> None:
        with serving(holds({"url": "http://good.org/made.png"})) as server:
            assert "which is not fetched" in why(one(server, hosts=("good.org",)))

    def test_a_redirect_is_not_followed(self) -> None:
        with serving(paints) as server, serving(paints) as other:
            other.files["/inside"] = Reply(png(squares(1)[0]))
            away = {"Location": f"{other.url.removesuffix('/v1')}/inside"}
            server.files["/made.png"] = Reply(b"", 302, headers=away)
            server.script = [holds({"url": f"{server.url.removesuffix('/v1')}/made.png"})]
            assert "could not be fetched (HTTP Error 302" in why(one(server))
            assert other.fetched == []

    def test_a_file_that_is_too_large_is_left_there(self) -> None:
        with serving(paints) as server:
            server.files["/made.png"] = Reply(bytes(MAX_BYTES + 10))
            server.script = [holds({"url": f"{server.url.removesuffix('/v1')}/made.png"})]
            assert why(one(server)) == "broken: the picture at `127.0.0.1` is larger than 32 MiB"

    def test_a_picture_that_is_gone_may_come_back(self) -> None:
        with serving(paints) as server:
            server.script = [holds({"url": f"{server.url.removesuffix('/v1')}/gone.png"})]
            outcome = one(server)
            assert why(outcome).startswith("endpoint: the picture at `127.0.0.1` could not be fetched")
            assert isinstance(outcome, Failed) and outcome.passing


class TestMoney:
    """What edits cost, and who pays."""

    prices = Prices({"paint-1": Price(input=10, output=40)})

    def test_tokens_are_paid_for_at_the_known_price(self) -> None:
        with serving(lambda asked: shows(painted(asked), usage=(500, 1000))) as server:
            assert made(one(server, prices=self.prices)).money == pytest.approx(0.005 + 0.04)
            assert made(one(server)).money is None

    def test_a_cost_that_nobody_tells_is_unknown_and_never_zero(self) -> None:
        with serving(paints) as server:
            assert made(one(server, prices=self.prices)).money is None
            free = Prices({"paint-1": Price(input=0, output=0)})
            assert made(one(server, prices=free)).money == 0

    @pytest.mark.parametrize("usage", [None, (500, 1000)])
    def test_a_price_of_a_picture_is_taken_for_each_whatever_its_tokens(
        self, usage: tuple[int, int] | None
    ) -> None:
        budget = Budget(own=Purse(money=0.1))
        with paying(Payer(budget)), serving(lambda asked: shows(painted(asked), usage=usage)) as server:
            model = at(server, prices=Prices({"paint-1": Price(picture=0.04)}))
            outcomes = model.edit(squares(5), ["red"] * 5, list(range(5)))
            assert len(server.requests) == 3  # the third passes the limit, the others are not asked for
        assert [one.money for one in outcomes if isinstance(one, Made)] == [0.04] * 3
        assert (
            sum("budget of 0.1 money is spent" in why(one) for one in outcomes if isinstance(one, Failed))
            == 2
        )
        assert budget.own.spent_money == pytest.approx(0.12) and budget.own.unknown == 0

    def test_what_can_no_longer_be_paid_is_not_asked_for(self) -> None:
        budget = Budget(own=Purse(tokens=1000))
        with (
            paying(Payer(budget)),
            serving(lambda asked: shows(painted(asked), usage=(500, 1000))) as server,
        ):
            model = at(server, prices=self.prices)
            outcomes = model.edit(squares(6), ["red"] * 6, list(range(6)))
            asked = len(server.requests)
            with pytest.raises(BudgetReached):
                model.edit(squares(1), ["red"], [1])
            assert len(server.requests) == asked == 1
        assert made(outcomes[0]).money == pytest.approx(0.045)
        assert {why(each) for each in outcomes[1:]} == {
            "endpoint: was not asked for: the budget of 1,000 tokens is spent"
        }
        assert (budget.own.spent_tokens, budget.own.requests) == (1500, 1)
