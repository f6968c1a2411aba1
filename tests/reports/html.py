"""HTML read strictly: every tag closed in order, ids once, links and pictures collected."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

VOID = {"br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}


@dataclass
class Page(HTMLParser):
    """Raises AssertionError at the first tag that is not well-formed."""

    path: Path
    ids: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    images: list[dict[str, str | None]] = field(default_factory=list)
    tags: set[str] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)
    text: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    open_: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.feed(self.path.read_text(encoding="utf-8"))
        self.close()
        assert self.open_ == [], f"{self.path.name}: never closed: {self.open_}"

    @property
    def says(self) -> str:
        return " ".join("".join(self.text).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        assert len(told) == len(attrs), f"{self.path.name}: `{tag}` has an attribute twice"
        self.tags.add(tag)
        self.attributes |= set(told)
        if tag not in VOID:
            self.open_.append(tag)
        if told.get("id"):
            self.ids.append(str(told["id"]))
        if tag == "a":
            self.links.append(str(told["href"]))
        if tag == "img":
            self.images.append(told)
        if tag == "svg" and told.get("role") == "img":
            self.labels.append(told.get("aria-label") or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        raise AssertionError(f"{self.path.name}: `{tag}` closes itself, which HTML does not know")

    def handle_endtag(self, tag: str) -> None:
        assert self.open_ and self.open_[-1] == tag, f"{self.path.name}: `/{tag}` closes {self.open_[-3:]}"
        self.open_.pop()

    def handle_data(self, data: str) -> None:
        if "style" not in self.open_:
            self.text.append(data)
