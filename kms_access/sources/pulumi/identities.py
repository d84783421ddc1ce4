"""Users and roles with everything attached to them, users with what their groups have (K63)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from kms_access.inventory.model import Identity, Policy
from kms_access.inventory.origin import NotCovered, Origin
from kms_access.policies.answers import Reason, ReasonKind
from kms_access.policies.grammar import (
    IDENTITY_POLICY,
    PERMISSIONS_BOUNDARY,
    TRUST_POLICY,
    PolicyGrammar,
)
from kms_access.policies.parsing import unreadable_policy
from kms_access.policies.principals import Principal, PrincipalKind, parse_principal
from kms_access.policies.text import Value, concat
from kms_access.sources.pulumi.definition import Definition
from kms_access.sources.pulumi.documents import read_element, read_policy
from kms_access.sources.pulumi.links import Links, Reference, Unclear
from kms_access.sources.pulumi.outside import outside_origin, outside_policy, outside_principal
from kms_access.sources.pulumi.tokens import (
    ATTACHMENTS,
    GROUP,
    GROUP_MEMBERSHIP,
    INLINE_POLICIES,
    POLICY_ATTACHMENT,
    ROLE,
    USER,
    USER_GROUP_MEMBERSHIP,
)
from kms_access.sources.pulumi.wire import UNKNOWN, contains_unknown

_Owner = tuple[str, Value, Value]
"""Kind, name and account: one user, role or group, defined in the stack or elsewhere."""


def read_identities(
    definitions: Iterable[Definition], links: Links
) -> tuple[tuple[Identity, ...], tuple[NotCovered, ...]]:
    """Users and roles, and the attachments that could not be tied to one."""
    reader = _IdentityReader(links)
    for definition in definitions:
        reader.read(definition)
    return reader.identities(), tuple(reader.not_covered)


@dataclass(slots=True)
class _Draft:
    origin: Origin
    definition: Definition | None
    source: Definition
    policies: list[Policy] = field(default_factory=list)
    groups: list[_Owner] = field(default_factory=list)

    def add(self, policies: Iterable[Policy]) -> None:
        for policy in policies:
            if policy not in self.policies:
                self.policies.append(policy)


class _IdentityReader:
    def __init__(self, links: Links) -> None:
        self.links = links
        self.not_covered: list[NotCovered] = []
        self._drafts: dict[_Owner, _Draft] = {}

    def read(self, definition: Definition) -> None:
        token = definition.type
        if token in (ROLE, USER, GROUP):
            self._read_definition(definition)
        elif token in INLINE_POLICIES:
            kind = INLINE_POLICIES[token]
            label = f"inline policy {definition.resource.name}"
            policy = read_policy(definition, "policy", IDENTITY_POLICY, label, self.links)
            owner = self.links.find(definition, kind, kind)
            if policy is not None:
                self._attach(definition, kind, owner, [policy])
        elif token in ATTACHMENTS:
            kind, owner_key, policies_key = ATTACHMENTS[token]
            owner = self.links.find(definition, owner_key, kind)
            if policies_key == "policyArns":
                policies = self._managed_list(definition, policies_key)
            else:
                policies = self._managed(definition, policies_key)
            self._attach(definition, kind, owner, policies)
        elif token == POLICY_ATTACHMENT:
            policies = self._managed(definition, "policyArn")
            for kind in ("role", "user", "group"):
                for owner in self.links.find_all(definition, f"{kind}s", kind):
                    self._attach(definition, kind, owner, policies)
        elif token == USER_GROUP_MEMBERSHIP:
            user = self.links.find(definition, "user", "user")
            groups = self.links.find_all(definition, "groups", "group")
            self._join(definition, [user] if user is not None else [], groups)
        elif token == GROUP_MEMBERSHIP:
            group = self.links.find(definition, "group", "group")
            users = self.links.find_all(definition, "users", "user")
            self._join(definition, users, [group] if group is not None else [])

    def identities(self) -> tuple[Identity, ...]:
        return tuple(
            self._identity(owner, draft)
            for owner, draft in self._drafts.items()
            if owner[0] != "group"
        )

    def _read_definition(self, definition: Definition) -> None:
        draft = self._draft(definition.kind, definition, definition)
        inline = definition.items("inlinePolicies")
        items = [UNKNOWN] if inline is UNKNOWN else inline
        # The provider drops elements whose document is not known yet: only the dependency is left.
        if self.links.depends_on_the_future(definition, "inlinePolicies") and not any(
            contains_unknown(item) for item in items
        ):
            items = [*items, UNKNOWN]
        for item in items:
            draft.add(self._inline(definition, item))
        draft.add(self._managed_list(definition, "managedPolicyArns"))

    def _inline(self, definition: Definition, item: object) -> list[Policy]:
        name: object = "of unknown name"
        value: object = UNKNOWN
        if isinstance(item, Mapping):
            value = item.get("policy")
            name = name if item.get("name") in (None, UNKNOWN) else item["name"]
        if value is None or value == "":
            return []
        document = read_element(definition, "inlinePolicies", value, IDENTITY_POLICY, self.links)
        return [Policy(f"inline policy {name}", document, definition.origin)]

    def _managed(
        self, definition: Definition, key: str, grammar: PolicyGrammar = IDENTITY_POLICY
    ) -> list[Policy]:
        reference = self.links.find(definition, key, "policy")
        return [] if reference is None else [self._managed_policy(definition, reference, grammar)]

    def _managed_list(self, definition: Definition, key: str) -> list[Policy]:
        return [
            self._managed_policy(definition, reference, IDENTITY_POLICY)
            for reference in self.links.find_all(definition, key, "policy")
        ]

    def _managed_policy(
        self, definition: Definition, reference: Reference, grammar: PolicyGrammar
    ) -> Policy:
        if isinstance(reference, Definition):
            label = f"managed policy {reference.resource.name}"
            policy = read_policy(reference, "policy", grammar, label, self.links)
            if policy is not None:
                return policy
            reason = Reason(f"the policy of {reference.call}", ReasonKind.UNREADABLE, "K83")
            return Policy(label, unreadable_policy(grammar, reason), reference.origin)
        if isinstance(reference, Unclear):
            reason = Reason(reference.reason, ReasonKind.UNKNOWN_VALUE, "K83")
            label = "managed policy that is not known yet"
            return Policy(label, unreadable_policy(grammar, reason), definition.origin)
        return outside_policy(reference, grammar)

    def _attach(
        self,
        definition: Definition,
        kind: str,
        owner: Reference | None,
        policies: list[Policy],
    ) -> None:
        if owner is None or isinstance(owner, Unclear):
            self._leave_out(definition, owner, f"so it is not known which {kind} gets the policy")
            return
        self._draft(kind, owner, definition).add(policies)

    def _join(
        self, definition: Definition, users: list[Reference], groups: list[Reference]
    ) -> None:
        for user in users:
            for group in groups:
                unclear = next((r for r in (user, group) if isinstance(r, Unclear)), None)
                if unclear is not None:
                    self._leave_out(definition, unclear, "so the membership is not known")
                elif not isinstance(user, Unclear) and not isinstance(group, Unclear):
                    # The group's own policies may be read later, so only the link is kept.
                    self._draft("group", group, definition)
                    owner = _owner("group", group, definition)
                    self._draft("user", user, definition).groups.append(owner)

    def _leave_out(self, definition: Definition, unclear: Unclear | None, effect: str) -> None:
        reason = unclear.reason if unclear else f"{definition.call} names nobody"
        entry = NotCovered(definition.origin, f"{reason}, {effect}", True)
        if entry not in self.not_covered:
            self.not_covered.append(entry)

    def _draft(self, kind: str, reference: Definition | Value, source: Definition) -> _Draft:
        owner = _owner(kind, reference, source)
        defined = reference if isinstance(reference, Definition) else None
        draft = self._drafts.get(owner)
        if draft is None:
            origin = defined.origin if defined else outside_origin(owner[0], owner[1], source)
            draft = self._drafts[owner] = _Draft(origin, defined, source)
        return draft

    def _identity(self, owner: _Owner, draft: _Draft) -> Identity:
        policies = list(draft.policies)
        for group in draft.groups:
            policies += [p for p in self._drafts[group].policies if p not in policies]
        definition = draft.definition
        if definition is None:
            principal = outside_principal(*owner, draft.source.place.partition)
            return Identity(draft.origin, principal, tuple(policies), complete=False)
        return Identity(
            origin=draft.origin,
            principal=_principal(definition),
            policies=tuple(policies),
            boundary=tuple(self._managed(definition, "permissionsBoundary", PERMISSIONS_BOUNDARY)),
            trust=self._trust(definition),
            tags=definition.tags(),
        )

    def _trust(self, definition: Definition) -> tuple[Policy, ...]:
        if definition.type != ROLE:
            return ()
        policy = read_policy(
            definition, "assumeRolePolicy", TRUST_POLICY, "trust policy", self.links
        )
        return (policy,) if policy is not None else ()


def _owner(kind: str, reference: Definition | Value, source: Definition) -> _Owner:
    if isinstance(reference, Definition):
        return kind, reference.name or "", reference.place.account
    return kind, reference, source.place.account


def _principal(definition: Definition) -> Principal:
    principal = parse_principal(definition.arn or "")
    if principal is not None:
        return principal
    kind = PrincipalKind.ROLE if definition.type == ROLE else PrincipalKind.USER
    name = concat(("/", definition.name or ""))
    place = definition.place
    return Principal(kind, definition.arn or "", place.account, place.partition, name)
