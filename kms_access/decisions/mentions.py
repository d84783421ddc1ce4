"""Whom key policies and grants speak of: principals, accounts, organizations, services."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kms_access.inventory.model import Inventory
from kms_access.policies.arns import arn_segments
from kms_access.policies.document import Effect, PolicyDocument, Statement
from kms_access.policies.overlap import as_written
from kms_access.policies.principals import (
    ACCOUNT_ID,
    EntryKind,
    Principal,
    PrincipalEntry,
    PrincipalKind,
    parse_principal,
)
from kms_access.policies.text import Text, Value, concat, split
from kms_access.policies.wildcards import fold_case, has_wildcards

_ORGANIZATION = re.compile(r"o-[a-z0-9]{10,32}", re.ASCII)
_ORGANIZATION_KEYS = ("aws:principalorgid", "aws:principalorgpaths")
_ACCOUNT_KEYS = ("kms:calleraccount", "aws:principalaccount")


@dataclass(frozen=True, slots=True)
class Mentions:
    """What the Allow statements and grants name, each once and sorted."""

    principals: tuple[Principal, ...]
    accounts: tuple[Value, ...]
    organizations: tuple[Value, ...]
    services: tuple[Value, ...]
    any_service: bool
    everyone: bool
    unknown: tuple[Text, ...]
    """Callers of whom nothing is known yet, not even the account."""
    providers: tuple[Value, ...]
    """Identity providers, which only trust policies can name (K53)."""


class _Collector:
    def __init__(self, partition: Value) -> None:
        self.partition = partition
        self.principals: dict[Principal, None] = {}
        self.accounts: dict[Value, None] = {}
        self.organizations: dict[Value, None] = {}
        self.services: dict[Value, None] = {}
        self.any_service = False
        self.everyone = False
        self.unknown: list[Text] = []
        self.providers: dict[Value, None] = {}

    def document(self, document: PolicyDocument, own_account: Value) -> None:
        if document.unreadable is not None:
            self.everyone = True
        accounts = tuple(dict.fromkeys((own_account, *_accounts_of(document))))
        for statement in document.statements:
            if statement.inert:
                continue
            # A Deny often says in its conditions, or by NotPrincipal, whom it spares.
            self.callers_in_conditions(statement, accounts)
            if Effect.ALLOW in statement.effects:
                self.allow(statement, own_account)
            elif statement.principal is not None and statement.principal.negated:
                for entry in statement.principal.entries:
                    self.entry(entry)

    def allow(self, statement: Statement, own_account: Value) -> None:
        element = statement.principal
        entries = element.entries if element is not None else ()
        open_to_all = element is None or element.negated
        for entry in entries:
            self.entry(entry)
            open_to_all |= entry.kind in (EntryKind.EVERYONE, EntryKind.UNREADABLE)
        if open_to_all:
            self.everyone = True
            self.accounts[own_account] = None
            # A service has no caller keys: conditions that ask for them with IfExists admit it.
            self.any_service = True

    def entry(self, entry: PrincipalEntry) -> None:
        if entry.kind is EntryKind.ACCOUNT:
            self.accounts[entry.account] = None
        elif entry.kind is EntryKind.IDENTITY and entry.principal is not None:
            self.principals[entry.principal] = None
        elif entry.kind is EntryKind.SERVICE:
            self.services[entry.source] = None
        elif entry.kind is EntryKind.UNREADABLE_SERVICE:
            self.any_service = True
        elif entry.kind is EntryKind.FEDERATED_PROVIDER:
            self.providers[entry.source] = None

    def callers_in_conditions(self, statement: Statement, accounts: tuple[Value, ...]) -> None:
        """Conditions that fix the caller name principals as well (K58, K195)."""
        for condition in statement.conditions:
            key = fold_case(condition.key)
            for value in condition.values:
                if key == "aws:principalarn":
                    self.caller(as_written(value) if isinstance(value, str) else value, accounts)
                elif key.startswith("aws:principalservicename"):
                    self.service(value)
                elif key == "aws:username" and isinstance(value, str):
                    self.user_names(value, accounts)
                elif isinstance(value, str) and key in _ACCOUNT_KEYS:
                    self.account(value)
                elif key in _ORGANIZATION_KEYS:
                    self.organization(split(value, "/", 1)[0])

    def organization(self, organization: Value) -> None:
        """An organization by its id, which may not be known yet; a pattern names none."""
        if isinstance(organization, str):
            is_one = _ORGANIZATION.fullmatch(organization) is not None
        else:
            is_one = not has_wildcards(organization)
        if is_one:
            self.organizations[organization] = None

    def service(self, name: Value) -> None:
        """A service by its name; a pattern means any."""
        if isinstance(name, str) and not {"*", "?"}.isdisjoint(as_written(name)):
            self.any_service = True
        else:
            self.services[name] = None

    def user_names(self, name: str, accounts: tuple[Value, ...]) -> None:
        """The users of that name in the accounts that the policy names."""
        for account in accounts:
            user = parse_principal(
                concat(("arn:", self.partition, ":iam::", account, ":user/", as_written(name)))
            )
            if user is not None:
                self.principals[user] = None

    def caller(self, arn: Value, accounts: tuple[Value, ...]) -> None:
        """A principal by its ARN; the account of a root user or of a pattern.

        A pattern over accounts names the identity in each account of the policy.
        """
        principal = parse_principal(arn)
        if principal is not None and principal.kind is not PrincipalKind.ROOT:
            self.principals[principal] = None
            return
        segments = arn_segments(arn)
        if segments is not None:
            self.account(segments[4])
            for account in accounts:
                start = ("arn:", segments[1], ":", segments[2], "::", account, ":")
                named = parse_principal(concat((*start, segments[5])))
                if named is not None and named.kind is not PrincipalKind.ROOT:
                    self.principals[named] = None
        elif isinstance(arn, Text):
            self.unknown.append(arn)

    def account(self, account: Value) -> None:
        if isinstance(account, Text) or ACCOUNT_ID.fullmatch(account):
            self.accounts[account] = None

    def grantee(self, grantee: Value) -> None:
        principal = parse_principal(grantee)
        if principal is None:
            if isinstance(grantee, Text):
                self.unknown.append(grantee)
            else:
                self.account(grantee)
        elif principal.kind is PrincipalKind.SERVICE:
            self.services[grantee] = None
        elif principal.kind is PrincipalKind.ROOT:
            self.accounts[principal.account] = None
        else:
            self.principals[principal] = None

    def mentions(self) -> Mentions:
        """What was collected."""
        return Mentions(
            tuple(sorted(self.principals, key=lambda p: (str(p.arn), str(p.session)))),
            tuple(sorted(self.accounts, key=str)),
            tuple(sorted(self.organizations, key=str)),
            tuple(sorted(self.services, key=str)),
            self.any_service,
            self.everyone,
            tuple(sorted(dict.fromkeys(self.unknown), key=str)),
            tuple(sorted(self.providers, key=str)),
        )


def _accounts_of(document: PolicyDocument) -> Iterator[Value]:
    for statement in document.statements:
        for entry in statement.principal.entries if statement.principal else ():
            if entry.kind is EntryKind.ACCOUNT:
                yield entry.account


def mentions_of(inventory: Inventory) -> Mentions:
    """Whom the key policies and grants of the inventory name, beside its own identities."""
    collector = _collector(inventory)
    for key in inventory.keys:
        for policy in key.policies:
            collector.document(policy.document, key.account)
    for grant in inventory.grants:
        collector.grantee(grant.grantee)
        for other in (grant.retiring_principal, grant.issuing_account):
            if other is not None:
                collector.grantee(other)
    return collector.mentions()


def mentions_in_trust(inventory: Inventory) -> Mentions:
    """Whom the trust policies of the roles name (K160)."""
    collector = _collector(inventory)
    for identity in inventory.identities:
        for policy in identity.trust:
            collector.document(policy.document, identity.principal.account)
    return collector.mentions()


def _collector(inventory: Inventory) -> _Collector:
    return _Collector(next((key.partition for key in inventory.keys), "aws"))
