"""The checks by id, in the order of the documentation."""

from __future__ import annotations

from collections.abc import Mapping

from kms_access.rules.checks import (
    confused_deputy,
    expired_waiver,
    external_account,
    grant_delegation,
    iam_delegation,
    ineffective_statement,
    invalid_policy,
    key_deletion,
    lockout,
    new_access,
    public_access,
    required_access,
    role_chain,
    self_escalation,
    separation_of_duties,
    team_access,
    undecided,
    unmatched_key,
    unused_waiver,
)
from kms_access.rules.checks.interface import Check

CHECKS: Mapping[str, Check] = {
    module.CHECK.id: module.CHECK
    for module in (
        team_access,
        required_access,
        lockout,
        separation_of_duties,
        self_escalation,
        public_access,
        external_account,
        iam_delegation,
        grant_delegation,
        confused_deputy,
        role_chain,
        key_deletion,
        ineffective_statement,
        invalid_policy,
        unmatched_key,
        new_access,
        undecided,
        expired_waiver,
        unused_waiver,
    )
}

__all__ = ["CHECKS", "Check"]
