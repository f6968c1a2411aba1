"""How a command opens a workplace and a planner from the words on its line."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from experiments.commands.output import progress
from store.errors import UsageError, UserError
from tools.budget import RETRIES, TIMEOUT

if TYPE_CHECKING:
    from agent.planner import Planner
    from experiments.workplace import Progress, Workplace
    from store.database import Store

SHOWN = 72
"""Characters of a thought that stand beside the bar."""


@dataclass(frozen=True)
class Service:
    """How language models are reached: where, at which prices (a file), and with how much patience."""

    base_url: str = ""
    prices: str = ""
    timeout: float = TIMEOUT
    retries: int = RETRIES


USUAL = Service()
WORLD = ("target", "images", "judge", "editor", "describer", "dtype", "seed")


def world_of(words: Mapping[str, Any]) -> dict[str, Any]:
    """What of a run's words `opened_workplace` takes."""
    return {name: words[name] for name in WORLD if name in words}


@contextmanager
def opened_workplace(
    target: str,
    *,
    store: str,
    images: str = "",
    judge: str = "",
    editor: str = "",
    describer: str = "",
    service: Service = USUAL,
    device: str = "auto",
    dtype: str = "float32",
    seed: int = 0,
) -> Iterator[Workplace]:
    """The target in its world, with its store and with progress on the terminal; closed afterwards."""
    from transformers.utils import logging

    from experiments.workplace import open_workplace
    from store.database import open_store

    if not sys.stderr.isatty():
        logging.disable_progress_bar()
    with open_store(store or None) as record, progress() as tell:
        opened = open_workplace(
            record,
            target,
            images=images or None,
            judge=judge or None,
            device=device,
            dtype=dtype,
            seed=seed,
            progress=tell,
        )
        if describer:
            describes(opened, describer, service)
        if editor:
            edits(opened, editor, service, device)
        yield opened


def check_models(words: Mapping[str, Any], service: Service, *, kept: bool = False) -> None:
    """Refuses, before anything is opened: a language model that can't be asked from here (no key, no address), a price
    file that is none, and a limit on money where nobody knows what a model costs, since it would never be reached.

    `kept`: what the describer said is kept, and it may not be needed.
    """
    from agent.prices import read_prices

    kind, _, model = words["planner"].partition(":")
    planner = model if kind == "openai" else ""
    describer = words.get("describer", "").removeprefix("openai:")
    for name in (planner, "" if kept or kind == "recorded" else describer):
        if name:
            from agent.endpoint import Endpoint

            Endpoint(name, service.base_url)
    known = read_prices(service.prices)
    if not (words["money"] or words.get("money_each")):
        return
    kind, _, model = words.get("editor", "").partition(":")
    painter = model if kind == "openai" else ""
    unknown = [name for name in (planner, describer) if name and known.money((name,), 1, 1) is None]
    for name in [*unknown, *([painter] if painter and known.of(painter) is None else [])]:
        raise UserError(
            f"nobody knows what `{name}` costs, so money can't be limited",
            kind="prices",
            hint=f'write `[models."{name}"]` with `input` and `output` for a million tokens'
            f"{', or `picture`,' if name == painter else ''} into a file that `--prices` names; "
            "or limit `--max-tokens`",
        )


def describes(workplace: Workplace, name: str, service: Service) -> None:
    """From here on the language model `name` puts this workplace's pictures into words."""
    from agent.endpoint import Endpoint
    from agent.openai_describer import OpenAIDescriber
    from agent.prices import read_prices

    model, known = name.removeprefix("openai:"), read_prices(service.prices)
    words = workplace.world.describer.vocabulary()

    def opened() -> Endpoint:
        return Endpoint(model, service.base_url, service.retries, service.timeout, prices=known)

    workplace.world = replace(
        workplace.world,
        describer=OpenAIDescriber(model, opened, words, workplace.cache / "describer"),
    )


def edits(workplace: Workplace, name: str, service: Service, device: str) -> None:
    """From here on the model `name` changes this workplace's pictures; every edit is proved, what it made is kept."""
    from agent.prices import read_prices
    from experiments.editing import edited_by
    from experiments.registry import open_editor
    from tools.editing.kept import Kept

    known = read_prices(service.prices)
    model = open_editor(
        name,
        device,
        base_url=service.base_url,
        prices=known,
        retries=service.retries,
        timeout=service.timeout,
        progress=workplace.progress,
    )
    workplace.world = edited_by(workplace.world, Kept(model, workplace.cache / "edits"))


def chosen_planner(
    name: str,
    service: Service,
    store: Store,
    *,
    context: int = 0,
    programs: bool = True,
    tell: Progress | None = None,
) -> Planner:
    """The planner that `name` means; `programs` are offered to it or not, `tell` is told what it thinks.

    Raises UsageError for another word.
    """
    kind, _, rest = name.partition(":")
    if kind == "builtin":
        from agent.builtin import BuiltinPlanner
        from agent.builtin.without import without_of

        return BuiltinPlanner(without_of(name))
    if kind == "openai" and rest:
        from agent.openai_planner import CONTEXT, OpenAIPlanner
        from agent.prices import read_prices

        return OpenAIPlanner(
            rest,
            service.base_url,
            retries=service.retries,
            timeout=service.timeout,
            prices=read_prices(service.prices),
            context=context or CONTEXT,
            fetch=store.artifacts.get,
            programs=programs,
            tell=lambda component, said: tell(last_words(component, said), 0, 1) if tell else None,
        )
    if kind == "recorded" and rest:
        from agent.recorded import Recorded

        return Recorded(store, rest)
    raise UsageError(
        f"`{name}` is not a planner", kind="planner", hint="give `builtin`, `openai:MODEL` or `recorded:RUN`"
    )


def last_words(component: str, said: str) -> str:
    """The end of what a planner has said so far, on one line."""
    words = " ".join(said[-4 * SHOWN :].split())
    return f"{component}: {'…' if len(words) > SHOWN else ''}{words[-SHOWN:]}"
