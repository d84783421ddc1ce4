"""Whom key policies and grants speak of: principals, accounts, organizations, services."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kms_access.inventory.model import Inventory
from kms_access.policies.document import Effect, PolicyDocument, Statement
from kms_access.policies.principals import (
    ACCOUNT_ID,
    EntryKind,
    Principal,
    PrincipalEntry,
    PrincipalKind,
    parse_principal,
)
from kms_access.policies.text import Value
from kms_access.policies.wildcards import fold_case

_ORGANIZATION = re.compile(r"o-[a-z0-9]{10,32}", re.ASCII)
_ACCOUNT_KEYS = ("kms:calleraccount", "aws:principalaccount")


@dataclass(frozen=True, slots=True)
class Mentions:
    """What the Allow statements and grants name, each once and sorted."""

    principals: tuple[Principal, ...]
    accounts: tuple[Value, ...]
    organizations: tuple[str, ...]
    services: tuple[str, ...]
    everyone: bool


class _Collector:
    def __init__(self) -> None:
        self.principals: dict[Principal, None] = {}
        self.accounts: dict[Value, None] = {}
        self.organizations: dict[str, None] = {}
        self.services: dict[str, None] = {}
        self.everyone = False

    def document(self, document: PolicyDocument, own_account: Value) -> None:
        if document.unreadable is not None:
            self.everyone = True
        for statement in document.statements:
            if Effect.ALLOW in statement.effects and not statement.inert:
                self.statement(statement, own_account)

    def statement(self, statement: Statement, own_account: Value) -> None:
        element = statement.principal
        entries = element.entries if element is not None and not element.negated else ()
        open_to_all = element is None or element.negated
        for entry in entries:
            self.entry(entry)
            open_to_all |= entry.kind in (EntryKind.EVERYONE, EntryKind.UNREADABLE)
        if open_to_all:
            self.everyone = True
            self.accounts[own_account] = None
            self.callers_in_conditions(statement)

    def entry(self, entry: PrincipalEntry) -> None:
        if entry.kind is EntryKind.ACCOUNT:
            self.accounts[entry.account] = None
        elif entry.kind is EntryKind.IDENTITY and entry.principal is not None:
            self.principals[entry.principal] = None
        elif entry.kind is EntryKind.SERVICE and entry.principal is not None:
            self.services[str(entry.source)] = None

    def callers_in_conditions(self, statement: Statement) -> None:
        """A statement for everyone often fixes the caller in its conditions (K58, K195)."""
        for condition in statement.conditions:
            key = fold_case(condition.key)
            for value in condition.values:
                if not isinstance(value, str):
                    continue
                principal = parse_principal(value) if key == "aws:principalarn" else None
                if principal is not None and principal.kind is not PrincipalKind.ROOT:
                    self.principals[principal] = None
                elif key in _ACCOUNT_KEYS and ACCOUNT_ID.fullmatch(value):
                    self.accounts[value] = None
                elif key == "aws:principalorgid" and _ORGANIZATION.fullmatch(value):
                    self.organizations[value] = None

    def grantee(self, grantee: Value) -> None:
        principal = parse_principal(grantee)
        if principal is None:
            return
        if principal.kind is PrincipalKind.SERVICE:
            self.services[str(grantee)] = None
        elif principal.kind is PrincipalKind.ROOT:
            self.accounts[principal.account] = None
        else:
            self.principals[principal] = None


def mentions_of(inventory: Inventory) -> Mentions:
    """Whom the key policies and grants of the inventory name, beside its own identities."""
    collector = _Collector()
    for key in inventory.keys:
        for policy in key.policies:
            collector.document(policy.document, key.account)
    for grant in inventory.grants:
        collector.grantee(grant.grantee)
        if grant.retiring_principal is not None:
            collector.grantee(grant.retiring_principal)
    return Mentions(
        tuple(sorted(collector.principals, key=lambda p: (str(p.arn), str(p.session)))),
        tuple(sorted(collector.accounts, key=str)),
        tuple(sorted(collector.organizations)),
        tuple(sorted(collector.services)),
        collector.everyone,
    )
