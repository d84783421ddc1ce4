"""The documentation site builds without a warning and leads nowhere that is not there.

The pages are read on GitHub too: the links of the Markdown are looked at as they stand.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.documented import DOCS, ROOT

_BUILD = """
import socket, sys
def refuse(*arguments):
    raise OSError("no network in tests")
socket.socket.connect = socket.getaddrinfo = refuse
from sphinx.cmd.build import main
sys.exit(main(sys.argv[1:]))
"""
_LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "use": "href"}
_STYLES_AND_ICONS = ("stylesheet", "icon", "preload", "modulepreload", "preconnect", "dns-prefetch")
_IN_STYLES = re.compile(r"""@import\s+["']?([^"';)]+)|url\(\s*["']?([^"')]+)""")
_MARKDOWN_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)$", re.MULTILINE)
_FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
PAGES = sorted(DOCS.rglob("*.md"))


@dataclass
class Page(HTMLParser):
    """What a page of the site refers to."""

    path: Path
    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    texts_of_styles: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag in _LOADED and _LOADED[tag] in given:
            self.loaded.append(given[_LOADED[tag]])
        if tag == "link" and set(given.get("rel", "").split()) & set(_STYLES_AND_ICONS):
            self.loaded.append(given["href"])
        self.texts_of_styles.append(given.get("style", ""))

    def handle_data(self, data: str) -> None:
        if self.lasttag == "style":
            self.texts_of_styles.append(data)


def pages(site: Path) -> dict[Path, Page]:
    return {path.resolve(): Page(path) for path in sorted(site.rglob("*.html"))}


def broken(site: Path) -> list[str]:
    """The links and resources that are not there, and the resources that are elsewhere."""
    known = pages(site)
    found = []
    for path, page in known.items():
        styles = [url for text in page.texts_of_styles for url in in_styles(text)]
        for kind, urls in (("link", page.links), ("resource", [*page.loaded, *styles])):
            for url in urls:
                if reason := _what_is_wrong(kind, url, path, known):
                    found.append(f"{path.name}: {kind} {url}: {reason}")
    for sheet in sorted(site.rglob("*.css")):
        for url in in_styles(sheet.read_text(encoding="utf-8")):
            if reason := _what_is_wrong("resource", url, sheet.resolve(), known):
                found.append(f"{sheet.name}: {url}: {reason}")
    return found


def in_styles(text: str) -> Iterator[str]:
    for match in _IN_STYLES.finditer(text):
        yield match[1] or match[2]


def _what_is_wrong(kind: str, url: str, path: Path, known: dict[Path, Page]) -> str:
    parts = urlsplit(url)
    if parts.scheme == "data":
        return ""
    if parts.scheme or parts.netloc:
        return "" if kind == "link" else "it is loaded from elsewhere"
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if not target.is_file():
        return "there is no such file"
    anchors = known[target].anchors if target in known else set()
    if parts.fragment and target in known and unquote(parts.fragment) not in anchors:
        return "there is no such anchor"
    return ""


def build(docs: Path, site: Path, builder: str = "html") -> subprocess.CompletedProcess[str]:
    """Strictly, as `make docs` does, and without a network."""
    options = (
        "-b",
        builder,
        "--quiet",
        "--fail-on-warning",
        "--keep-going",
        "-d",
        f"{site}.doctrees",
    )
    return subprocess.run(
        [sys.executable, "-c", _BUILD, *options, str(docs), str(site)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs") / "site"
    built = build(DOCS, folder)
    assert (built.returncode, built.stdout, built.stderr) == (0, "", "")
    return folder


def test_every_link_and_anchor_is_there_and_nothing_comes_from_elsewhere(site: Path) -> None:
    assert len(pages(site)) >= len(PAGES)
    assert broken(site) == []


def test_every_page_is_in_the_navigation(site: Path) -> None:
    index = Page(site / "index.html")
    expected = {path.relative_to(DOCS).with_suffix(".html").as_posix() for path in PAGES}
    assert expected - {"index.html"} <= set(index.links)


def test_the_make_target_builds_in_the_same_way() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "-m sphinx --quiet --fail-on-warning --keep-going docs build/docs" in makefile


MISTAKES = "\n[a](missing.md) [b](#missing) ![c](missing.svg)\n"


def test_mistakes_stop_the_build(tmp_path: Path) -> None:
    docs = shutil.copytree(DOCS, tmp_path / "docs")
    (tmp_path / "kms_access").mkdir()
    shutil.copy(ROOT / "kms_access/__init__.py", tmp_path / "kms_access")
    with (docs / "authorize.md").open("a", encoding="utf-8") as page:
        page.write(MISTAKES)
    (docs / "alone.md").write_text("# A page that nothing leads to\n", encoding="utf-8")
    built = build(docs, tmp_path / "site", "dummy")
    assert built.returncode == 1
    assert built.stderr.count("WARNING") == 4
    for text in ("missing.md", "target not found: 'missing'", "missing.svg", "alone.md"):
        assert text in built.stderr


BAD = """<html><head><link rel="stylesheet" href="https://fonts.example/a.css">
<style>@import "https://fonts.example/b.css";</style></head><body id="top">
<a href="#missing">a</a><a href="none.html">b</a><a href="#top">c</a><a href="https://d.example">d</a>
<script src="//cdn.example/e.js"></script><img src="none.png"><img src="data:image/png;base64,AA">
</body></html>"""


def test_the_looking_finds_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(BAD, encoding="utf-8")
    (tmp_path / "a.css").write_text("b { background: url(https://example.com/f.woff2) }")
    assert broken(tmp_path) == [
        "index.html: link #missing: there is no such anchor",
        "index.html: link none.html: there is no such file",
        "index.html: resource https://fonts.example/a.css: it is loaded from elsewhere",
        "index.html: resource //cdn.example/e.js: it is loaded from elsewhere",
        "index.html: resource none.png: there is no such file",
        "index.html: resource https://fonts.example/b.css: it is loaded from elsewhere",
        "a.css: https://example.com/f.woff2: it is loaded from elsewhere",
    ]


def headings(text: str) -> set[str]:
    """The anchors that GitHub gives to headings."""
    found: list[str] = []
    for heading in re.findall(r"^#+ (.+)$", _FENCE.sub("", text), re.MULTILINE):
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        times = sum(
            re.fullmatch(rf"{re.escape(slug)}(-\d+)?", other) is not None for other in found
        )
        found.append(f"{slug}-{times}" if times else slug)
    return set(found)


@pytest.mark.parametrize(
    "path", [ROOT / "README.md", *PAGES], ids=lambda path: path.relative_to(ROOT).as_posix()
)
def test_the_links_of_the_markdown_are_there_on_github(path: Path) -> None:
    text = _FENCE.sub("", path.read_text(encoding="utf-8"))
    for match in _MARKDOWN_LINK.finditer(text):
        parts = urlsplit(match[1] or match[2])
        if parts.scheme:
            assert parts.scheme == "https"
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        assert target.is_file(), f"{path.name} leads to {parts.path}"
        if parts.fragment:
            assert parts.fragment in headings(target.read_text(encoding="utf-8")), parts.geturl()
