"""Who makes a request, and whom a Principal element names (K34–K61)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final

from kms_access.policies.answers import (
    FALSE,
    NO,
    YES,
    Answer,
    Reason,
    ReasonKind,
    Truth,
    any_of,
    open_answer,
)
from kms_access.policies.arns import arn_segments
from kms_access.policies.context import SESSION_NAME, Open, Present, RequestContext
from kms_access.policies.formula import Test
from kms_access.policies.overlap import open_because, same
from kms_access.policies.quick_init import quick_init
from kms_access.policies.text import Text, Value, concat, split

SERVICE_LINKED_PATH = "/aws-service-role/"
SERVICE_LINKED_NAME = "AWSServiceRoleFor"
ACCOUNT_ID = re.compile(r"[0-9]{12}", re.ASCII)
_LONGEST_ARN = 512
_SERVICE = re.compile(r"[a-z0-9.-]+\.amazonaws\.com(\.cn)?", re.ASCII)


class PrincipalKind(Enum):
    """The kinds of callers that AWS tells apart."""

    ROOT = "root user"
    USER = "user"
    ROLE = "role"
    FEDERATED_USER = "federated user"
    SERVICE = "service"
    PROVIDER = "federated provider"
    """Whoever an identity provider has authenticated, before it takes a role (K52)."""


_ROOT, _USER, _ROLE = PrincipalKind.ROOT, PrincipalKind.USER, PrincipalKind.ROLE
WITHOUT_IDENTITY = (PrincipalKind.SERVICE, PrincipalKind.PROVIDER)
"""Callers that are no identity of an account: resource policies alone decide (K54, K81)."""


@quick_init
@dataclass(frozen=True, slots=True)
class Principal:
    """One caller.

    `arn` is the ARN of the user, role or root user, of the federated user session or of the
    identity provider, or the name of the service. `path_and_name` is what follows `user/` or
    `role/` with its leading slash.
    `session` is the session name of a role session; None asks about the role as a whole (K49).
    `path_known` is false for a role that is known from the ARN of a session only (K48).
    """

    kind: PrincipalKind
    arn: Value
    account: Value = ""
    partition: Value = "aws"
    path_and_name: Value = ""
    session: Value | None = None
    path_known: bool = True

    @property
    def name(self) -> Value:
        """The name without its path."""
        return _last(self.path_and_name)

    @property
    def is_service_linked(self) -> bool:
        """Whether the principal is a service-linked role (K56)."""
        if not self.path_known:
            return str(self.name).startswith(SERVICE_LINKED_NAME)
        path = self.path_and_name
        start = path if isinstance(path, str) else path.parts[0]
        return isinstance(start, str) and start.startswith(SERVICE_LINKED_PATH)


@lru_cache(8_192)
def _last(path: Value) -> Value:
    if isinstance(path, str):
        return path.rpartition("/")[2]
    for index in range(len(path.parts) - 1, -1, -1):
        part = path.parts[index]
        if isinstance(part, str) and "/" in part:
            return concat((part.rpartition("/")[2], *path.parts[index + 1 :]))
    return path


PRINCIPAL_FORMS = (
    "the ARN of a user, a role, an assumed-role session, a federated user or a root user, "
    "or a service principal such as cloudtrail.amazonaws.com"
)


def parse_principal(arn: Value) -> Principal | None:
    """The principal that an ARN or service name stands for; None if it is no such form."""
    if type(arn) is str and len(arn) <= _LONGEST_ARN:
        return _remembered_principal(arn)
    return _parse_principal(arn)


@lru_cache(512)
def _remembered_principal(arn: str) -> Principal | None:
    return _parse_principal(arn)


def _parse_principal(arn: Value) -> Principal | None:
    segments = arn_segments(arn)
    if segments is None and isinstance(arn, str) and _SERVICE.fullmatch(arn):
        return Principal(PrincipalKind.SERVICE, arn)
    if segments is None or segments[0] != "arn" or segments[3] != "" or _has_wildcard(arn):
        return None
    _, partition, service, _, account, resource = segments
    if not is_account_id(account):
        return None
    if resource == "root" and service == "iam":
        return Principal(_ROOT, arn, account, partition)
    kind, *rest = split(resource, "/", 1)
    if not rest or rest[0] == "":
        return None
    if service == "iam" and kind == "user":
        return Principal(_USER, arn, account, partition, _after_slash(rest[0]))
    if service == "iam" and kind == "role":
        return Principal(_ROLE, arn, account, partition, _after_slash(rest[0]))
    if service == "sts" and kind == "federated-user":
        path = _after_slash(rest[0])
        return Principal(PrincipalKind.FEDERATED_USER, arn, account, partition, path)
    if service == "sts" and kind == "assumed-role":
        role, *session = split(rest[0], "/", 1)
        if session:
            role_arn = concat(("arn:", partition, ":iam::", account, ":role/", role))
            return Principal(
                PrincipalKind.ROLE,
                role_arn,
                account,
                partition,
                _after_slash(role),
                session[0],
                path_known=False,
            )
    return None


def _after_slash(path: Value) -> Value:
    return "/" + path if isinstance(path, str) else concat(("/", path))


def _has_wildcard(value: Value) -> bool:
    if isinstance(value, str):
        return "*" in value or "?" in value
    parts = value.parts
    return any(isinstance(part, str) and ("*" in part or "?" in part) for part in parts)


class Naming(Enum):
    """By which form an entry of a Principal element names a caller (K76)."""

    USER = "user"
    ROLE = "role"
    SESSION = "session"
    FEDERATED = "federated user"
    USER_OF_FEDERATED = "user of a federated session"
    ACCOUNT = "account"
    EVERYONE = "everyone"
    SERVICE = "service"
    FEDERATED_PROVIDER = "federated provider"


class EntryKind(Enum):
    """What an entry of a Principal element is."""

    EVERYONE = "everyone"
    ACCOUNT = "account"
    IDENTITY = "identity"
    SERVICE = "service"
    FEDERATED_PROVIDER = "federated provider"
    NOBODY = "nobody"
    REFUSED = "refused"
    """No form that AWS accepts: it names nobody, and the policy would not be written."""
    UNREADABLE = "unreadable"
    UNREADABLE_SERVICE = "unreadable service"
    """Perhaps any service, and no IAM identity."""


_ACCOUNT_ENTRY: Final = EntryKind.ACCOUNT
_IDENTITY_ENTRY: Final = EntryKind.IDENTITY
_ACCOUNT, _ROLE_NAMED = Naming.ACCOUNT, Naming.ROLE


@quick_init
@dataclass(frozen=True, slots=True)
class PrincipalEntry:
    """One entry of a Principal element, as written in `source`.

    `principal` is set for identities and services; `account` and `partition` for accounts (the
    partition is empty for a bare account id).
    """

    kind: EntryKind
    source: Value
    principal: Principal | None = None
    account: Value = ""
    partition: Value = ""

    def names(self, caller: Principal) -> tuple[Naming, Answer] | None:
        """How the entry names `caller`, and whether it does; None if it surely does not."""
        found = self._names(caller)
        return None if found is None or found[1].truth is FALSE else found

    def _names(self, caller: Principal) -> tuple[Naming, Answer] | None:
        kind = self.kind
        if kind is _ACCOUNT_ENTRY:
            if caller.kind in WITHOUT_IDENTITY:
                return None
            partition = same(self.partition, caller.partition) if self.partition else YES
            return _ACCOUNT, same(self.account, caller.account) & partition
        if kind is _IDENTITY_ENTRY:
            return _names_identity(self.principal, caller) if self.principal else None
        match kind:
            case EntryKind.EVERYONE:
                return Naming.EVERYONE, YES
            case EntryKind.SERVICE:
                if caller.kind is not PrincipalKind.SERVICE:
                    return None
                return Naming.SERVICE, same(self.source, caller.arn)
            case EntryKind.UNREADABLE_SERVICE:
                if caller.kind is not PrincipalKind.SERVICE:
                    return None
                return Naming.SERVICE, open_answer(
                    ReasonKind.UNREADABLE, f'which services "{self.source}" names', "K34"
                )
            case EntryKind.FEDERATED_PROVIDER:
                return self._names_provider(caller)
            case EntryKind.NOBODY | EntryKind.REFUSED:
                return None
            case EntryKind.UNREADABLE if isinstance(self.source, Text):
                if not _could_name(self.source, caller):
                    return None
                return Naming.EVERYONE, open_because(self.source)
            case EntryKind.UNREADABLE:
                return Naming.EVERYONE, open_answer(
                    ReasonKind.UNREADABLE, f'whom the principal "{self.source}" names', "K34"
                )

    def _names_provider(self, caller: Principal) -> tuple[Naming, Answer] | None:
        if caller.kind is PrincipalKind.PROVIDER:
            return Naming.FEDERATED_PROVIDER, same(self.source, caller.arn)
        if caller.kind is not PrincipalKind.ROLE:
            return None
        return Naming.FEDERATED_PROVIDER, open_answer(
            ReasonKind.NOT_ESTABLISHED,
            f'whether the federated principal "{self.source}" names a session',
            "K53",
        )


def _could_name(source: Text, caller: Principal) -> bool:
    """Whether an unknown principal of which the accepted values are known can be the caller."""
    only = source.unknowns[0]
    if len(source.parts) > 1 or not only.shape or "sts" in only.shape or not caller.path_known:
        return True
    account, partition = caller.account, caller.partition
    forms = ("*", account, concat(("arn:", partition, ":iam::", account, ":root")), caller.arn)
    return any(not isinstance(form, str) or only.could_be(form) for form in forms)


def _names_identity(named: Principal, caller: Principal) -> tuple[Naming, Answer] | None:
    there = same(named.account, caller.account) & same(named.partition, caller.partition)
    if named.kind is caller.kind is _ROLE and named.session is None:
        if caller.path_known and named.path_known:
            return _ROLE_NAMED, there & same(named.path_and_name, caller.path_and_name)
        return _ROLE_NAMED, there & same(named.name, caller.name)
    match named.kind, caller.kind:
        case PrincipalKind.USER, PrincipalKind.USER:
            return Naming.USER, there & same(named.path_and_name, caller.path_and_name)
        case PrincipalKind.USER, PrincipalKind.FEDERATED_USER:
            return Naming.USER_OF_FEDERATED, there & same(named.name, caller.name)
        case PrincipalKind.FEDERATED_USER, PrincipalKind.FEDERATED_USER:
            return Naming.FEDERATED, there & same(named.path_and_name, caller.path_and_name)
        case PrincipalKind.ROLE, PrincipalKind.ROLE:
            role = there & same(named.name, caller.name)
            return Naming.SESSION, role & _same_session(named.session, caller)
    return None


def _same_session(session: Value | None, caller: Principal) -> Answer:
    if session is None or caller.session is None:
        reason = Reason(f'the session name "{session}"', ReasonKind.REQUEST, "K49")
        return Answer(Truth.UNKNOWN, (reason,), Test(SessionNamed(session)) if session else None)
    return same(session, caller.session)


@dataclass(frozen=True, slots=True)
class SessionNamed:
    """Whether the caller's role session has this name (K49)."""

    session: Value

    @property
    def keys(self) -> tuple[str, ...]:
        """The pseudo key that holds the name."""
        return (SESSION_NAME,)

    def holds(self, context: RequestContext) -> Answer:
        """Whether the session of this request has the name."""
        state = context.lookup(SESSION_NAME)
        if isinstance(state, Open):
            return Answer(Truth.UNKNOWN, (state.reason,), Test(self))
        if not isinstance(state, Present):
            return NO
        return any_of(same(self.session, value) for value in state.values)


def is_account_id(value: Value) -> bool:
    """Whether `value` is an account id of twelve digits, or the unknown id of an account."""
    if isinstance(value, Text):
        return len(value.parts) == 1
    return len(value) == 12 and value.isascii() and value.isdigit()
