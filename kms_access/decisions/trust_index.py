"""Which roles' trust policies may let in whom: found by name, never by trying all pairs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from kms_access.decisions.subjects import Caller, Subject
from kms_access.inventory.model import Policy
from kms_access.policies.answers import Truth
from kms_access.policies.document import Effect
from kms_access.policies.overlap import same
from kms_access.policies.principals import EntryKind, PrincipalEntry, PrincipalKind
from kms_access.policies.text import Text, Value

_OF_REGION = re.compile(
    r"([a-z0-9-]+)(?:\.[a-z]{2}(?:-[a-z]+)+-\d)?\.amazonaws\.com(?:\.cn)?", re.ASCII
)


@dataclass(frozen=True, slots=True, eq=False)
class Role:
    """A role that may be taken. `trust` is None if the definitions only mention the role."""

    subject: Subject
    trust: tuple[Policy, ...] | None

    @property
    def account(self) -> Value:
        """The account of the role."""
        return self.subject.callers[0].principal.account

    @property
    def arn(self) -> Value:
        """The ARN of the role."""
        return self.subject.callers[0].principal.arn


class TrustIndex:
    """Roles by whom an Allow statement of their trust policy names.

    All answers are candidates: a role that is left out lets the caller in by no means.
    """

    def __init__(self, roles: Iterable[Role]) -> None:
        self.unknown: list[Role] = []
        """Roles of which the trust policy is not known."""
        self._open: list[Role] = []
        self._by_account: dict[Value, list[Role]] = {}
        self._by_provider: dict[Value, list[Role]] = {}
        self._by_service: dict[Value, list[Role]] = {}
        self._by_name = _Names()
        for role in roles:
            if role.trust is None:
                self.unknown.append(role)
            for policy in role.trust or ():
                if policy.document.unreadable is not None:
                    self._open.append(role)
                for statement in policy.document.statements:
                    if Effect.ALLOW not in statement.effects or statement.inert:
                        continue
                    if statement.principal is None or statement.principal.negated:
                        self._open.append(role)
                        continue
                    for entry in statement.principal.entries:
                        self._add(role, entry)

    def _add(self, role: Role, entry: PrincipalEntry) -> None:
        match entry.kind:
            case EntryKind.EVERYONE | EntryKind.UNREADABLE:
                self._open.append(role)
            case EntryKind.ACCOUNT:
                self._by_account.setdefault(entry.account, []).append(role)
            case EntryKind.FEDERATED_PROVIDER:
                self._by_provider.setdefault(entry.source, []).append(role)
            case EntryKind.SERVICE:
                self._by_service.setdefault(entry.source, []).append(role)
            case EntryKind.IDENTITY if entry.principal is not None:
                self._by_name.add(entry.principal.name, role)

    def naming(self, caller: Caller) -> list[Role]:
        """Roles that name the caller itself, everyone, or somebody who cannot be read."""
        if caller.principal.kind is PrincipalKind.PROVIDER:
            found = list(_look_up(self._by_provider, caller.principal.arn))
        else:
            found = self._by_name.roles(caller.principal.name)
        return list(dict.fromkeys([*self._open, *found]))

    def naming_account(self, account: Value) -> list[Role]:
        """Roles that name the account."""
        return list(dict.fromkeys(_look_up(self._by_account, account)))

    def naming_service(self, service: str) -> list[tuple[Role, Value]]:
        """Roles that name the service in all or in one Region, with that name of it."""
        return list(dict.fromkeys(self._naming_service(service)))

    def _naming_service(self, service: str) -> Iterator[tuple[Role, Value]]:
        for role in self._open:
            yield role, service
        for name, roles in self._by_service.items():
            if same(_of_all_regions(name), service).truth is not Truth.FALSE:
                yield from ((role, name) for role in roles)


def _look_up(table: dict[Value, list[Role]], wanted: Value) -> Iterator[Role]:
    """The table's few keys are all compared: any may be the same once it is known."""
    for value, roles in table.items():
        if same(value, wanted).truth is not Truth.FALSE:
            yield from roles


def _of_all_regions(service: Value) -> Value:
    if not isinstance(service, str):
        return service
    found = _OF_REGION.fullmatch(service)
    return f"{found.group(1)}.amazonaws.com" if found else service


class _Names:
    """Roles by names that may be unknown. Names of one shape are compared once.

    A deployment has hundreds of generated names, of which all that matters here is their shape.
    """

    def __init__(self) -> None:
        self._by_name: dict[Value, list[Role]] = {}
        self._names_by_shape: dict[Text, list[Text]] = {}
        self._candidates: dict[Value, tuple[Role, ...]] = {}

    def add(self, name: Value, role: Role) -> None:
        if name not in self._by_name and isinstance(name, Text):
            self._names_by_shape.setdefault(_shape(name, "named"), []).append(name)
        self._by_name.setdefault(name, []).append(role)

    def roles(self, name: Value) -> list[Role]:
        """The roles of the name, and those of names that may turn out to be the same."""
        if isinstance(name, str):
            others = self._of_shapes(name)
        else:
            shape = _shape(name, "caller")
            if shape not in self._candidates:
                self._candidates[shape] = (*self._of_shapes(shape), *self._of_literals(shape))
            others = self._candidates[shape]
        return [*self._by_name.get(name, ()), *others]

    def _of_shapes(self, name: Value) -> tuple[Role, ...]:
        return tuple(
            role
            for shape, names in self._names_by_shape.items()
            if same(shape, name).truth is not Truth.FALSE
            for named in names
            for role in self._by_name[named]
        )

    def _of_literals(self, shape: Text) -> Iterator[Role]:
        for name, roles in self._by_name.items():
            if isinstance(name, str) and same(shape, name).truth is not Truth.FALSE:
                yield from roles


def _shape(name: Text, of_whom: str) -> Text:
    return Text(
        tuple(p if isinstance(p, str) else replace(p, stands_for=of_whom) for p in name.parts)
    )
