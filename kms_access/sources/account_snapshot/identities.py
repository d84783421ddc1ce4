"""GetAccountAuthorizationDetails: users, roles, groups and all that is attached to them (K63)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from kms_access.inventory.model import Identity, ManagedPolicy, Policy
from kms_access.inventory.origin import Origin
from kms_access.policies.grammar import IDENTITY_POLICY, PERMISSIONS_BOUNDARY, TRUST_POLICY
from kms_access.policies.principals import Principal, PrincipalKind, parse_principal
from kms_access.sources.account_snapshot.policies import ManagedPolicies, read_document
from kms_access.sources.account_snapshot.responses import Node, Response

_INLINE = "PolicyDocument"
_TRUST = "AssumeRolePolicyDocument"
_ALL = 'ask for all of "User", "Role", "Group", "LocalManagedPolicy" and "AWSManagedPolicy"'


def read_identities(
    details: Response, account: str
) -> tuple[tuple[Identity, ...], tuple[ManagedPolicy, ...]]:
    """The users and roles of an account, and its managed policies.

    Raises `SourceError` for a response of another form, for identities of another account, and
    for a user whose group the response lacks.
    """
    reader = _Reader(details, account)
    return tuple(reader.identities()), reader.managed.all()


def read_tags(node: Node, field: str = "Tags", key: str = "Key") -> Mapping[str, str]:
    """A list of tags as a mapping; `key` is the first of the two names of a tag's fields."""
    value = key.replace("Key", "Value")
    tags = {}
    for tag in node.objects(field, optional=True):
        tags[tag.text(key)] = tag.optional_text(value) or ""
    return MappingProxyType(tags)


class _Reader:
    def __init__(self, details: Response, account: str) -> None:
        self._details = details
        self._account = account
        self._lines = details.lines_of_arns()
        self.managed = ManagedPolicies(details, self._lines)
        self._groups = dict(self._read_groups())

    def identities(self) -> Iterator[Identity]:
        for node in self._details.objects("UserDetailList"):
            yield self._identity(node, PrincipalKind.USER)
        for node in self._details.objects("RoleDetailList"):
            yield self._identity(node, PrincipalKind.ROLE)

    def _read_groups(self) -> Iterator[tuple[str, tuple[Policy, ...]]]:
        for node in self._details.objects("GroupDetailList"):
            name = node.text("GroupName")
            policies = self._attached(node, "GroupPolicyList")
            yield (
                name,
                tuple(replace(one, label=f"{one.label} of group {name}") for one in policies),
            )

    def _identity(self, node: Node, kind: PrincipalKind) -> Identity:
        is_user = kind is PrincipalKind.USER
        principal = self._principal(node, kind)
        policies = self._attached(node, "UserPolicyList" if is_user else "RolePolicyList")
        for group in node.texts("GroupList", optional=True) if is_user else ():
            if group not in self._groups:
                raise node.fail(f'"GroupDetailList" lacks the group "{group}"; {_ALL}', "GroupList")
            policies += self._groups[group]
        return Identity(
            self._origin(node),
            principal,
            policies,
            self._boundary(node),
            () if is_user else self._trust(node),
            read_tags(node),
        )

    def _principal(self, node: Node, kind: PrincipalKind) -> Principal:
        arn = node.text("Arn")
        principal = parse_principal(arn)
        if principal is None or principal.kind is not kind:
            raise node.fail(f'"{arn}" is no ARN of a {kind.value}', "Arn")
        if principal.account != self._account:
            message = f'"{arn}" is of another account than the folder, which is "{self._account}"'
            raise node.fail(message, "Arn")
        return principal

    def _origin(self, node: Node) -> Origin:
        arn = node.text("Arn")
        name = arn.rpartition("/")[2]
        return Origin(arn, name, file=self._details.shown, line=self._lines.get(arn))

    def _attached(self, node: Node, inline: str) -> tuple[Policy, ...]:
        policies = []
        for policy in node.objects(inline, optional=True):
            document = read_document(policy, _INLINE, IDENTITY_POLICY)
            label = f"inline policy {policy.text('PolicyName')}"
            places = policy.places(_INLINE)
            policies.append(Policy(label, document, self._origin(node), places))
        for attached in node.objects("AttachedManagedPolicies", optional=True):
            policies.append(self.managed.by_arn(attached.text("PolicyArn"), IDENTITY_POLICY))
        return tuple(policies)

    def _boundary(self, node: Node) -> tuple[Policy, ...]:
        boundary = node.optional_object("PermissionsBoundary")
        if boundary is None:
            return ()
        arn = boundary.text("PermissionsBoundaryArn")
        return (self.managed.by_arn(arn, PERMISSIONS_BOUNDARY),)

    def _trust(self, node: Node) -> tuple[Policy, ...]:
        document = read_document(node, _TRUST, TRUST_POLICY)
        return (Policy("trust policy", document, self._origin(node), node.places(_TRUST)),)
