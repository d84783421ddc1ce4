"""A principal can create grants for anybody, or a grant is there twice (K104, K108)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

from kms_access.decisions.evaluator import Access
from kms_access.decisions.subjects import SubjectKind
from kms_access.inventory.model import Grant
from kms_access.policies.principals import PrincipalKind, parse_principal
from kms_access.rules.checks.access_facts import finding_about, when_resolved
from kms_access.rules.checks.interface import Check
from kms_access.rules.checks.last_steps import change, joined
from kms_access.rules.claims import claim, name_of
from kms_access.rules.findings import Finding
from kms_access.rules.free_grants import free_grant
from kms_access.rules.holdings import CREATE_GRANT
from kms_access.rules.model import Level
from kms_access.rules.situation import Situation

_ID = "grant-delegation"
_CREATE = frozenset({CREATE_GRANT})


def _find(situation: Situation, level: Level) -> Iterator[Finding]:
    for holding in situation.holdings.powers:
        if holding.subject.kind is SubjectKind.SERVICE:
            continue
        for access in holding.of(_CREATE):
            if not situation.is_known(access) and not situation.is_told_elsewhere(access):
                free = free_grant(situation, access)
                if free is not None:
                    yield replace(_unlimited(access, level), when=when_resolved(free))
    yield from _twice(situation, level)


def _unlimited(access: Access, level: Level) -> Finding:
    return finding_about(
        _ID,
        level,
        (access,),
        claim(
            _ID,
            "{who} can create grants for anybody on key {key}",
            "{who} can grant key {key} to anybody",
            who=name_of(access.subject, access.key),
            key=access.key.label,
        ),
        "built-in: only principals that a rule allows it create grants without limits",
        change(
            "limit kms:CreateGrant in {place} by kms:GrantIsForAWSResource, by a fixed "
            "kms:GranteePrincipal or by ForAllValues on kms:GrantOperations",
            (access,),
        )
        + ", or let a rule allow grant to its team",
    )


def _twice(situation: Situation, level: Level) -> Iterator[Finding]:
    """Grants do not replace one another: without the first the second gives the same (K104)."""
    equal: dict[tuple[object, ...], list[Grant]] = defaultdict(list)
    for grant in situation.access_map.inventory.grants:
        if not _made_by_service(grant):
            equal[_content(grant)].append(grant)
    for grants in equal.values():
        if len(grants) > 1:
            first, *others = sorted(grants, key=lambda grant: (grant.label, grant.origin))
            yield Finding(
                _ID,
                level,
                claim(
                    _ID,
                    "{every} give the same",
                    f"{{first}} and {len(others)} more give the same",
                    every=joined(grant.label for grant in (first, *others)),
                    first=first.label,
                ),
                first.origin.label or first.origin.identity,
                first.origin,
                details=(
                    *(f"also {grant.label}: {grant.origin}" for grant in others),
                    "removing one of them takes nothing away",
                ),
                rule="built-in: a grant stands in the definitions once (K104)",
                fix="remove all but one of them",
                fact="twice",
            )


def _made_by_service(grant: Grant) -> bool:
    """Whether a grant is one of those that AWS services make and retire for themselves."""
    for value in (grant.grantee, grant.retiring_principal):
        principal = parse_principal(value) if value is not None else None
        if principal is not None and (
            principal.kind is PrincipalKind.SERVICE or principal.is_service_linked
        ):
            return True
    return False


def _content(grant: Grant) -> tuple[object, ...]:
    limits = grant.constraints
    pairs = (limits.encryption_context_equals, limits.encryption_context_subset)
    return (
        grant.key_arn,
        grant.grantee,
        frozenset(grant.operations),
        *(None if pair is None else frozenset(pair.items()) for pair in pairs),
        limits.source_arn,
        grant.retiring_principal,
    )


CHECK = Check(_ID, "grants can be created without limits", Level.WARNING, _find)
