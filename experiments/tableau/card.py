"""Model cards: what a committed model is, where it came from, and what was measured of it.

`card.json` is for machines (file hashes, fingerprint, training, measurements); `README.md` beside it is for people and
is rendered from `cards/NAME.md` with the same facts. Knows nothing about how the facts are measured (prove.py).
`python -m experiments.tableau.card` renews all cards.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from experiments.registry import CARD, WEIGHTS, sha256_of
from experiments.tableau.floors import FLOORS

HERE = Path(__file__).parent
RESULTS = HERE / "results"
"""Records and figures that come with the checkout."""
RECORD = "training.json"
"""Written beside the weights when they are exported: stages with steps and seconds, seed, machine."""
SCENES = 20_000
"""Scenes of the training distribution that the regularities are counted on."""


def renew(folder: Path, results: Path = RESULTS, scenes: int = SCENES) -> None:
    """Writes the folder's card from its files, its training record, and the results measured on these very weights.

    The regularities of the training distribution are counted on `scenes` scenes.
    """
    from tools.targets.load import load_target

    hashes = {
        str(path.relative_to(folder)): sha256_of(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in (CARD, "README.md", "pairwise.json")
    }
    facts: dict[str, Any] = {"name": folder.name, "sha256": hashes}
    if (folder / "processor_config.json").is_file():
        target = load_target(folder, name=folder.name, device="cpu")
        facts |= {
            "fingerprint": target.fingerprint,
            "parameters": sum(parameter.numel() for parameter in target.model.parameters()),
        }
    elif (folder / "model_index.json").is_file():
        facts |= {"fingerprint": combined_hash(folder), "parameters": parameters(folder)}
    facts["training"] = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    if folder.name == "tableau-llava":
        facts |= {"world": world(folder, scenes), "floors": FLOORS}
    facts["measured"] = measured(
        folder.name, facts.get("fingerprint", hashes.get("model.safetensors", "")), results
    )
    (folder / CARD).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    environment = Environment(
        loader=FileSystemLoader(HERE / "cards"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    text = environment.get_template(f"{folder.name}.md").render(card=facts)
    (folder / "README.md").write_text(text.rstrip() + "\n", encoding="utf-8")


def combined_hash(folder: Path) -> str:
    """One hash of all weights of a model that lies in several files."""
    hashes = [sha256_of(path) for path in sorted(folder.rglob("*.safetensors"))]
    return hashlib.sha256("".join(hashes).encode()).hexdigest()


def parameters(folder: Path) -> int:
    """How many numbers the weights files hold."""
    from safetensors.torch import load_file

    files = sorted(folder.rglob("*.safetensors"))
    return sum(tensor.numel() for file in files for tensor in load_file(file).values())


def world(folder: Path, scenes: int) -> dict[str, Any]:
    """What is true of the training distribution: held-out pairs, regularities as measured, words of the language.

    Writes the sampler's full pairwise table beside the card.
    """
    from experiments.tableau.lexicon import vocabulary
    from experiments.tableau.pairwise import pairwise
    from experiments.tableau.regularities import shares
    from experiments.tableau.sampler import HELD_OUT

    (folder / "pairwise.json").write_text(json.dumps(pairwise(scenes), indent=1) + "\n", encoding="utf-8")
    return {
        "held_out": sorted(" ".join(pair) for pair in HELD_OUT),
        "regularities": shares(scenes),
        "words": len(vocabulary()),
    }


def measured(name: str, fingerprint: str, results: Path) -> dict[str, Any]:
    """Recorded results of this target by name; those of other weights are left out, so that none outlives them."""
    found = {}
    for path in sorted(results.glob("*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        if record.get("target") == name and record.get("fingerprint") == fingerprint:
            found[path.stem] = record
    return found


def main() -> None:
    for folder in sorted(WEIGHTS.iterdir()):
        if (folder / RECORD).is_file():
            renew(folder)
            print(folder / CARD)


if __name__ == "__main__":
    main()
