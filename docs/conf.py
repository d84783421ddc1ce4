"""How Sphinx makes the documentation site: `make docs`, with every warning an error."""

from __future__ import annotations

import re
from pathlib import Path

from sphinx.application import Sphinx

_VERSION = re.compile(r'^__version__ = "([^"]+)"$', re.MULTILINE)
_TITLED_BLOCK = re.compile(r'^```(\w+) title="([^"]+)"$', re.MULTILINE)

# The lines of a file that begin with a hash are no prompts.
_SESSION_WITH_FILE = re.compile(r"^```console\n(?=(?:(?!```).*\n)*?\$ cat )", re.MULTILINE)


def _toctree(caption: str, *entries: str) -> str:
    return "\n".join(
        ["", "```{toctree}", ":hidden:", ":glob:", f":caption: {caption}", "", *entries, "```", ""]
    )


_NAVIGATION = {
    "index": "".join(
        (
            _toctree("Start", "tutorial"),
            _toctree(
                "Guides",
                *("cdk", "pulumi", "ci", "writing-rules", "adopting", "waivers"),
                "account-snapshot",
            ),
            _toctree("How it decides", "decisions", "not-covered"),
            _toctree("Checks", "checks/README", "checks/*"),
            _toctree("Reference", "rules-file", "command-line", "authorize"),
        )
    )
}

project = "kms-access"
author = "the authors of kms-access"
copyright = author
(release,) = _VERSION.findall(
    (Path(__file__).parent.parent / "kms_access/__init__.py").read_text(encoding="utf-8")
)

extensions = ["myst_parser"]
myst_heading_anchors = 3
nitpicky = True
smartquotes = False  # two hyphens begin an option
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = f"kms-access {release}"
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
html_last_updated_fmt = None


def _prepare(app: Sphinx, name: str, source: list[str]) -> None:
    """Add what only the site needs: on GitHub a directive would show as it is written."""
    text = _TITLED_BLOCK.sub(r"```{code-block} \1\n:caption: \2\n", source[0])
    source[0] = _SESSION_WITH_FILE.sub("```text\n", text) + _NAVIGATION.get(name, "")


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", _prepare)
