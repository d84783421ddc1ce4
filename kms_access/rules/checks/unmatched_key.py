"""A key that no rule of the rules file is for."""

from __future__ import annotations

from collections.abc import Iterator

from kms_access.inventory.model import Key
from kms_access.policies.answers import Truth
from kms_access.rules.checks.interface import Check
from kms_access.rules.claims import claim
from kms_access.rules.findings import Finding
from kms_access.rules.model import Level
from kms_access.rules.situation import Situation

_ID = "unmatched-key"


def _find(situation: Situation, level: Level) -> Iterator[Finding]:
    if _ID not in situation.rules.checks:
        # Every report names these keys anyhow; a finding is for those who ask for it.
        return
    for key in situation.access_map.keys:
        if not any(m.answer.truth is Truth.TRUE for m in situation.rules_for(key)):
            yield Finding(
                _ID,
                level,
                claim(_ID, "no rule is for key {key}", key=key.label),
                key.label,
                key.origin,
                details=tuple(
                    f"'{matched.rule.name}' may be for it: "
                    + ", ".join(reason.text for reason in matched.answer.reasons)
                    for matched in situation.rules_for(key)
                ),
                rule=f"{situation.rules.file} every key has a rule",
                fix=f"let a rule match it, for example by {_example(key)}",
            )


def _example(key: Key) -> str:
    known = [alias for alias in key.aliases if isinstance(alias, str)]
    if known:
        return f"alias: {min(known)}"
    identity = key.origin.identity
    kind = identity.partition(":")[0]
    return f"{kind if kind in ('arn', 'urn') else 'id'}: {identity}"


CHECK = Check(_ID, "no rule is for a key", Level.OFF, _find)
