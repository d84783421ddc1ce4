"""Finding the principal and the key that a person means."""

from __future__ import annotations

from collections.abc import Iterable

from kms_access.decisions.access_map import AccessMap
from kms_access.decisions.subjects import (
    Subject,
    SubjectKind,
    service,
    session_of,
    subject_elsewhere,
)
from kms_access.inventory.model import Key
from kms_access.policies.answers import Truth
from kms_access.policies.overlap import same
from kms_access.policies.principals import PrincipalKind, parse_principal

_SHOWN = 12


class LookupFailed(Exception):
    """Nothing or more than one thing goes by the name that a person gave."""


def find_key(facts: AccessMap, wanted: str) -> Key:
    """A key by alias, ARN, logical id, URN or construct path. Raises `LookupFailed`."""
    found = [key for key in facts.keys if wanted in _names_of_key(key)]
    if len(found) == 1:
        return found[0]
    known = [key.label for key in facts.keys]
    raise LookupFailed(_message("key", wanted, known, [key.origin.identity for key in found]))


def find_subject(facts: AccessMap, wanted: str) -> Subject:
    """A principal by name, label, ARN, logical id or URN. Raises `LookupFailed`.

    The ARN of a root user, of a session, or of a principal that the definitions do not hold is
    answered as well: a session has the policies of its role.
    """
    found = [subject for subject in facts.subjects if wanted in _names_of_subject(subject)]
    if len(found) == 1:
        return found[0]
    if not found:
        by_arn = _by_arn(facts, wanted)
        if by_arn is not None:
            return by_arn
    known = [subject.label for subject in facts.subjects]
    raise LookupFailed(_message("principal", wanted, known, [s.identity for s in found]))


def _by_arn(facts: AccessMap, wanted: str) -> Subject | None:
    principal = parse_principal(wanted)
    if principal is None:
        return None
    if principal.kind is PrincipalKind.SERVICE:
        return service(wanted)
    if principal.kind is PrincipalKind.ROLE and principal.session is not None:
        for subject in facts.subjects:
            role = subject.callers[0].principal
            is_role = role.kind is PrincipalKind.ROLE and role.session is None
            there = same(role.account, principal.account) & same(role.name, principal.name)
            if is_role and subject.origin is not None and there.truth is Truth.TRUE:
                return session_of(subject, principal)
    return subject_elsewhere(principal)


def _names_of_key(key: Key) -> set[str]:
    origin = key.origin
    names = {origin.identity, origin.identity.rpartition("/")[2], origin.label, str(key.arn)}
    return names | {f"{origin.container}/{origin.label}"} | {str(alias) for alias in key.aliases}


def _names_of_subject(subject: Subject) -> set[str]:
    if subject.kind not in (SubjectKind.IDENTITY, SubjectKind.ELSEWHERE):
        return {subject.label, subject.label.removeprefix("service ")}
    names = {subject.label, str(subject.arn), subject.identity}
    if subject.session:
        return names
    names.add(str(subject.callers[0].principal.name))
    if subject.origin is not None:
        origin = subject.origin
        names |= {origin.label, f"{origin.container}/{origin.label}"}
        names.add(origin.identity.rpartition("/")[2])
    return names


def _message(kind: str, wanted: str, known: Iterable[str], found: list[str]) -> str:
    if found:
        return f'the {kind} "{wanted}" is not unique, it means {", ".join(found)}'
    names = list(known)
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    listed = ", ".join(f'"{name}"' for name in names[:_SHOWN]) + more
    return f'there is no {kind} "{wanted}"' + (f", known are {listed}" if names else "")
