"""The report for auditors: one page that holds everything and asks for nothing.

The page runs one script and one style of its own, named by their hashes in its content security
policy, which forbids everything else. What others wrote stands in a JSON block, in which no
character can end the block, and the script shows it as text alone.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from kms_access.decisions.access_difference import Difference
from kms_access.inventory.origin import NotCovered
from kms_access.reports.html_access import matrix
from kms_access.reports.html_findings import changes, findings
from kms_access.reports.html_tables import Tables
from kms_access.reports.places import shown_file
from kms_access.reports.tool import VERSION
from kms_access.rules.assessment import Assessment

_SCRIPTS = ("data.js", "elements.js", "details.js", "grid.js", "lists.js", "page.js")
"""In the order in which they build on each other; together they are one script."""
_RESULTS = {0: "proven", 1: "violated", 3: "undecided"}
_ESCAPED = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


@dataclass(frozen=True, slots=True)
class HtmlReport:
    """One self-contained page. `difference` is what changed since a baseline, if there is one."""

    name: str = "html"
    difference: Difference | None = None

    def render(self, assessment: Assessment) -> str:
        """The whole page; what others wrote is in ASCII."""
        style, script = _file("page.css"), _script()
        policy = (
            "default-src 'none'; base-uri 'none'; form-action 'none'; "
            f"style-src {_hash(style)}; script-src {_hash(script)}; "
            "require-trusted-types-for 'script'; trusted-types 'none'"
        )
        page = _file("page.html")
        for name, text in (
            ("policy", policy),
            ("style", style),
            ("script", script),
            # Last: nothing is looked for in the text of others.
            ("data", _json(_document(assessment, self.difference or assessment.difference))),
        ):
            page = page.replace(f"[[{name}]]", text, 1)
        return page


REPORT = HtmlReport()


@cache
def _file(name: str) -> str:
    file = resources.files("kms_access.reports") / "html_page" / name
    return file.read_text(encoding="utf-8")


@cache
def _script() -> str:
    parts = "\n".join(_file(name) for name in _SCRIPTS)
    return f'(() => {{\n"use strict";\n{parts}}})();\n'


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _json(document: dict[str, Any]) -> str:
    """JSON that is the same data in a page: it holds no tag, comment or character reference."""
    text = json.dumps(document, ensure_ascii=True, separators=(",", ":"))
    for sign, escape in _ESCAPED.items():
        text = text.replace(sign, escape)
    return text


def _document(assessment: Assessment, difference: Difference | None) -> dict[str, Any]:
    tables = Tables()
    rules = assessment.rules
    found = matrix(assessment, tables)
    document = {
        "tool": f"kms-access {VERSION}",
        "result": _RESULTS[assessment.exit_code],
        "rules": tables.text(shown_file(rules.file)) if rules.file else None,
        "digest": rules.digest,
        "silenced": assessment.silenced,
        "keysWithoutRule": tables.texts(assessment.keys_without_rule),
        "notCovered": [_not_covered(item, tables) for item in assessment.not_covered],
        **found.data,
        **findings(assessment, found, tables),
        **changes(difference, found, tables),
    }
    return {**document, **tables.document()}


def _not_covered(item: NotCovered, tables: Tables) -> list[int]:
    return [tables.text(item.origin), tables.text(item.reason)]
