"""The typed content of access-rules.yaml (design, section 5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
class Permission:
    """One item of an allow or require list: the actions that a capability or an action name means.

    `word` is the item as written: a capability, `use`, or an action such as `kms:Decrypt`.
    """

    word: str
    actions: frozenset[str]
    place: Place


@dataclass(frozen=True, slots=True)
class KeyRule:
    """What the teams may and must be able to do with the keys that match.

    `delegation_forbidden` is where the rule says `iam-delegation: forbidden`, None where it does
    not: then the key policy may let identity policies give access (K43).
    """

    name: str
    match: KeyMatch
    allow: Mapping[str, tuple[Permission, ...]]
    require: Mapping[str, tuple[Permission, ...]]
    place: Place
    delegation_forbidden: Place | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """A rules file. `file` is its path as given, empty where no file is used."""

    file: str = ""
    accounts: Mapping[str, str] = field(default_factory=dict)
    organization: str = ""
    deployers: tuple[PrincipalPattern, ...] = ()
    teams: Mapping[str, Team] = field(default_factory=dict)
    keys: tuple[KeyRule, ...] = ()
    checks: Mapping[str, Level] = field(default_factory=dict)

    @property
    def only_account(self) -> str:
        """The account of definitions that leave theirs open: the one listed, if it is one."""
        accounts = set(self.accounts.values())
        return accounts.pop() if len(accounts) == 1 else ""
