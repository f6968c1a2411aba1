"""Neo et al. 2024 end to end on a tiny LLaVA and a hand-made COCO folder; relations and readouts by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from experiments.reproduce.neo.ablation import Readout, answer_tokens, yes_probability
from experiments.reproduce.neo.coco import called, drawn, photographed
from experiments.reproduce.neo.figure import draw_neo
from experiments.reproduce.neo.painted import named_in_caption, painted
from experiments.reproduce.neo.paper import ABLATION, KNOCKOUT, WINDOWS
from experiments.reproduce.neo.relations import (
    ABSENT,
    NOT_TOLD,
    PRESENT,
    UNDETERMINED,
    Relation,
    _ablation,
    within_reach,
)
from experiments.reproduce.neo.run import finding
from experiments.reproduce.setting import untrained_copy
from experiments.tableau.captions import caption
from experiments.tableau.phrases import Phrase
from experiments.tableau.recall import recall
from store.errors import UserError
from store.values import Estimate
from tests import tiny
from tests.labelling import Place, Said
from tools.engine.engine import Engine
from tools.polling_judge import NO, YES
from tools.targets.load import load_target

SIDE, THING = 168, 28
PICTURES = 12
WORDS = (
    "Is there a dog cat in the image? Answer question using single word or phrase. Describe image. "
    "Yes No yes no what color is it? red blue : dog."
).split()


def coco(folder: Path, pictures: int = PICTURES, **more: Any) -> Path:
    """Grey pictures with a red or blue square each, called a dog or a cat, and questions about its color."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    images, annotations, asked = [], [], []
    for number in range(pictures):
        picture = Image.new("RGB", (SIDE, SIDE), (120, 120, 120))
        x, y = (14 * int(place) for place in random.integers(1, 9, size=2))
        color = ("red", "blue")[number % 2]
        ImageDraw.Draw(picture).rectangle((x, y, x + THING - 1, y + THING - 1), fill=color)
        name = f"{number:012}.png"
        picture.save(folder / name)
        images.append({"id": number, "file_name": name, "width": SIDE, "height": SIDE})
        corners = [x, y, x + THING - 1, y, x + THING - 1, y + THING - 1, x, y + THING - 1]
        annotations.append(
            {
                "id": number,
                "image_id": number,
                "category_id": number % 2,
                "segmentation": [corners],
                "iscrowd": 0,
            }
        )
        asked.append(json.dumps({"file_name": name, "question": "what color is it?", "answer": color}))
    told = {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": 0, "name": "dog"}, {"id": 1, "name": "cat"}],
    }
    (folder / "instances_val.json").write_text(json.dumps(told | more))
    (folder / "metadata.jsonl").write_text("\n".join(asked))
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained LLaVA with 12 × 12 visual tokens that can read the questions."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiny, "SIDE", SIDE)
        patch.setattr(tiny, "WORDS", list(dict.fromkeys([*tiny.WORDS, *WORDS])))
        return tiny.save_llava(tmp_path_factory.mktemp("models") / "wide-llava")


@pytest.fixture(scope="module")
def told(model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Said, Path]:
    folder = tmp_path_factory.mktemp("neo")
    figure = folder / "neo.png"
    place = Place(folder, folder / "cache")
    words = ("--target", str(model), "--images", str(coco(folder / "coco")), "--n", "10", "--device", "cpu")
    return place.says("reproduce", "neo2024", *words, "--figure", str(figure), "--json"), figure


def test_a_llava_folder_and_a_coco_folder_give_one_record(told: tuple[Said, Path]) -> None:
    said, figure = told
    assert said.code == 0, said.err
    record = said.json
    assert record["items"]["n"] == 10 and record["items"]["tokens"] == 144
    assert record["items"]["set_sizes"]["object"] == 4 and record["items"]["set_sizes"]["random+1"] == 16
    assert set(record["ablation"]) == {"polling", "vqa", "captions"}
    assert record["ablation"]["polling"]["n"] == 10 and record["untrained"]["items"]["n"] == 10
    assert len(record["lens"]["words"]["class"]["by_site"]) == 3
    assert [one["window"] for one in record["knockout"]["windows"]] == [*WINDOWS]
    assert figure.stat().st_size > 20_000 and record["finding"]


def test_every_relation_has_a_verdict_with_n_and_interval_or_says_why_not(told: tuple[Said, Path]) -> None:
    for one in told[0].json["relations"]:
        assert one["verdict"] in (PRESENT, UNDETERMINED, ABSENT, NOT_TOLD)
        if one["found"] is None:
            assert one["verdict"] == NOT_TOLD
        else:
            assert one["found"]["n"] > 0 and one["found"]["ci"][0] <= one["found"]["ci"][1]


def test_an_untrained_model_shows_none_of_the_papers_lens(told: tuple[Said, Path]) -> None:
    verdicts = {one["name"]: one["verdict"] for one in told[0].json["relations"]}
    assert verdicts["lens: object − ground"] != PRESENT


def test_the_table_shows_the_papers_numbers_beside(
    told: tuple[Said, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    from experiments.commands.neo_tables import print_neo

    print_neo(told[0].json)
    printed = capsys.readouterr().out
    assert told[0].json["finding"] in printed and "object+1" in printed and "(0.67)" in printed


def test_an_answers_tokens_are_never_the_start_token(model: Path) -> None:
    engine = Engine(load_target(model, name="wide", device="cpu"))
    tokenizer = engine.target.processor.tokenizer
    first = {tokenizer(word).input_ids[0] for word in (*YES, *NO)}
    assert first == {tokenizer.bos_token_id}
    for words in (YES, NO):
        assert answer_tokens(engine, words) == [tokenizer.convert_tokens_to_ids(word) for word in words]
    with pytest.raises(UserError, match="no one token for `perhaps`"):
        answer_tokens(engine, ["perhaps"])


def test_yes_is_as_likely_as_all_its_tokens_against_all_those_of_no() -> None:
    logits = np.log(np.array([[0.1, 0.2, 0.3, 0.4], [0.4, 0.4, 0.1, 0.1]]))
    assert yes_probability(logits, [0, 1], [2, 3]) == pytest.approx([0.3, 0.8])


def readout(lost: int, random: int, n: int = 100) -> Readout:
    """Of 100 right answers so many flip without the thing, and so many without random tokens."""

    def first(count: int) -> np.ndarray:
        return np.arange(n) < count

    names: Any = {
        "object+1": lost,
        "random+1": random,
        "gradients+1": 10,
        "register": 0,
        "random register": 0,
    }
    return Readout(np.ones(n, dtype=bool), {name: first(count) for name, count in names.items()})


@pytest.mark.parametrize(
    ("lost", "random", "verdict", "ratio"),
    [(90, 4, PRESENT, PRESENT), (35, 1, UNDETERMINED, NOT_TOLD), (10, 10, ABSENT, ABSENT)],
)
def test_the_ablation_must_reach_its_bar_with_its_whole_interval(
    lost: int, random: int, verdict: str, ratio: str
) -> None:
    difference, times, *_, register = _ablation("vqa", readout(lost, random), seed=0)
    assert difference.verdict == verdict and times.verdict == ratio
    assert difference.found is not None and difference.found.value == pytest.approx((lost - random) / 100)
    assert difference.control == random / 100 and register.verdict == PRESENT


def test_a_ratio_is_not_quoted_where_random_tokens_flip_almost_nothing() -> None:
    times = list(_ablation("vqa", readout(90, 1), seed=0))[1]
    assert times.found is None and "a ratio is not quoted" in times.why


def test_the_objects_tokens_are_held_against_as_many_that_gradients_choose() -> None:
    """10 of 100 flip without the latter: 35 without the object's are 3.5 times as many; 11 leave it open."""
    for lost, verdict in ((35, PRESENT), (11, UNDETERMINED), (5, ABSENT)):
        found = {one.name: one for one in _ablation("vqa", readout(lost, 4), seed=0)}
        times = found["vqa: object+1 ÷ gradients"]
        assert times.found is not None and times.found.value == pytest.approx(lost / 10)
        assert times.verdict == verdict and times.control == 0.1 and not times.why


def test_a_ratio_that_the_ceiling_forbids_says_so() -> None:
    """Where 90 of 100 flip by gradients, 1.2 times as many would be 108."""
    assert within_reach(0.9) == "nearly all flip by gradients alone: at most 1.11 is possible"
    assert within_reach(0.8) == "" and "not quoted" in within_reach(0.01)


def test_a_bar_of_nought_asks_for_more_than_nought() -> None:
    assert Relation("", "", Estimate(0, 0, 0, 9), 0.0).verdict == ABSENT
    assert Relation("", "", Estimate(0.1, 0.01, 0.2, 9), 0.0).verdict == PRESENT
    assert Relation("", "", Estimate(0.1, 0.0, 0.2, 9), 0.0).verdict == UNDETERMINED
    assert Relation("", "", Estimate(0.01, 0.0, 0.02, 9), 0.02, most=True).verdict == PRESENT


def test_a_target_without_right_answers_is_told_so(told: tuple[Said, Path]) -> None:
    record = told[0].json
    wrong = {"n": 10, "accuracy": {"value": 0}, "sets": {}}
    record["ablation"] = dict.fromkeys(record["ablation"], wrong)
    assert finding(record).startswith("None of this target's answers is right")
    assert draw_neo(record | {"knockout": None}) is not None


def test_the_papers_values_are_counts_out_of_what_its_decimals_imply() -> None:
    for name, (_, polls, questions) in ABLATION["LLaVA 1.5"].items():
        for value, n in ((polls, 39), (questions, 90)):
            assert round(100 * round(value * n / 100) / n, 2) == value, name
    assert {len(row) for row in KNOCKOUT.values()} == {len(WINDOWS)}


def test_painted_items_show_the_thing_that_their_questions_name() -> None:
    found = painted("tableau:40/24/40", 9, 0)
    assert len(found.items) == 9 and len(found.reference) == 40
    for item in found.items:
        seen = recall(item.polling.key).scene
        assert item.thing.any() and not (item.thing & item.others).any()
        assert item.polling.answer == "yes" and item.words["shape"] in item.polling.question
        assert item.asked is not None and item.asked.image is item.polling.image
        assert item.names_it(caption(seen)) and not item.names_it("")


def test_a_caption_names_a_thing_where_one_claim_has_all_its_words() -> None:
    told = "a large solid red circle , a small dotted blue star on a dark background ."
    assert named_in_caption(told, Phrase(color="blue", shape="star"))
    assert not named_in_caption(told, Phrase(color="red", shape="star"))
    with pytest.raises(ValueError, match="nothing is said"):
        named_in_caption(told, Phrase())


def test_a_polygon_is_drawn_with_its_inside_and_words_have_plurals() -> None:
    mask = drawn([[2, 2, 6, 2, 6, 5, 2, 5], [0, 0]], 10, 8)
    assert mask.shape == (8, 10) and mask.sum() == 20 and mask[3, 4] and not mask[6, 4]
    assert called("bus") == ("bus", "buses") and called("person") == ("person", "people")


def test_only_single_things_of_the_right_size_are_items(tmp_path: Path) -> None:
    folder = coco(tmp_path / "coco")
    file = folder / "instances_val.json"
    known = json.loads(file.read_text())
    twin = known["annotations"][0] | {"id": 99}
    large = known["annotations"][1] | {"segmentation": [[0, 0, 160, 0, 160, 160, 0, 160]]}
    crowd = known["annotations"][2] | {"iscrowd": 1}
    known["annotations"][:3] = [known["annotations"][0], twin, large, crowd]
    file.write_text(json.dumps(known))
    found = photographed(str(folder), 50, 0)
    assert len(found.items) == PICTURES - 3 and all(item.polling.answer == "yes" for item in found.items)
    assert len(found.reference) == 3 and found.items[0].asked is not None


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"images": [{"id": 1}]}, "`images.0.file_name`"),
        ({"annotations": []}, "has 0 things that can be items"),
        ({"categories": "dogs"}, "`categories`"),
    ],
)
def test_a_folder_that_does_not_fit_is_refused_by_the_rule_that_it_breaks(
    more: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError) as error:
        photographed(str(coco(tmp_path / "coco", **more)), 10, 0)
    assert said in error.value.message


def test_a_folder_without_an_instances_file_or_with_other_pictures_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="must hold one file"):
        photographed(str(tmp_path / "empty"), 10, 0)
    folder = coco(tmp_path / "coco")
    for path in folder.glob("*.png"):
        Image.new("RGB", (64, 64)).save(path)
    with pytest.raises(UserError, match="its instances file says 168×168"):
        photographed(str(folder), 10, 0)


def test_copies_are_made_of_embedded_targets_and_folders_never_of_copies(model: Path) -> None:
    assert untrained_copy("tableau-llava-random", "cpu", "float32") is None
    assert untrained_copy("some/hub-id", "cpu", "float32") is None
    made = untrained_copy(str(model), "cpu", "float32")
    assert made is not None and made().target.name == "wide-llava, untrained"


def test_a_contrastive_target_and_a_wrong_folder_are_refused_in_a_sentence(tmp_path: Path) -> None:
    place = Place(tmp_path, tmp_path / "cache")
    found = place.says("reproduce", "neo2024", "--target", "tableau-clip", "--n", "8")
    assert found.code == 1 and "compares pictures with texts" in found.err
    found = place.says("reproduce", "neo2024", "--images", str(tmp_path / "none"))
    assert found.code == 1 and "is not a folder" in found.err
