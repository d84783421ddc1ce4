"""AWS::IAM resources: roles, users and groups with everything attached to them (K63)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from kms_access.inventory.model import Identity, Policy
from kms_access.inventory.origin import NotCovered
from kms_access.policies.answers import Reason, ReasonKind
from kms_access.policies.grammar import IDENTITY_POLICY, TRUST_POLICY
from kms_access.policies.principals import Principal, PrincipalKind
from kms_access.policies.text import Value, concat, unknown_text
from kms_access.sources.cloudformation.alternatives import Alternative, items, variants
from kms_access.sources.cloudformation.attachments import (
    GROUP_KIND,
    Holder,
    Holders,
    Mention,
)
from kms_access.sources.cloudformation.deployment import Deployment, Resource
from kms_access.sources.cloudformation.managed_policies import ManagedPolicies
from kms_access.sources.cloudformation.physical import (
    GROUP,
    MANAGED_POLICY,
    ROLE,
    USER,
    iam_arn_of,
    name_of,
    path_of,
)
from kms_access.sources.cloudformation.policy_reading import (
    outside_policy,
    read_policy,
    unknown_policy,
)
from kms_access.sources.cloudformation.tags import tags_of
from kms_access.sources.cloudformation.values import NO_VALUE, as_value, digest

_KINDS = {ROLE: "role", USER: "user", GROUP: GROUP_KIND}
_TARGET_LISTS = {"Roles": "role", "Users": "user", "Groups": GROUP_KIND}
_SINGLE_TARGETS = {
    "AWS::IAM::RolePolicy": {"RoleName": "role"},
    "AWS::IAM::UserPolicy": {"UserName": "user"},
    "AWS::IAM::GroupPolicy": {"GroupName": GROUP_KIND},
}
_POLICY = "AWS::IAM::Policy"
_MEMBERSHIP = "AWS::IAM::UserToGroupAddition"


def read_identities(deployment: Deployment, not_covered: list[NotCovered]) -> tuple[Identity, ...]:
    """The users and roles of a deployment, and those that it only mentions."""
    return _Reader(deployment, not_covered).read()


class _Reader:
    def __init__(self, deployment: Deployment, not_covered: list[NotCovered]) -> None:
        self._deployment = deployment
        self._not_covered = not_covered
        self._managed = ManagedPolicies(deployment)
        self._holders = Holders()
        self._attachments: list[tuple[Mention, Policy]] = []
        self._memberships: list[tuple[Mention, Mention]] = []
        self._of_groups: dict[Holder, tuple[Policy, ...]] = {}

    def read(self) -> tuple[Identity, ...]:
        own = [(self._holder(r), r) for r in self._deployment.of_kind(ROLE, USER, GROUP)]
        for holder, _ in own:
            self._holders.add(holder)
        for holder, resource in own:
            self._attach_own(holder, resource)
        for resource in self._deployment.of_kind(_POLICY, MANAGED_POLICY, *_SINGLE_TARGETS):
            self._attach_elsewhere(resource)
        for resource in self._deployment.of_kind(_MEMBERSHIP):
            self._add_members(resource)
        for mention, policy in self._attachments:
            self._holders.attach(mention, policy)
        for user, group in self._memberships:
            self._inherit(user, group)
        return tuple(
            replace(holder.identity, policies=self._holders.policies_of(holder))
            for holder in self._holders
            if holder.identity is not None
        )

    def _holder(self, resource: Resource) -> Holder:
        resolver, stack = self._deployment.resolver, resource.stack
        name = name_of(resolver, stack, resource.logical_id)
        kind, account = _KINDS[resource.kind], stack.environment.account
        origin = resource.origin
        if kind == GROUP_KIND:
            return Holder(kind, account, name, origin)
        principal = Principal(
            PrincipalKind.ROLE if kind == "role" else PrincipalKind.USER,
            iam_arn_of(resolver, stack, resource.logical_id),
            account,
            stack.environment.partition,
            concat((path_of(resolver, stack, resource.logical_id), name)),
        )
        identity = Identity(
            origin,
            principal,
            boundary=self._boundary(resource),
            trust=self._trust(resource) if kind == "role" else (),
            tags=tags_of(self._deployment, resource, self._not_covered),
        )
        return Holder(kind, account, name, origin, identity)

    def _trust(self, resource: Resource) -> tuple[Policy, ...]:
        node = resource.node("AssumeRolePolicyDocument")
        if resource.properties is None:
            document = unknown_policy(TRUST_POLICY, _properties_of(resource))
            return (Policy("trust policy", document, resource.origin),)
        read = read_policy(
            self._deployment.resolver,
            resource.stack,
            resource.logical_id,
            node,
            TRUST_POLICY,
            uncertain=resource.uncertain,
        )
        if read is None:
            return ()
        return (Policy("trust policy", read.document, resource.origin, read.places),)

    def _boundary(self, resource: Resource) -> tuple[Policy, ...]:
        found = variants(
            self._deployment.resolver, resource.stack, resource.node("PermissionsBoundary")
        )
        policies = []
        for one in found:
            arn = as_value(one.node)
            if arn:
                policies.append(self._managed.boundary(arn, resource.origin, one.uncertain))
            elif one.node is not None and one.node is not NO_VALUE and one.node != "":
                what = f"the permissions boundary of {resource.origin}"
                reason = Reason(what, ReasonKind.UNKNOWN_VALUE, "K83")
                policies.append(self._managed.boundary("", resource.origin, reason))
        return tuple(policies[:1])

    def _attach_own(self, holder: Holder, resource: Resource) -> None:
        if resource.properties is None:
            document = unknown_policy(IDENTITY_POLICY, _properties_of(resource))
            holder.attach(Policy("policies", document, resource.origin))
            return
        for one in self._items(resource, "Policies"):
            holder.attach(self._inline(resource, one))
        for one in self._items(resource, "ManagedPolicyArns"):
            for arn, doubt in self._values(resource, one):
                policy = self._managed.by_arn(arn, IDENTITY_POLICY, resource.origin)
                holder.attach(policy, doubt)
        for group in self._mentions(resource, "Groups", GROUP_KIND):
            user = Mention("user", resource.stack.environment, holder.name, resource.origin)
            self._memberships.append((user, group))

    def _inline(self, resource: Resource, written: Alternative) -> Policy:
        """One item of `Policies`."""
        node, read, name = written.node, None, None
        if isinstance(node, dict) and "PolicyDocument" in node:
            name = self._deployment.resolver.value(node.get("PolicyName"), resource.stack)
            read = read_policy(
                self._deployment.resolver,
                resource.stack,
                resource.logical_id,
                node["PolicyDocument"],
                IDENTITY_POLICY,
                uncertain=written.uncertain or resource.uncertain,
            )
        label = f"inline policy {name or ''}".strip()
        if read is None:
            document = unknown_policy(IDENTITY_POLICY, f"an inline policy of {resource.origin}")
            return Policy(label, document, resource.origin)
        return Policy(label, read.document, resource.origin, read.places)

    def _attach_elsewhere(self, resource: Resource) -> None:
        """A policy resource that names whom it is attached to."""
        if resource.properties is None:
            reason = "a policy whose properties a macro or an include fills in"
            self._not_covered.append(NotCovered(resource.origin, reason, True))
            return
        if resource.kind == MANAGED_POLICY:
            policy = self._managed.of_resource(resource, IDENTITY_POLICY)
        else:
            node = {name: resource.node(name) for name in ("PolicyName", "PolicyDocument")}
            policy = self._inline(resource, Alternative(node, resource.uncertain))
        for list_property, kind in _target_properties(resource).items():
            for mention in self._mentions(resource, list_property, kind):
                self._attachments.append((mention, policy))

    def _add_members(self, resource: Resource) -> None:
        for group in self._mentions(resource, "GroupName", GROUP_KIND):
            for user in self._mentions(resource, "Users", "user"):
                self._memberships.append((user, group))

    def _inherit(self, user: Mention, group: Mention) -> None:
        """A group whose name is not known is an outsider, who has a policy that nobody can read:
        there is no need to try which group it may be."""
        member = replace(user, uncertain=user.uncertain or group.uncertain)
        for holder in self._holders.named(group):
            for policy in self._policies_of(holder):
                self._holders.attach(member, policy)

    def _policies_of(self, group: Holder) -> tuple[Policy, ...]:
        if group not in self._of_groups:
            policies = [
                replace(policy, label=f"{policy.label} of group {group.label}")
                for policy in self._holders.policies_of(group)
            ]
            if group.is_outside:
                what = f"the policies of group {group.name} that lie outside the definitions"
                document = outside_policy(IDENTITY_POLICY, what)
                policies.append(Policy(f"policies of group {group.label}", document, group.origin))
            self._of_groups[group] = tuple(policies)
        return self._of_groups[group]

    def _items(self, resource: Resource, name: str) -> list[Alternative]:
        return items(self._deployment.resolver, resource.stack, resource.node(name))

    def _values(
        self, resource: Resource, written: Alternative
    ) -> Iterator[tuple[Value, Reason | None]]:
        """The strings that an item of a list can be; what is no string is not known."""
        for one in variants(self._deployment.resolver, resource.stack, written.node):
            value = as_value(one.node)
            if value is None and one.node is not None and one.node is not NO_VALUE:
                value = unknown_text(f"an item in {resource.origin} {digest(one.node)}")
            if value:
                yield value, written.uncertain or one.uncertain or resource.uncertain

    def _mentions(self, resource: Resource, name: str, kind: str) -> list[Mention]:
        """The users, roles or groups that a property names; they are known from then on."""
        mentions = [
            Mention(kind, resource.stack.environment, value, resource.origin, doubt)
            for one in self._items(resource, name)
            for value, doubt in self._values(resource, one)
        ]
        for mention in mentions:
            self._holders.mention(mention)
        return mentions


def _target_properties(resource: Resource) -> Mapping[str, str]:
    return _SINGLE_TARGETS.get(resource.kind, _TARGET_LISTS)


def _properties_of(resource: Resource) -> str:
    return f"the properties of {resource.stack.identity_of(resource.logical_id)}"
