"""What the benchmarks write down: each figure with its unit and its target."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

PER_SECOND = "a second"
SECONDS = "s"
MILLISECONDS = "ms"
MEGABYTES = "MB"
RATIO = "times"


class Measured(Protocol):
    """Runs a function under pytest-benchmark and notes its name, unit and target."""

    def __call__(
        self, function: Callable[[], Any], *, name: str, unit: str, target: str = ""
    ) -> Any:
        """The function's last result."""


class Noted(Protocol):
    """Notes a figure that the benchmark has worked out itself."""

    def __call__(self, figure: float, *, name: str, unit: str, target: str = "") -> None:
        """Write it down."""
