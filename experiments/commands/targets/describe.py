"""`maieutic targets describe`: the anatomy of a target as two tables or one object."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.commands.options import Device, JsonFlag, Precision
from experiments.commands.output import print_json, print_table
from experiments.commands.targets.opening import Name, opened

if TYPE_CHECKING:
    from tools.targets.describe import Anatomy


def describe(
    name: Name, device: Device = "auto", dtype: Precision = "float32", as_json: JsonFlag = False
) -> None:
    """Layers, heads, widths, image grid and fingerprint of a target."""
    target = opened(name, device, dtype)
    from tools.targets.describe import describe as anatomy_of

    anatomy = anatomy_of(target)
    if as_json:
        print_json({**anatomy.as_json(), "fingerprint": target.fingerprint})
        return
    print_table(("tower", "layers#", "heads#", "kv heads#", "width#", "MLP width#"), tower_rows(anatomy))
    print_table(("property", "value"), [*property_rows(anatomy), ("fingerprint", target.fingerprint)])


def tower_rows(anatomy: Anatomy) -> list[tuple[str, ...]]:
    """Cross-attentions have heads alone."""
    return [
        (name, *(str(n) for n in (t.layers, t.heads, t.kv_heads, t.width)), str(t.mlp_width or "–"))
        for name, t in anatomy.towers.items()
    ]


def property_rows(anatomy: Anatomy) -> list[tuple[str, str]]:
    sight = anatomy.sight
    visual_tokens = "depends on the picture's shape"
    if anatomy.family == "clip":
        visual_tokens = "none: no language model reads the picture"
    elif anatomy.visual_tokens is not None:
        visual_tokens = str(anatomy.visual_tokens)
    return [
        ("target", anatomy.target),
        ("family", anatomy.family),
        ("parameters", f"{anatomy.parameters:,}"),
        ("weights as", anatomy.dtype),
        ("picture", f"{sight.image_size}×{sight.image_size} pixels, patches of {sight.patch}"),
        ("image grid", f"{sight.grid[0]}×{sight.grid[1]}"),
        ("visual tokens", visual_tokens),
        ("vision layer read", str(anatomy.vision_layer_read)),
        ("connector", " → ".join(map(str, anatomy.connector))),
        ("vocabulary", f"{anatomy.vocabulary:,}"),
    ]
