"""Who may have access: identities of the definitions, and principal classes (design 4.6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from kms_access.decisions.mentions import Mentions, mentions_in_trust, mentions_of
from kms_access.decisions.static_facts import Organization, principal_tag_facts
from kms_access.inventory.model import Identity, Inventory, Policy
from kms_access.inventory.origin import Origin
from kms_access.policies.answers import Reason, ReasonKind, Truth
from kms_access.policies.arns import arn_segments
from kms_access.policies.context import ABSENT, KeyState, Present
from kms_access.policies.overlap import same
from kms_access.policies.principals import Principal, PrincipalKind
from kms_access.policies.text import DIGIT, Text, Unknown, Value, concat


class SubjectKind(Enum):
    """What a row of the access map stands for."""

    IDENTITY = "identity"
    """A user or role of the definitions."""
    ELSEWHERE = "identity defined elsewhere"
    """A user, role or session that a policy names and the definitions do not hold."""
    ACCOUNT = "account"
    """Any other identity of an account."""
    ORGANIZATION = "organization"
    EVERYONE = "everyone"
    SERVICE = "service"
    PROVIDER = "federated provider"
    """Whoever an identity provider of a trust policy has authenticated (K52)."""


@dataclass(frozen=True, slots=True)
class Caller:
    """One caller to be tried for a subject, with the policies of its side."""

    principal: Principal
    identity: tuple[Policy, ...] = ()
    boundary: tuple[Policy, ...] = ()
    facts: Mapping[str, KeyState] = field(default_factory=dict)
    incomplete: Reason | None = None
    assumed_allowed: bool = False


@dataclass(frozen=True, slots=True)
class Subject:
    """A row of the access map. It has the access that any of its callers has."""

    kind: SubjectKind
    label: str
    arn: Value
    account: Value
    callers: tuple[Caller, ...]
    origin: Origin | None = None
    tags: Mapping[str, Value] = field(default_factory=dict)
    session: str = ""

    @property
    def identity(self) -> str:
        """What tells the subject from all others."""
        if self.kind is SubjectKind.ACCOUNT:
            # The ARN of an account is that of its root user, who is somebody else.
            return str(self.account)
        if self.origin is None:
            return str(self.arn)
        return f"{self.origin.identity}/{self.session}" if self.session else self.origin.identity


def subjects_of(inventory: Inventory, organization: Organization) -> tuple[Subject, ...]:
    """Every subject that a policy, grant or definition of the inventory speaks of, sorted."""
    identities = [subject_of(identity) for identity in inventory.identities]
    mentions = mentions_of(inventory)
    subjects = [
        *identities,
        *_mentioned(mentions, identities, inventory, organization),
        *(service(name) for name in mentions.services),
        *([service(_ANY_SERVICE)] if mentions.any_service else []),
    ]
    return tuple(sorted(subjects, key=order_of))


def subjects_of_trust(inventory: Inventory, organization: Organization) -> tuple[Subject, ...]:
    """Everybody whom trust policies name, beside services and the identities of the definitions.

    Some of them are rows of the access map as well.
    """
    identities = [subject_of(identity) for identity in inventory.identities]
    mentions = mentions_in_trust(inventory)
    providers = [provider(arn) for arn in mentions.providers]
    others = _mentioned(mentions, identities, inventory, organization)
    return tuple(sorted([*others, *providers], key=order_of))


def order_of(subject: Subject) -> tuple[int, str, str]:
    """Where a subject stands in lists: by kind, then by name."""
    return list(SubjectKind).index(subject.kind), subject.label, subject.identity


def identity_of(subject: Subject) -> str:
    """The user or role behind a subject, which for a session is that of its role."""
    if subject.origin is not None:
        return subject.origin.identity
    return str(subject.callers[0].principal.arn)


def _mentioned(
    mentions: Mentions,
    identities: list[Subject],
    inventory: Inventory,
    organization: Organization,
) -> Iterator[Subject]:
    partition = _partition(inventory)
    yield from _elsewhere(mentions, identities)
    yield from _accounts(mentions, inventory)
    yield from _organizations(mentions, organization, partition)
    if mentions.everyone:
        yield everyone(partition)
    yield from (_unknown_caller(value) for value in mentions.unknown)


def subject_of(identity: Identity) -> Subject:
    """The row of a user or role of the inventory."""
    kind = SubjectKind.IDENTITY if identity.complete else SubjectKind.ELSEWHERE
    principal = identity.principal
    facts = principal_tag_facts(principal, identity.tags)
    caller = Caller(
        principal,
        identity.policies,
        identity.boundary,
        facts,
        None if identity.complete else _elsewhere_reason(identity.label),
    )
    return Subject(
        kind,
        identity.label,
        principal.arn,
        principal.account,
        (caller,),
        identity.origin,
        identity.tags,
    )


def _elsewhere_reason(label: str) -> Reason:
    return Reason(f"identity policies of {label} elsewhere", ReasonKind.OUTSIDE, "K66")


def subject_elsewhere(principal: Principal) -> Subject:
    """The row of a principal that the definitions only mention."""
    label = _label(principal)
    reason = _elsewhere_reason(label)
    caller = Caller(principal, incomplete=reason)
    arn = principal.arn if principal.session is None else session_arn(principal)
    return Subject(SubjectKind.ELSEWHERE, label, arn, principal.account, (caller,))


def _label(principal: Principal) -> str:
    if principal.kind is PrincipalKind.ROOT:
        return f"root user of account {principal.account}"
    name = f"{principal.kind.value} {principal.name}"
    return f"session {principal.session} of {name}" if principal.session is not None else name


def _elsewhere(mentions: Mentions, identities: list[Subject]) -> Iterator[Subject]:
    known: dict[tuple[PrincipalKind, Value, Value], Subject] = {}
    for subject in identities:
        known.setdefault(_name_of(subject.callers[0].principal), subject)
    for principal in mentions.principals:
        subject_of_name = known.get(_name_of(principal))
        if subject_of_name is None:
            yield subject_elsewhere(principal)
        elif principal.session is not None:
            yield session_of(subject_of_name, principal)


def _name_of(principal: Principal) -> tuple[PrincipalKind, Value, Value]:
    """A mentioned principal, or its role, is one of the definitions if these agree (K48)."""
    return principal.kind, principal.account, principal.name


def session_of(role: Subject, named: Principal) -> Subject:
    """The row of one session of a role of the definitions: it has the role's policies."""
    caller = role.callers[0]
    principal = replace(caller.principal, session=named.session)
    return replace(
        role,
        label=_label(principal),
        arn=session_arn(principal),
        callers=(replace(caller, principal=principal),),
        session=str(named.session),
    )


def session_arn(principal: Principal) -> Value:
    """The ARN of a role session; of a role without one, the ARN of a session of any name."""
    any_name = Text((Unknown("a session name", of_request=True),))
    session = any_name if principal.session is None else principal.session
    return concat(
        (
            *("arn:", principal.partition, ":sts::", principal.account),
            *(":assumed-role/", principal.name, "/", session),
        )
    )


def _partition(inventory: Inventory) -> Value:
    """Accounts of one deployment lie in one partition."""
    return next((key.partition for key in inventory.keys), "aws")


def _accounts(mentions: Mentions, inventory: Inventory) -> Iterator[Subject]:
    partition = _partition(inventory)
    for account in mentions.accounts:
        own = any(same(account, key.account).truth is Truth.TRUE for key in inventory.keys)
        label = f"any other identity of account {account}" if own else f"account {account}"
        stands_for = f"an identity of account {account} that no policy names"
        name = Unknown(stands_for, stranger=True, of_request=True)
        principals = _kinds_of_identity(account, name, partition)
        if not own:
            principals.append(root_user(account, partition))
        reason = Reason(f"identity policies in account {account}", ReasonKind.OUTSIDE, "K66")
        yield Subject(
            SubjectKind.ACCOUNT,
            label,
            concat(("arn:", partition, ":iam::", account, ":root")),
            account,
            tuple(Caller(principal, incomplete=reason) for principal in principals),
        )


def _kinds_of_identity(account: Value, name: Unknown, partition: Value) -> list[Principal]:
    """A role and a user of that name: condition keys tell them apart."""
    path = Text(("/", name))
    start = ("arn:", partition, ":iam::", account)
    return [
        Principal(kind, concat((*start, f":{word}", path)), account, partition, path)
        for kind, word in ((PrincipalKind.ROLE, "role"), (PrincipalKind.USER, "user"))
    ]


def root_user(account: Value, partition: Value) -> Principal:
    """The root user of an account."""
    arn = concat(("arn:", partition, ":iam::", account, ":root"))
    return Principal(PrincipalKind.ROOT, arn, account, partition)


def _outsiders(partition: Value) -> list[Principal]:
    unknown = Unknown("an account that no policy names", DIGIT, stranger=True, of_request=True)
    account = Text((unknown,))
    name = Unknown("the name of an outsider", of_request=True)
    return [*_kinds_of_identity(account, name, partition), root_user(account, partition)]


def _organizations(
    mentions: Mentions, organization: Organization, partition: Value
) -> Iterator[Subject]:
    for org in mentions.organizations:
        path = concat((org, "/", Unknown("the path of an account", of_request=True)))
        facts: dict[str, KeyState] = {
            "aws:principalorgid": Present((org,)),
            "aws:principalorgpaths": Present((path,), multivalued=True),
        }
        label = "our organization" if org == organization.id else f"organization {org}"
        callers = tuple(
            Caller(principal, facts=facts, assumed_allowed=True)
            for principal in _outsiders(partition)
        )
        yield Subject(SubjectKind.ORGANIZATION, label, org, "", callers)


def everyone(partition: Value = "aws") -> Subject:
    """Outsiders of whom no policy speaks: without an organization and with a strange one (K57)."""
    strange = Unknown("an organization that no policy names", stranger=True, of_request=True)
    path = Text((strange, "/", Unknown("the path of an account", of_request=True)))
    memberships: tuple[dict[str, KeyState], ...] = (
        {"aws:principalorgid": ABSENT, "aws:principalorgpaths": ABSENT},
        {
            "aws:principalorgid": Present((Text((strange,)),)),
            "aws:principalorgpaths": Present((path,), multivalued=True),
        },
    )
    callers = tuple(
        Caller(principal, facts=facts, assumed_allowed=True)
        for principal in _outsiders(partition)
        for facts in memberships
    )
    return Subject(SubjectKind.EVERYONE, "everyone", "*", "", callers)


_ANY_SERVICE = Text((Unknown("any AWS service", stranger=True, of_request=True),))


def service(name: Value) -> Subject:
    """A service principal (K54)."""
    principal = Principal(PrincipalKind.SERVICE, name)
    label = "any AWS service" if name == _ANY_SERVICE else f"service {name}"
    return Subject(SubjectKind.SERVICE, label, name, "", (Caller(principal),))


_PROVIDER_RESOURCES = ("oidc-provider/", "saml-provider/")


def provider(arn: Value) -> Subject:
    """An identity provider, in whose name a trust policy lets people in (K52)."""
    segments = arn_segments(arn)
    account = segments[4] if segments else ""
    caller = Caller(Principal(PrincipalKind.PROVIDER, arn))
    label = f"federated provider {provider_name(arn)}"
    return Subject(SubjectKind.PROVIDER, label, arn, account, (caller,))


def provider_name(arn: Value) -> str:
    """What a person calls an identity provider: `token.actions.githubusercontent.com`."""
    segments = arn_segments(arn)
    name = str(segments[-1] if segments else arn)
    for start in _PROVIDER_RESOURCES:
        name = name.removeprefix(start)
    return name


def _unknown_caller(value: Text) -> Subject:
    """Whoever an unknown value will name: nothing is known of it, so all of it stays open."""
    account = Text((Unknown(f"the account of {value}", DIGIT),))
    path = Text(("/", *value.parts))
    callers = tuple(
        Caller(
            Principal(kind, value, account, path_and_name=path),
            incomplete=_elsewhere_reason(str(value)),
        )
        for kind in (PrincipalKind.ROLE, PrincipalKind.USER)
    )
    return Subject(SubjectKind.ELSEWHERE, f"whoever {value} is", value, account, callers)
