"""What every check has in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from kms_access.rules.findings import Finding
from kms_access.rules.model import Level
from kms_access.rules.situation import Situation

Find: TypeAlias = Callable[[Situation, Level], Iterator[Finding]]
"""Takes the situation and the level in force; yields the findings."""


@dataclass(frozen=True, slots=True)
class Check:
    """One kind of rule: its id, the claim that it makes, its level without a rules file.

    `of_findings` tells that it looks at what all others have found, so that it runs after them.
    """

    id: str
    claim: str
    level: Level
    find: Find
    of_findings: bool = False
