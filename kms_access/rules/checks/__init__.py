"""The checks by id, in the order of the documentation."""

from __future__ import annotations

from collections.abc import Mapping

from kms_access.rules.checks import (
    invalid_policy,
    lockout,
    public_access,
    required_access,
    team_access,
    undecided,
)
from kms_access.rules.checks.interface import Check

CHECKS: Mapping[str, Check] = {
    module.CHECK.id: module.CHECK
    for module in (
        team_access,
        required_access,
        lockout,
        public_access,
        invalid_policy,
        undecided,
    )
}

__all__ = ["CHECKS", "Check"]
