"""What exists: keys, principals, the policies that apply to them, and grants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from kms_access.inventory.origin import NotCovered, Origin
from kms_access.inventory.statement_places import StatementPlaces
from kms_access.policies.answers import Reason
from kms_access.policies.document import PolicyDocument, Problem, Statement
from kms_access.policies.principals import Principal
from kms_access.policies.quick_init import quick_init
from kms_access.policies.text import Value


def _no_tags() -> Mapping[str, Value]:
    return MappingProxyType({})


@quick_init
@dataclass(frozen=True, slots=True)
class Policy:
    """A policy document with the name that a person knows it by, and its place.

    `places` finds its statements in the file of `origin`, where a person wrote that file.
    """

    label: str
    document: PolicyDocument
    origin: Origin
    places: StatementPlaces | None = field(default=None, repr=False, compare=False)

    def origin_of(self, statement: Statement | None) -> Origin:
        """Where a statement of the document stands, None for the document; else the policy."""
        if self.places is None:
            return self.origin
        return self.origin.at(self.places.position(statement.index if statement else None))

    def origin_of_problem(self, problem: Problem) -> Origin:
        """Where the statement stands that a problem of the document is about."""
        return self.origin.at(self.places.position_of(problem)) if self.places else self.origin


@dataclass(frozen=True, slots=True)
class Key:
    """A KMS key.

    `arn` is the canonical ARN, with an unknown key id before the key exists. `policies` holds its
    key policy; two sources of one key policy are both kept (K194). `aliases` are names with
    `alias/`. `bypasses_lockout_check` is the flag of K155. `spec`, `usage` and `origin_of_material`
    are None where not known.
    """

    origin: Origin
    arn: Value
    account: Value
    region: Value
    partition: Value
    policies: tuple[Policy, ...]
    aliases: tuple[Value, ...] = ()
    tags: Mapping[str, Value] = field(default_factory=_no_tags)
    description: Value = ""
    spec: Value | None = "SYMMETRIC_DEFAULT"
    usage: Value | None = "ENCRYPT_DECRYPT"
    origin_of_material: Value | None = "AWS_KMS"
    multi_region: bool = False
    bypasses_lockout_check: bool = False
    deployers: tuple[Value, ...] = ()
    """ARNs of who creates the key, where the definitions say so (K152)."""
    manager: Value | None = "CUSTOMER"
    """`AWS` for a key of an AWS service, whose key policy nobody can change (K170)."""
    further_aliases: bool = True
    """Whether the key may have aliases that are not among `aliases` (K141)."""
    state: Value | None = None
    """The key state of a deployed key; authorization does not look at it (K10)."""

    @property
    def label(self) -> str:
        """The first alias that is known, else what a person calls the resource."""
        known = [alias for alias in self.aliases if isinstance(alias, str)]
        return min(known) if known else self.origin.label or self.origin.identity


@dataclass(frozen=True, slots=True)
class Identity:
    """A user or a role of an account, with everything attached to it (K63).

    `policies` holds inline and managed policies and, for users, those of its groups.
    `trust` is the trust policy of a role. `complete` is false for an identity that the
    definitions only mention, so that it may have further policies elsewhere (K66).
    """

    origin: Origin
    principal: Principal
    policies: tuple[Policy, ...] = ()
    boundary: tuple[Policy, ...] = ()
    trust: tuple[Policy, ...] = ()
    tags: Mapping[str, Value] = field(default_factory=_no_tags)
    complete: bool = True

    @property
    def label(self) -> str:
        """The kind and, if known, the name: `role payments-api`."""
        name = self.principal.name
        shown = name if isinstance(name, str) else self.origin.label
        return f"{self.principal.kind.value} {shown}"


@dataclass(frozen=True, slots=True)
class GrantConstraints:
    """What a grant asks of a request (K97–K100)."""

    encryption_context_equals: Mapping[str, Value] | None = None
    encryption_context_subset: Mapping[str, Value] | None = None
    source_arn: Value | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """A grant on one key (K86–K101).

    `grantee` and `retiring_principal` are ARNs or service names; `issuing_account` is the account
    that made the grant. `operations` are names such as `Decrypt`. `uncertain` says why the grant
    cannot be read for sure.
    """

    label: str
    origin: Origin
    key_arn: Value
    grantee: Value
    operations: tuple[Value, ...]
    constraints: GrantConstraints = field(default_factory=GrantConstraints)
    retiring_principal: Value | None = None
    issuing_account: Value | None = None
    uncertain: Reason | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class ManagedPolicy:
    """A managed policy, which is attached by its ARN (K65)."""

    arn: Value
    policy: Policy


@dataclass(frozen=True, slots=True)
class Inventory:
    """Everything that the definitions say.

    `service_control` are levels from the organization's root to the account, `resource_control`
    likewise (K70, K71); empty means that none were supplied. `with_defaults` is the same with the
    default values of template parameters that nobody supplied: they can be what is deployed.
    """

    keys: tuple[Key, ...] = ()
    identities: tuple[Identity, ...] = ()
    grants: tuple[Grant, ...] = ()
    not_covered: tuple[NotCovered, ...] = ()
    service_control: tuple[tuple[Policy, ...], ...] = ()
    resource_control: tuple[tuple[Policy, ...], ...] = ()
    with_defaults: Inventory | None = None
    managed_policies: tuple[ManagedPolicy, ...] = ()
    """Managed policies by ARN, attached or not, as far as the source knows them."""
