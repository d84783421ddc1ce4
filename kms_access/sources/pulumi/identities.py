"""Users and roles with everything attached to them, users with what their groups have (K63)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kms_access.inventory.model import Identity, ManagedPolicy, Policy
from kms_access.inventory.origin import NotCovered
from kms_access.policies.answers import Reason, ReasonKind
from kms_access.policies.grammar import (
    IDENTITY_POLICY,
    PERMISSIONS_BOUNDARY,
    TRUST_POLICY,
    PolicyGrammar,
)
from kms_access.policies.parsing import unreadable_policy
from kms_access.policies.principals import Principal, PrincipalKind, parse_principal
from kms_access.policies.text import Text, Value, concat
from kms_access.sources.pulumi.attached import Attached, InlineName, Owner
from kms_access.sources.pulumi.definition import Definition
from kms_access.sources.pulumi.documents import read_element, read_policy
from kms_access.sources.pulumi.links import Links, Reference, Unclear
from kms_access.sources.pulumi.outside import outside_origin, outside_policy, outside_principal
from kms_access.sources.pulumi.tags import read_tags
from kms_access.sources.pulumi.tokens import (
    ATTACHMENTS,
    EXCLUSIVE_ATTACHMENTS,
    EXCLUSIVE_POLICIES,
    GROUP_MEMBERSHIP,
    IDENTITIES,
    INLINE_POLICIES,
    NATIVE_MANAGED_POLICY,
    POLICY_ATTACHMENT,
    ROLE,
    SERVICE_LINKED_ROLES,
    USER_GROUP_MEMBERSHIP,
)
from kms_access.sources.pulumi.wire import UNKNOWN, contains_unknown

_KINDS = ("role", "user", "group")
_NO_MEMBERSHIP = "the membership is not known"


def read_identities(
    definitions: Iterable[Definition], links: Links, *, partial: bool
) -> tuple[tuple[Identity, ...], tuple[NotCovered, ...]]:
    """Users and roles, and the attachments that could not be tied to one.

    With `partial`, more resources follow.
    """
    reader = _IdentityReader(links, partial=partial)
    for definition in definitions:
        reader.read(definition)
    return tuple(reader.identities()), tuple(reader.not_covered)


def read_managed_policies(
    definitions: Iterable[Definition], links: Links
) -> tuple[ManagedPolicy, ...]:
    """The customer managed policies of the stack, attached or not, whose ARN is known (K65)."""
    reader = _IdentityReader(links, partial=False)
    return tuple(
        ManagedPolicy(definition.arn, reader.managed_policy(definition))
        for definition in definitions
        if definition.entity == "policy" and definition.arn is not None
    )


class _IdentityReader:
    def __init__(self, links: Links, *, partial: bool) -> None:
        self.links = links
        self.not_covered: list[NotCovered] = []
        self._attached = Attached(partial=partial)

    def read(self, definition: Definition) -> None:
        token = definition.type
        if token in IDENTITIES:
            self._read_definition(definition)
        elif token in INLINE_POLICIES:
            self._read_inline_policy(definition, INLINE_POLICIES[token])
        elif token in ATTACHMENTS:
            owner = self._owner(definition, ATTACHMENTS[token], "gets the policy")
            if owner is not None:
                policies = self._managed(definition, "policyArn")
                self._attached.attach(owner, policies)
        elif token in EXCLUSIVE_ATTACHMENTS:
            owner = self._owner(definition, EXCLUSIVE_ATTACHMENTS[token], "gets the policies")
            if owner is not None:
                policies = self._managed_list(definition, "policyArns")
                self._attached.attach(owner, policies)
                self._attached.only_policies(owner, policies, definition)
        elif token in EXCLUSIVE_POLICIES:
            owner = self._owner(
                definition, EXCLUSIVE_POLICIES[token], "loses policies", gives_access=False
            )
            if owner is not None:
                items = definition.items("policyNames")
                names = [] if items is UNKNOWN else [i for i in items if isinstance(i, (str, Text))]
                self._attached.only_inline(owner, names, definition)
        elif token in (POLICY_ATTACHMENT, NATIVE_MANAGED_POLICY):
            self._attach_to_many(definition)
        elif token == USER_GROUP_MEMBERSHIP:
            user = self._owner(definition, "user", "becomes a member")
            if user is not None:
                for group in self._owners(definition, "groups", "group", _NO_MEMBERSHIP):
                    self._attached.join(user, group)
        elif token == GROUP_MEMBERSHIP:
            of = self._owner(definition, "group", "gets the members")
            if of is not None:
                users = self._owners(definition, "users", "user", _NO_MEMBERSHIP)
                for user in users:
                    self._attached.join(user, of)
                self._attached.only_members(of, users, definition)

    def identities(self) -> Iterable[Identity]:
        for owner, origin, definition, source in self._attached.owners():
            if owner[0] == "group":
                continue
            policies = self._attached.policies_of(owner)
            if definition is None:
                principal = outside_principal(*owner, source.place.partition)
                yield Identity(origin, principal, policies, complete=False)
            else:
                yield self._identity(definition, policies)

    def _identity(self, definition: Definition, policies: tuple[Policy, ...]) -> Identity:
        tags, unclear = read_tags(definition)
        if unclear:
            self.not_covered.append(NotCovered(definition.origin, unclear, True))
        return Identity(
            origin=definition.origin,
            principal=_principal(definition),
            policies=policies,
            boundary=tuple(self._managed(definition, "permissionsBoundary", PERMISSIONS_BOUNDARY)),
            trust=self._trust(definition),
            tags=tags,
            # What a service-linked role may do, its service writes.
            complete=definition.type not in SERVICE_LINKED_ROLES,
        )

    def _read_definition(self, definition: Definition) -> None:
        owner = self._known(definition.entity, definition, definition)
        inline = definition.items("inlinePolicies")
        items = [UNKNOWN] if inline is UNKNOWN else inline
        # `aws:` drops elements whose document is not known yet: only the dependency is left.
        if (
            definition.type == ROLE
            and self.links.depends_on_the_future(definition, "inlinePolicies")
            and not any(contains_unknown(item) for item in items)
        ):
            items = [*items, UNKNOWN]
        for item in items:
            self._attached.attach(owner, *self._inline(definition, item))
        self._attached.attach(owner, self._managed_list(definition, "managedPolicyArns"))
        if owner[0] == "user":
            for group in self._owners(definition, "groups", "group", _NO_MEMBERSHIP):
                self._attached.join(owner, group)

    def _read_inline_policy(self, definition: Definition, kind: str) -> None:
        label = f"inline policy {definition.resource.name}"
        policy = read_policy(definition, "policy", IDENTITY_POLICY, label, self.links)
        if policy is None:
            return
        owner = self._owner(definition, kind, "gets the policy")
        if owner is not None:
            name = InlineName(definition.name)
            self._attached.attach(owner, [policy], name)

    def _attach_to_many(self, definition: Definition) -> None:
        """A resource that lists to whom it attaches a managed policy."""
        is_policy = definition.type == NATIVE_MANAGED_POLICY
        policies = (
            [self._managed_policy(definition, definition, IDENTITY_POLICY)]
            if is_policy
            else self._managed(definition, "policyArn")
        )
        owners: list[Owner] = []
        for kind in _KINDS:
            effect = f"it is not known which {kind} gets the policy"
            owners += self._owners(definition, f"{kind}s", kind, effect)
        for owner in owners:
            self._attached.attach(owner, policies)
        if not is_policy:
            for policy in policies:
                self._attached.only_holders(policy, owners, definition)

    def _inline(self, definition: Definition, item: object) -> tuple[list[Policy], InlineName]:
        name: Value | None = None
        value: object = UNKNOWN
        if isinstance(item, Mapping):
            value = item.get("policy", item.get("policyDocument"))
            given = item.get("name", item.get("policyName"))
            name = given if isinstance(given, (str, Text)) and given != "" else None
        if value is None or value == "":
            return [], InlineName(name)
        document = read_element(definition, "inlinePolicies", value, IDENTITY_POLICY, self.links)
        label = f"inline policy {name or 'of unknown name'}"
        return [Policy(label, document, definition.origin)], InlineName(name)

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

    def managed_policy(self, definition: Definition) -> Policy:
        """What a managed policy of the stack says."""
        return self._managed_policy(definition, definition, IDENTITY_POLICY)

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

    def _owner(
        self, definition: Definition, kind: str, effect: str, *, gives_access: bool = True
    ) -> Owner | None:
        """Whom the property that is called like the kind names; None if that is not known."""
        reference = self.links.find(definition, kind, kind)
        if reference is not None and not isinstance(reference, Unclear):
            return self._known(kind, reference, definition)
        found = reference.reason if reference else f"{definition.call} names nobody"
        self._leave_out(
            definition, f"{found}, so it is not known which {kind} {effect}", gives_access
        )
        return None

    def _owners(self, definition: Definition, key: str, kind: str, effect: str) -> list[Owner]:
        """Whom a list names; what is not known in it is left out, with that effect."""
        owners = []
        for reference in self.links.find_all(definition, key, kind):
            if isinstance(reference, Unclear):
                self._leave_out(definition, f"{reference.reason}, so {effect}", True)
            else:
                owners.append(self._known(kind, reference, definition))
        return owners

    def _leave_out(self, definition: Definition, reason: str, gives_access: bool) -> None:
        entry = NotCovered(definition.origin, reason, gives_access)
        if entry not in self.not_covered:
            self.not_covered.append(entry)

    def _known(self, kind: str, reference: Definition | Value, source: Definition) -> Owner:
        if isinstance(reference, Definition):
            owner = kind, reference.name or "", reference.place.account
            first = self._attached.know(owner, reference.origin, reference, source)
            if first is not None and first.urn != reference.urn:
                same = f"has the name and the account of {first.call} ({first.type})"
                reason = f"{reference.call} ({reference.type}) {same}, so only one is evaluated"
                self._leave_out(reference, reason, True)
        else:
            owner = kind, reference, source.place.account
            origin = outside_origin(kind, reference, source)
            self._attached.know(owner, origin, None, source)
        return owner

    def _trust(self, definition: Definition) -> tuple[Policy, ...]:
        if definition.entity != "role":
            return ()
        policy = read_policy(
            definition, "assumeRolePolicy", TRUST_POLICY, "trust policy", self.links
        )
        return (policy,) if policy is not None else ()


def _principal(definition: Definition) -> Principal:
    principal = parse_principal(definition.arn or "")
    if principal is not None:
        return principal
    kind = PrincipalKind.ROLE if definition.entity == "role" else PrincipalKind.USER
    name = concat(("/", definition.name or ""))
    place = definition.place
    return Principal(kind, definition.arn or "", place.account, place.partition, name)
