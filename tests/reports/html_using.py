"""What a user does with the page."""

from __future__ import annotations

import json
from pathlib import Path

from tests.reports.browser import Page

FOCUS = "(document.activeElement.id || document.activeElement.dataset.at || '')"
RESULT = "document.querySelector('#part-matrix .result').textContent"


def load(shown: Page, folder: Path, text: str) -> None:
    file = folder / "report.html"
    file.write_text(text, encoding="utf-8", newline="\n")
    shown.open(file)


def focus_cell(shown: Page, row: int, column: int) -> None:
    """Go there with keys: into the matrix with Tab, then with the arrows."""
    for _ in range(30):
        if " " in shown.ask(FOCUS):
            break
        shown.press("Tab")
    shown.press("Control+Home", *["ArrowDown"] * row, *["ArrowRight"] * column)
    assert shown.ask(FOCUS) == f"{row} {column}"


def set_filter(shown: Page, name: str, value: str) -> None:
    """Choose an option by its words, or tick a box."""
    shown.ask(
        f"""((input) => {{
        if (input.type === 'checkbox') input.checked = {json.dumps(bool(value))};
        else input.value = [...input.options].find((one) => one.text === {json.dumps(value)}).value;
        input.dispatchEvent(new Event('input', {{bubbles: true}}));
        }})(document.getElementById('filter-{name}'))"""
    )
