"""The grammar of questions: from plain words to one of the kinds, or a refusal that says which kinds there are.

Knows wordings, addresses and kinds of questions about pictures; knows nothing about which concepts are known, which a
judge decides. First come, first served: the patterns stand in order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from agent.ask.questions import KINDS, Compare, Known, Needed, Question, Role, Used, WhatDoes, Which, Why
from store.address import Extent, parse, parse_set
from store.errors import UsageError

LONGEST = 300
"""Characters of a question."""
_ADDRESS = r"[\w.\[\]:*-]+\.[\w.\[\]:*-]+"
_QUOTE = r"[\"'`“”‘’«»]?"
_ROLES: tuple[tuple[Role, str], ...] = (
    (
        "reads",
        r"reads?|responds? to|reacts? to|fires? (?:on|for|at|to)|detects?|sees?|recogni[sz]es?|looks? for"
        r"|(?:is|are) selective for|encodes?|represents?",
    ),
    (
        "carries",
        r"carry|carries|transports?|brings?|moves?|matters? for|(?:is|are) (?:responsible|needed) for",
    ),
    ("writes", r"writes?|says?|outputs?|promotes?|puts?|produces?"),
)
_PARTS = r"(?:(?P<tower>vision|language) )?(?:attention )?(?P<parts>neurons?|heads?|components?|units?)"
_LAYER = r"(?: (?:in|of) (?:the )?(?:(?P<tower2>vision|language) )?(?:layer (?P<layer>\d+)|tower|side))?"
_WHICH = re.compile(
    rf"(?:which|what|find(?: the)?|list(?: the)?|show(?: me)?(?: the)?) {_PARTS}{_LAYER}"
    rf"(?: (?:that|which))? (?P<verb>{'|'.join(verbs for _, verbs in _ROLES)}) (?P<concept>.+)"
)
_WHAT = re.compile(
    rf"(?:what (?:does|do|is|are)|describe|explain|label)(?: the)?(?: (?:neuron|head|component|unit))? "
    rf"(?P<one>{_ADDRESS})(?: (?:neuron|head|do|doing|for|stand for|mean|respond to|detect|read|represent))*"
)
_KNOWN = re.compile(
    r"what (?:is|do we|do you|does the store) (?:already )?(?:known|know|say) (?:about|of|on) (?P<words>.+)"
)
_USED = re.compile(
    r"(?:is|are) (?P<concept>.+?) (?:really |actually )?"
    r"(?:(?:used|needed|read)(?:,? or (?:is it |are they )?(?:only|just|merely) encoded)?"
    r"|(?:only|just|merely) encoded(?:,? or (?:is it |are they )?(?:also |really )?used)?)"
    r"(?: (?:for|in|by) (?:(?:answering|answers to) )?(?:the )?(?P<kind>[\w]+)(?: questions?)?)?"
)
_ONE = re.compile(rf"(?:the )?(?:(?:neuron|head|component|unit) )?(?P<one>{_ADDRESS})")
_DOES_USE = re.compile(
    r"does (?:it|the (?:model|target)) (?:really |actually )?(?:use|need) (?P<concept>.+?)"
    r"(?: (?:for|in) (?:answering )?(?:the )?(?P<kind>[\w]+) questions?)?"
)
_WHY = re.compile(
    rf"why (?:(?:did|does|do) (?:it|the (?:model|target)) (?:say|answer)|(?:is |was )?the answer(?: is)?|say)? ?"
    rf"{_QUOTE}(?P<answer>\w+){_QUOTE}"
)
_COMPARE = (
    re.compile(rf"compare (?P<one>{_ADDRESS}) (?:and|with|to|against) (?P<other>{_ADDRESS})"),
    re.compile(rf"how (?:do|does) (?P<one>{_ADDRESS}) (?:and|differ from) (?P<other>{_ADDRESS})(?: differ)?"),
    re.compile(rf"what is the difference (?:between|of) (?P<one>{_ADDRESS}) and (?P<other>{_ADDRESS})"),
)
_LOOSE = re.compile(
    r"^(?:(?:the|an?|any|some|object['’]?s?|objects['’]|things?['’]s?|its|their|presence of|concept(?: of)?|kind of)"
    r"(?: |$))+"
)
_TO_ANSWER = re.compile(r" (?:to|into|in) (?:the |its )?answers?(?: directly)?$|,? directly$")
_OF_KIND = re.compile(r"^(?:the )?answers? to (?:the )?| (?:questions?|answers?)$")
_SAME = {"colour": "color", "colors": "color", "colours": "color", "number": "counting", "count": "counting"}


def understood(text: str, extent: Extent, kinds: Collection[str]) -> Question:
    """The question that the words ask. `kinds` are the kinds of questions about pictures that have known answers.

    Raises UsageError of kind "question" for words of another form, and UserError of kind "address" for a component
    that the target does not have.
    """
    words = asked(text)
    plain = words.lower()
    for reading in _READINGS:
        if (found := reading(plain, extent, kinds)) is not None:
            return found
    raise _refused(f"`{words[:80]}` is none of the questions that are understood")


def asked(text: str) -> str:
    """The words without what surrounds them. Raises UsageError where there are none, or too many."""
    words = " ".join(text.split()).rstrip(" ?!.").strip()
    if not words:
        raise _refused("the question is empty")
    if len(words) > LONGEST:
        raise _refused(f"the question has {len(words)} characters, more than {LONGEST}")
    return words


def _compare(plain: str, extent: Extent, kinds: Collection[str]) -> Question | None:
    for pattern in _COMPARE:
        if found := pattern.fullmatch(plain):
            first, second = (parse(found[name], extent) for name in ("one", "other"))
            if first == second:
                raise _refused(f"`{first}` is compared with itself")
            return Compare(first, second)
    return None


def _known(plain: str, extent: Extent, kinds: Collection[str]) -> Question | None:
    found = _KNOWN.fullmatch(plain)
    return Known(_concept(found["words"], ())) if found else None


def _what(plain: str, extent: Extent, kinds: Collection[str]) -> Question | None:
    found = _WHAT.fullmatch(plain)
    return WhatDoes(parse(found["one"], extent)) if found else None


def _which(plain: str, extent: Extent, kinds: Collection[str]) -> Question | None:
    found = _WHICH.fullmatch(plain)
    if not found:
        return None
    role = next(role for role, verbs in _ROLES if re.fullmatch(verbs, found["verb"]))
    parts = {"n": "neurons", "u": "neurons", "h": "heads", "c": "components"}[found["parts"][0]]
    tower, layer = found["tower"] or found["tower2"] or "", found["layer"] or ""
    named = " ".join(filter(None, (tower, parts, f"of layer {layer}" if layer else "")))
    return Which(role, _concept(found["concept"], kinds), named, _among(tower, layer, parts, extent))


def _among(tower: str, layer: str, parts: str, extent: Extent) -> str:
    """The set of addresses that is meant; empty for all."""
    towers = [tower] if tower else [str(one) for one in extent.towers]
    wanted = {"neurons": ("mlp",), "heads": ("head",), "components": ("mlp", "head")}[parts]
    if not tower and not layer and parts == "components":
        return ""
    if layer and not tower:
        towers = towers[-1:]
    named = ",".join(f"{one}.{layer or '*'}.{part}.*" for one in towers for part in wanted)
    parse_set(named, extent)
    return named


def _used(plain: str, extent: Extent, kinds: Collection[str]) -> Question | None:
    """Of a component or of a concept."""
    found = _USED.fullmatch(plain) or _DOES_USE.fullmatch(plain)
    if not found:
        return None
    kind = _SAME.get(found["kind"] or "", found["kind"] or "")
    if kind and kind not in kinds:
        raise UsageError(
            f"`{kind}` is not a kind of question here",
            kind="question",
            hint=f"kinds: {', '.join(kinds) or 'none, since no answers are known'}",
        )
    if one := _ONE.fullmatch(found["concept"]):
        return Needed(parse(one["one"], extent), kind)
    return Used(_concept(found["concept"], kinds), kind)


def _why(plain: str, extent: Extent, kinds: Collection[str]) -> Question | None:
    found = _WHY.fullmatch(plain)
    return Why(found["answer"]) if found else None


def _concept(words: str, kinds: Collection[str]) -> str:
    """Without articles and what only leads over to the answer; other names of kinds become theirs."""
    bare = re.sub(r"[\"'`“”‘’]", lambda mark: mark[0] if mark[0] in "'’" else "", words).strip()
    bare = _LOOSE.sub("", _TO_ANSWER.sub("", bare)).strip(" '’")
    if not bare:
        raise _refused("the question names no concept")
    kind = _OF_KIND.sub("", bare)
    same = _SAME.get(kind, kind)
    return same if same in kinds else bare


def _refused(message: str) -> UsageError:
    return UsageError(message, kind="question", hint=f"ask one of: {' · '.join(KINDS)}")


_READINGS: tuple[Callable[[str, Extent, Collection[str]], Question | None], ...] = (
    _compare,
    _known,
    _which,
    _what,
    _used,
    _why,
)
