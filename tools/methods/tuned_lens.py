"""`tuned_lens`: which word each layer already points to, read through a translator that was trained for the layer.

Knows on which pictures translators are trained, and that they are kept in the store for the next call; training and
reading are tools/tuned.py's (Belrose et al. 2023).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import Field

from store.records import Interval, Model, Quantity
from tools.context import ToolContext
from tools.methods.answers import refuse_wordless
from tools.methods.showing import Named, chosen, keep
from tools.methods.streams import refuse_crossed
from tools.pictures import sheet
from tools.scoring.intervals import bootstrap_mean
from tools.stimuli import Stimulus
from tools.tool import Arguments, Result, tool

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from tools.targets.sites import Site
    from tools.tuned import Translators

AT_ONCE = 8
"""Stimuli whose streams are held at a time."""
SEEN = 24
"""Picture tokens of each stimulus on which translators are trained, beside all its words."""
SHOWN = 6


class TunedLensArguments(Arguments):
    images: Annotated[
        tuple[Named, ...],
        Field(
            max_length=64,
            description="Pictures, each with its own question; held-out random ones where none is named.",
        ),
    ] = ()
    n: Annotated[int, Field(ge=4, le=64, description="Pictures, where none is named.")] = 24
    train: Annotated[
        int, Field(ge=8, le=1000, description="Other pictures on which the translators are trained.")
    ] = 128


class TunedLayer(Model):
    """One layer: how far its lens is from the final words (`kl`, nats) with the translator, and without it (`plain`:
    the logit lens); mean probability of the target's own last word, and of another picture's (`control`)."""

    site: str
    kl: float
    ci: Interval
    plain: float
    probability: float
    control: float


class TunedLens(Result):
    """`answers` is what the target says for each picture. `translators` is the hash of a kept safetensors file with
    `slope` and `shift` for each layer; `trained_on` names the pictures that they were trained on."""

    layers: tuple[TunedLayer, ...]
    answers: tuple[str, ...]
    translators: str
    trained_on: str


class Sampled(NamedTuple):
    """Streams behind every layer but the last, and the logits that the model ends with, at the same rows."""

    streams: Float[Tensor, "site row width"]
    final: Float[Tensor, "row word"]


@tool
def tuned_lens(context: ToolContext, arguments: TunedLensArguments) -> TunedLens:
    """Which word each layer would say at the answer position, read through a translator trained for the layer.

    `kl LAYER`: distance in nats between what the layer says through its translator and what the target says in the
    end, over pictures; its control is the same without a translator (the logit lens). Translators are trained on
    other pictures of the planner's split and kept: the next call with the same `train` has them. `depth`: the first
    layer, as a share of all, in which the final word leads in most pictures. Like every probe it says what can be
    read, not what is used.
    """
    refuse_wordless(context)
    refuse_crossed(context)
    order = [int(number) for number in context.random("tuned lens").permutation(len(context.images))]
    train = min(arguments.train, len(order) - 4)
    taught = order[:train]
    if arguments.images:
        stimuli = chosen(context, arguments.images)
    else:
        stimuli = [context.images.asked(number) for number in order[train : train + arguments.n]]
    trained_on = f"{train} of {context.images.fingerprint[:16]}"
    sites = _sites(context)
    translators, sha = _translators(context, sites, taught, trained_on)
    from tools.tuned import divergence, read

    found = _sampled(context, sites, stimuli, answers_only=True)
    lens = read(context.target.model, found.streams, translators)
    plain = divergence(read(context.target.model, found.streams, None), found.final)
    table = _table(context, sites, lens, found.final, plain)
    said = found.final.argmax(-1)
    leads = (lens.argmax(-1) == said).float().mean(-1).tolist()
    first = next((place for place, share in enumerate(leads) if share > 0.5), len(leads))
    word = context.target.processor.tokenizer.decode
    keys = {context.images.asked(number).key for number in taught}
    known = sum(stimulus.key in keys for stimulus in stimuli)
    return TunedLens(
        layers=tuple(table),
        answers=tuple(str(word([token])).strip() for token in said.tolist()),
        translators=sha,
        trained_on=trained_on,
        quantities={
            f"kl {row.site}": Quantity(
                value=row.kl, unit="nats", ci=row.ci, n=len(stimuli), control=row.plain
            )
            for row in table
        }
        | {"depth": Quantity(value=(1 + first) / len(sites), unit="share of the layers", n=len(stimuli))},
        artifacts={"pictures": keep(context, sheet([one.image for one in stimuli[:SHOWN]], columns=3))},
        warnings=(f"{known} of the pictures were trained on",) if known else (),
        summary=_summary(table, len(stimuli)),
    )


def _sites(context: ToolContext) -> list[Site]:
    """Behind every layer; the last is the model's own end."""
    from tools.targets.sites import Site

    layers = context.extent.towers["language"].layers
    return [Site("resid_post", "language", layer) for layer in range(layers)]


def _translators(
    context: ToolContext, sites: Sequence[Site], taught: Sequence[int], trained_on: str
) -> tuple[Translators, str]:
    """Those of an earlier call where the same code trained them on the same pictures, else new ones; and their hash."""
    from tools.door import code_version
    from tools.tuned import Translators, trained

    store = context.store
    earlier = store.queries.alike("tuned_lens", context.target.fingerprint, context.seed, code_version())
    for one, _ in earlier:
        if one.result.get("trained_on") == trained_on:
            sha = one.result["translators"]
            found = Translators.from_bytes(store.artifacts.get(sha))
            device = context.target.device
            return Translators(found.slope.to(device), found.shift.to(device)), sha
    seen = _sampled(context, sites, [context.images.asked(number) for number in taught], answers_only=False)
    found = trained(context.target.model, seen.streams, seen.final, seed=context.derived_seed("translators"))
    kept = Translators(found.slope.cpu(), found.shift.cpu())
    return found, store.artifacts.put(kept.to_bytes(), "application/octet-stream")


def _sampled(
    context: ToolContext, sites: Sequence[Site], stimuli: Sequence[Stimulus], *, answers_only: bool
) -> Sampled:
    """Streams at the answer positions, or at all words and some of the picture's tokens as well."""
    import torch

    from tools.tuned import thinned

    streams: list[Tensor] = []
    final: list[Tensor] = []
    for start in range(0, len(stimuli), AT_ONCE):
        outcome = context.engine.plain(stimuli[start : start + AT_ONCE], tuple(sites))
        for row in range(len(outcome.logits)):
            batch = outcome.batch
            places = [int(batch.answer[row])]
            if not answers_only:
                visual, real = batch.visual[row], batch.real[row]
                places += thinned(visual.nonzero()[:, 0].tolist(), SEEN)
                places += [place for place in (real & ~visual).nonzero()[:, 0].tolist() if place != places[0]]
            at = torch.stack([outcome.reads[site][row, places].float() for site in sites])
            streams.append(at[:-1])
            final.append(context.adapter.unembed(at[-1].to(context.target.model.dtype)))
    return Sampled(torch.cat(streams, dim=1), torch.cat(final))


def _table(
    context: ToolContext,
    sites: Sequence[Site],
    lens: Float[Tensor, "site row word"],
    final: Float[Tensor, "row word"],
    plain: Float[Tensor, "site row"],
) -> list[TunedLayer]:
    from tools.tuned import divergence

    seed = context.derived_seed("tuned lens")
    said = final.argmax(-1)
    sure = lens.softmax(-1)
    own = sure.gather(-1, said.expand(len(lens), -1)[..., None])[..., 0].mean(-1).tolist()
    other = sure.gather(-1, said.roll(1).expand(len(lens), -1)[..., None])[..., 0].mean(-1).tolist()
    found = []
    for place, far in enumerate(divergence(lens, final).double().cpu().numpy()):
        mean = bootstrap_mean(far, seed=seed)
        found.append(
            TunedLayer(
                site=str(sites[place]),
                kl=mean.value,
                ci=(mean.low, mean.high),
                plain=float(plain[place].mean()),
                probability=own[place],
                control=other[place],
            )
        )
    return found


def _summary(table: Sequence[TunedLayer], n: int) -> str:
    told = "; ".join(
        f"{row.site.removeprefix('language.').removesuffix('.resid_post')} {row.kl:.2f} ({row.plain:.2f})"
        for row in table
    )
    return (
        f"Distance from the final words by layer in nats, through translators (without them), {n} pictures: {told}."
    )[:400]
