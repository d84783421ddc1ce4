"""Which policies are attached to which user, role or group."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from kms_access.inventory.model import Identity, Policy
from kms_access.inventory.origin import Origin
from kms_access.policies.answers import Reason, ReasonKind, Truth
from kms_access.policies.grammar import IDENTITY_POLICY
from kms_access.policies.overlap import same
from kms_access.policies.principals import Principal, PrincipalKind
from kms_access.policies.text import PATH_CHARACTER, Text, Unknown, Value, concat
from kms_access.sources.cloudformation.environment import Environment
from kms_access.sources.cloudformation.policy_reading import unknown_policy, with_uncertainty

GROUP_KIND = "group"
MAXIMUM_UNDECIDED = 50
"""Past so many policies whose holder is not known, they count as one that cannot be read."""


@dataclass(slots=True, eq=False)
class Holder:
    """A user, role or group while its policies are collected."""

    kind: str
    account: Value
    name: Value
    origin: Origin
    identity: Identity | None = None
    is_outside: bool = False
    policies: list[Policy] = field(default_factory=list)
    attached: dict[tuple[int, Reason | None], Policy] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The name, or what a person calls the resource."""
        return self.name if isinstance(self.name, str) else self.origin.label

    def attach(self, policy: Policy, doubt: Reason | None = None) -> None:
        """Attach a policy, for sure or with a doubt; what is attached already is passed over."""
        if self.has(policy) or (id(policy), doubt) in self.attached:
            return
        self.attached[id(policy), doubt] = policy
        self.policies.append(doubted(policy, doubt))

    def has(self, policy: Policy) -> bool:
        """Whether the policy is attached for sure."""
        return (id(policy), None) in self.attached


@dataclass(frozen=True, slots=True)
class Mention:
    """A place that names a user, role or group of its account."""

    kind: str
    environment: Environment
    name: Value
    origin: Origin
    uncertain: Reason | None = None


class Holders:
    """The users, roles and groups of a deployment, by account and name.

    All that the definitions create are added first, then all that they mention; only then are
    policies attached, so that the order of templates makes no difference.
    """

    def __init__(self) -> None:
        self._by_name: dict[tuple[str, Value, Value], list[Holder]] = {}
        self._undecided: dict[tuple[str, Value], list[tuple[Text, Policy, Policy]]] = {}

    def add(self, holder: Holder) -> None:
        """Add one that the definitions create."""
        key = (holder.kind, holder.account, holder.name)
        self._by_name.setdefault(key, []).append(holder)

    def mention(self, mention: Mention) -> None:
        """Make up the outsider whom a template names, if nobody of that name is known yet."""
        if (mention.kind, mention.environment.account, mention.name) not in self._by_name:
            self.add(_outsider(mention))

    def __iter__(self) -> Iterator[Holder]:
        return (holder for holders in self._by_name.values() for holder in holders)

    def named(self, mention: Mention) -> list[Holder]:
        """Those who have the name. One that the template spells out is never taken for one that
        CloudFormation is going to generate."""
        return self._by_name[mention.kind, mention.environment.account, mention.name]

    def attach(self, mention: Mention, policy: Policy) -> None:
        """Attach a policy to whom a template names.

        If that is an outsider whose name is not known, it may be anybody whose name this can
        turn out to be: they get the policy with a doubt.
        """
        named = self.named(mention)
        for holder in named:
            holder.attach(policy, mention.uncertain)
        if isinstance(mention.name, Text) and named[0].is_outside:
            text = f"whether {mention.name} is this {mention.kind}"
            reason = Reason(text, ReasonKind.UNKNOWN_VALUE)
            key = (mention.kind, mention.environment.account)
            entry = (mention.name, policy, doubted(policy, reason))
            self._undecided.setdefault(key, []).append(entry)

    def policies_of(self, holder: Holder) -> tuple[Policy, ...]:
        """Everything that is or may be attached."""
        undecided = self._undecided.get((holder.kind, holder.account), [])
        if len(undecided) > MAXIMUM_UNDECIDED:
            what = f"{len(undecided)} policies of which it is not known who has them"
            document = unknown_policy(IDENTITY_POLICY, what)
            return (*holder.policies, Policy(what, document, undecided[0][1].origin))
        possible = (
            doubtful
            for name, policy, doubtful in undecided
            if holder.name != name and not holder.has(policy) and _may_be(name, holder.name)
        )
        return (*holder.policies, *possible)


def _may_be(name: Text, other: Value) -> bool:
    """A part that is wholly free may be any name: the common case, decided early."""
    if len(name.parts) == 1 and name.unknowns[0] == Unknown(name.unknowns[0].stands_for):
        return True
    return same(name, other).truth is not Truth.FALSE


def doubted(policy: Policy, doubt: Reason | None) -> Policy:
    """The same policy, in which nothing is certain because of `doubt`."""
    if doubt is None:
        return policy
    return replace(policy, document=with_uncertainty(policy.document, doubt))


def _outsider(mention: Mention) -> Holder:
    """Somebody whom the definitions only mention: path and further policies are not known."""
    kind, name, environment = mention.kind, mention.name, mention.environment
    start = ("arn:", environment.partition, ":iam::", environment.account, ":", kind, "/")
    arn, path_and_name = concat((*start, name)), concat(("/", name))
    origin = replace(mention.origin, identity=str(arn), label=str(name))
    if kind == GROUP_KIND:
        return Holder(kind, environment.account, name, origin, is_outside=True)
    if kind == "user":
        path = Unknown(f"the path of user {name}", PATH_CHARACTER)
        arn, path_and_name = concat((*start, path, name)), concat(("/", path, name))
    principal = Principal(
        PrincipalKind.USER if kind == "user" else PrincipalKind.ROLE,
        arn,
        environment.account,
        environment.partition,
        path_and_name,
        path_known=kind == "user",
    )
    identity = Identity(origin, principal, complete=False)
    return Holder(kind, environment.account, name, origin, identity, is_outside=True)
