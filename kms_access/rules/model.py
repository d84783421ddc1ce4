"""The typed content of access-rules.yaml (design, section 5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum

from kms_access.rules.yaml_nodes import Place


class Level(Enum):
    """What a finding does: an error blocks, a warning is printed, off is only counted."""

    ERROR = "error"
    WARNING = "warning"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class PrincipalPattern:
    """Whom a rules file means: `role/payments-*`, `user/alice`, an ARN, a service, an account id
    or an organization id, as written in `text`. `*` and `?` are wildcards."""

    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class Team:
    """A named set of principals: by pattern, by tag, or by where they are defined.

    `definitions` are patterns over `STACK/CONSTRUCT-PATH`, `STACK/LOGICAL-ID` and URNs, for
    identities whose name is generated.
    """

    name: str
    principals: tuple[PrincipalPattern, ...]
    tags: Mapping[str, str]
    definitions: tuple[str, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class KeyMatch:
    """Which keys a rule is for; every field that is given must match. `*` and `?` are wildcards."""

    alias: str | None = None
    arn: str | None = None
    id: str | None = None
    path: str | None = None
    urn: str | None = None
    stack: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Limit:
    """What a request has to fulfil so that a permission is for it: all that is given.

    `via` are services by the name that `kms:ViaService` begins with, such as `s3`; a call counts
    that comes through one of them. `when` is a condition block: operators with condition keys with
    values.
    """

    via: tuple[str, ...]
    when: Mapping[str, Mapping[str, tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class Permission:
    """One item of an allow or require list: the actions that a capability or an action name means.

    `word` is the item as written: a capability, `use`, or an action such as `kms:Decrypt`. With a
    `limit` it is for some requests only.
    """

    word: str
    actions: frozenset[str]
    place: Place
    limit: Limit | None = None


@dataclass(frozen=True, slots=True)
class KeyRule:
    """What the teams may and must be able to do with the keys that match.

    `delegation_forbidden` is where the rule says `iam-delegation: forbidden`, `delegation_allowed`
    where it says `allowed`; where it says neither, the key policy may let identity policies give
    access (K43).
    """

    name: str
    match: KeyMatch
    allow: Mapping[str, tuple[Permission, ...]]
    require: Mapping[str, tuple[Permission, ...]]
    place: Place
    delegation_forbidden: Place | None = None
    delegation_allowed: Place | None = None


@dataclass(frozen=True, slots=True)
class Waiver:
    """A finding that is accepted until a day: exactly this check, key, principal, capabilities.

    Without `principal` it is for findings about a key as a whole, without `capabilities` for those
    that name no access; `actions` are what the capabilities mean. `fingerprint` names the one
    finding among several about a key. `expires` is the last day on which it holds.
    """

    check: str
    key: str
    principal: str
    capabilities: tuple[str, ...]
    reason: str
    owner: str
    expires: date
    place: Place
    fingerprint: str = ""
    actions: frozenset[str] = frozenset()

    @property
    def line(self) -> int:
        """Where it stands in the rules file `place.file`."""
        return self.place.line

    @property
    def identity(self) -> str:
        """What it accepts: no second waiver of a rules file accepts the same."""
        parts = (self.check, self.key, self.principal, *sorted(self.actions), self.fingerprint)
        return " ".join(filter(None, parts))


WAIVERS_AT_MOST_DAYS = 365
"""How far ahead a waiver may expire where the rules file does not say."""


@dataclass(frozen=True, slots=True)
class Rules:
    """A rules file with the files that it includes.

    `file` is its path as given, empty where no file is used; `digest` the SHA-256 of all these
    files. `parameters` are values of template parameters as deployed, by `NAME` or `STACK.NAME`.
    """

    file: str = ""
    accounts: Mapping[str, str] = field(default_factory=dict)
    organization: str = ""
    deployers: tuple[PrincipalPattern, ...] = ()
    teams: Mapping[str, Team] = field(default_factory=dict)
    keys: tuple[KeyRule, ...] = ()
    checks: Mapping[str, Level] = field(default_factory=dict)
    waivers: tuple[Waiver, ...] = ()
    waivers_at_most_days: int = WAIVERS_AT_MOST_DAYS
    parameters: Mapping[str, str] = field(default_factory=dict)
    digest: str = ""

    @property
    def only_account(self) -> str:
        """The account of definitions that leave theirs open: the one listed, if it is one."""
        accounts = set(self.accounts.values())
        return accounts.pop() if len(accounts) == 1 else ""
