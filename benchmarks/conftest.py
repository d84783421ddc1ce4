"""Fixtures of the benchmarks, and the table that they end in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.measuring import MILLISECONDS, PER_SECOND, SECONDS, Measured, Noted

_README = Path(__file__).parent / "README.md"
_BEGIN, _END = "<!-- figures -->\n", "<!-- end of figures -->\n"
_rows: list[tuple[str, str, str]] = []


@pytest.fixture
def noted(benchmark: Any) -> Noted:
    """For figures that are not the time of one call."""

    def note(figure: float, *, name: str, unit: str, target: str = "") -> None:
        text = f"{figure:,.0f}" if figure >= 100 else f"{figure:.2f}"
        _rows.append((name, f"{text} {unit}", f"{target} {unit}" if target else ""))

    return note


@pytest.fixture
def measured(benchmark: Any, noted: Noted) -> Measured:
    """For the time of one call."""

    def measure(function: Callable[[], Any], *, name: str, unit: str, target: str = "") -> Any:
        result = benchmark(function)
        median = benchmark.stats.stats.median
        figures = {PER_SECOND: 1 / median, SECONDS: median, MILLISECONDS: median * 1_000}
        noted(figures[unit], name=name, unit=unit, target=target)
        return result

    return measure


@pytest.fixture(scope="session", autouse=True)
def table() -> Iterator[None]:
    """The figures of the run, written into README.md at its end."""
    yield
    if not _rows:
        return
    lines = ["| what | figure | asked for |", "|---|---|---|"]
    lines += [f"| {name} | {figure} | {target} |" for name, figure, target in _rows]
    text = _README.read_text(encoding="utf-8")
    before, rest = text.split(_BEGIN)
    after = rest.split(_END)[1]
    table = "\n".join(lines) + "\n"
    _README.write_text(f"{before}{_BEGIN}{table}{_END}{after}", encoding="utf-8")
    print("\n" + table)
