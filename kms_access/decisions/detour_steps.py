"""The steps of a detour in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kms_access.decisions.detour import Detour, DetourKind

_WORDS: Mapping[DetourKind, str] = {
    DetourKind.ASSUMED_ROLE: "assuming {}",
    DetourKind.PASSED_ROLE: "passing {} to a service that runs its code",
    DetourKind.IMPERSONATION: "acting as {}",
    DetourKind.IDENTITY_POLICY: "writing identity policies",
    DetourKind.KEY_POLICY: "rewriting the key policy",
    DetourKind.GRANT: "creating grants",
    DetourKind.ATTRIBUTE: "changing tags or aliases",
    DetourKind.REPLICA: "replicating the key",
}
_AS_SOMEBODY = (DetourKind.ASSUMED_ROLE, DetourKind.PASSED_ROLE, DetourKind.IMPERSONATION)


def described_step(kind: DetourKind, through: str) -> str:
    """`assuming role a`; `through` is the identity that is acted as, if the step has one."""
    return _WORDS[kind].format(through)


def described_steps(detour: Detour) -> str:
    """All steps: `assuming role a, then rewriting the key policy`."""
    return ", then ".join(_steps(detour))


def _steps(detour: Detour) -> Iterator[str]:
    identities = iter(detour.through)
    for kind in detour.kinds:
        through = next(identities, "another identity") if kind in _AS_SOMEBODY else ""
        yield described_step(kind, through)
