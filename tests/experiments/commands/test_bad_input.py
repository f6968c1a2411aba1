"""What can not be done, asked for at the command line: a sentence with the reason and the fix, and the exit code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from torch import nn
from transformers import Idefics3Config, Idefics3ForConditionalGeneration

from experiments.tableau.recall import recall
from experiments.worlds import tableau_sources
from tests.conftest import CHECKOUT
from tests.labelling import IMAGES, Place, Said
from tests.tiny import save_llava_next
from tools.targets.families import FAMILIES


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, tmp_path / "cache")


@pytest.fixture(scope="module")
def idefics(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of a family without an adapter, as `save_pretrained` leaves it."""
    folder = tmp_path_factory.mktemp("idefics")
    seen = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = seen | {"model_type": "llama", "vocab_size": 32, "num_key_value_heads": 2}
    config = Idefics3Config(
        vision_config=seen | {"image_size": 28, "patch_size": 14},
        text_config=text,
        image_token_id=5,
        scale_factor=1,
    )
    Idefics3ForConditionalGeneration(config).save_pretrained(folder)
    return folder


def refused(said: Said, kind: str) -> dict[str, str]:
    """The error of a command that failed with exit code 1, without a traceback."""
    assert said.code == 1, said.err
    assert "Traceback" not in said.err
    error: dict[str, str] = said.json["error"]
    assert error["kind"] == kind, error
    return error


@pytest.mark.parametrize(
    "words",
    [
        ("targets", "describe", "MODEL"),
        ("index", "MODEL", "--images", IMAGES),
        ("label", "MODEL", "--components", "language.0.mlp.0", "--images", IMAGES),
        ("run", "ablate", "MODEL", "-s", "component=language.0.mlp.0", "--images", IMAGES),
        ("reproduce", "neo2024", "--target", "MODEL"),
    ],
    ids=lambda words: words[0],
)
def test_a_family_without_an_adapter_is_told_which_there_are_and_how_to_add_one(
    words: tuple[str, ...], idefics: Path, place: Place
) -> None:
    given = [str(idefics) if word == "MODEL" else word for word in words]
    error = refused(place.says(*given, "--json"), "unsupported_family")
    assert "a `idefics3` model, a family that has no adapter" in error["message"]
    assert ", ".join(FAMILIES) in error["hint"]
    guide, _, heading = error["hint"].partition("how to add one: ")[2].partition(", ")
    assert heading.strip("`") in (CHECKOUT / guide).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("tool", "words"),
    [
        ("attention", ("component=language.0.head.0", "n=4")),
        ("relevance", ("method=relevancy", "n=4")),
    ],
)
def test_attention_that_shows_no_weights_is_switched_and_that_is_said(
    tool: str, words: tuple[str, ...], llava_folder: Path, place: Place
) -> None:
    given = [part for word in words for part in ("-s", word)]
    said = place.says("run", tool, str(llava_folder), *given, "--images", IMAGES, "--json")
    assert said.code == 0, said.err
    told = "attention of `language` was computed in the open, since `sdpa` shows no weights"
    assert told in said.json["result"]["warnings"]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (
            ("component=language.1.mlp.3", "positions=visual"),
            "layer 1 is the last, and nothing but the answer position is read after it",
        ),
        (("component=vision.2.mlp.0",), "the connector reads the picture after vision layer 1"),
    ],
    ids=["position", "component"],
)
def test_a_causal_question_without_a_path_to_the_answer_is_refused_with_the_reason(
    words: tuple[str, ...], reason: str, llava_folder: Path, place: Place
) -> None:
    given = [part for word in ("concept=red", *words) for part in ("-s", word)]
    said = place.says("run", "patch", str(llava_folder), *given, "--images", IMAGES, "--json")
    error = refused(said, "no_path")
    assert reason in error["message"] and "leave causal claims undetermined" in error["hint"]


@contextmanager
def room_for(rows: int) -> Iterator[list[int]]:
    """A device on which a decoder's layers run at most so many rows at once; gives how many they were asked to run."""
    asked: list[int] = []

    def check(module: nn.Module, given: tuple[torch.Tensor, ...]) -> None:
        if type(module).__name__ == "LlamaMLP":
            asked.append(len(given[0]))
            if asked[-1] > rows:
                raise RuntimeError(
                    "DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes."
                )

    handle = nn.modules.module.register_module_forward_pre_hook(check)
    try:
        yield asked
    finally:
        handle.remove()


OCCLUSION = ("-s", "method=occlusion", "-s", "n=4", "--images", IMAGES, "--json")


def test_a_plan_that_does_not_fit_is_split_and_gives_the_same(llava_folder: Path, place: Place) -> None:
    words = ("run", "relevance", str(llava_folder), *OCCLUSION)
    plain = place.says(*words)
    assert plain.code == 0, plain.err
    with room_for(8) as asked:
        split = place.says(*words)
    assert max(asked) > 8 and split.code == 0, split.err
    first, again = (said.json["result"]["quantities"]["saco"]["value"] for said in (plain, split))
    assert again == pytest.approx(first, abs=1e-5)


def test_a_row_that_does_not_fit_alone_is_an_error_with_the_fix(llava_folder: Path, place: Place) -> None:
    with room_for(0):
        error = refused(place.says("run", "relevance", str(llava_folder), *OCCLUSION), "memory")
    assert "does not fit" in error["message"] and "--dtype bfloat16" in error["hint"]


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Pictures of the embedded world, each with a question about a color; those without a red thing are cut smaller."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    source = tableau_sources("tableau:80/8/8")[0]
    asked = []
    for number in range(80):
        stimulus = source.picture(number)
        picture = stimulus.image
        if all(thing.color != "red" for thing in recall(stimulus.key).scene.things):
            picture = picture.crop((0, 0, picture.width, picture.height // 2))
        picture.save(folder / f"{number:03}.png")
        asked.append(
            {"file_name": f"{number:03}.png", "question": "what color is the star ?", "answer": "red"}
        )
    (folder / "metadata.jsonl").write_text("\n".join(map(json.dumps, asked)), encoding="utf-8")
    return folder


def test_sides_of_a_pair_with_different_token_counts_are_refused_with_both(
    mixed: Path, tmp_path: Path, place: Place, committed_weights: Path
) -> None:
    """LLaVA-NeXT reads a picture of another shape as another number of tokens."""
    model = str(save_llava_next(tmp_path / "next"))
    words = ("-s", "concept=red", "-s", "component=language.0.mlp.3", "-s", "n=8")
    given = ("--images", str(mixed), "--judge", "tableau-judge", "--json")
    error = refused(place.says("run", "patch", model, *words, *given), "positions")
    assert "positions of" in error["message"] and "can't be put into" in error["message"]
    assert "visual or answer positions" in error["hint"]
