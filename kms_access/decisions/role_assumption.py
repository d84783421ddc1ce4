"""Who may take which role (K160): trust policies joined with the callers' permissions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cached_property

from kms_access.decisions.decision import Decision
from kms_access.decisions.detour import (
    DetourKind,
    Link,
    Means,
    means_of,
    place_of,
    surest,
)
from kms_access.decisions.identity_calls import IdentityCalls
from kms_access.decisions.matching import Hit
from kms_access.decisions.proof import Hop, Proof, statement_name
from kms_access.decisions.subjects import (
    Caller,
    Subject,
    identity_of,
    provider_name,
    service,
)
from kms_access.decisions.trust_index import Role, TrustIndex
from kms_access.inventory.model import Identity, Policy
from kms_access.policies.answers import Reason, ReasonKind
from kms_access.policies.document import Effect, PolicyDocument, Statement
from kms_access.policies.grammar import TRUST_POLICY
from kms_access.policies.parsing import CURRENT_VERSION
from kms_access.policies.principal_element import PrincipalElement
from kms_access.policies.principals import (
    EntryKind,
    Naming,
    Principal,
    PrincipalEntry,
    PrincipalKind,
)

ASSUME = "sts:AssumeRole"
_TAG_SESSION = "sts:TagSession"
_WITH_SAML, _WITH_TOKEN = "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"
# Root users (API: AssumeRole) and federated user sessions (API: GetFederationToken) cannot.
_CAN_ASSUME = (PrincipalKind.USER, PrincipalKind.ROLE)


class RoleAssumptions:
    """The roles that somebody may take, and those that a service may."""

    def __init__(
        self,
        roles: Iterable[Subject],
        identities: Iterable[Identity],
        calls: IdentityCalls,
        is_end: Callable[[Subject], bool],
    ) -> None:
        """`is_end` tells whether a chain may end with a role, instead of going on by it."""
        known = {identity.origin.identity: identity for identity in identities}
        self._calls = calls
        self._is_end = is_end
        self._is_end_by_role: dict[str, bool] = {}
        self._known = {subject.identity: _role(subject, known) for subject in roles}
        self._roles = TrustIndex(self._known.values())

    def links(self, subject: Subject) -> list[Link]:
        """Each role that the subject may take and that leads on, by the surest of its callers."""
        found: dict[str, tuple[Subject, list[Means]]] = {}
        for caller in subject.callers:
            for role, means in self._assumptions(caller):
                if identity_of(role.subject) != identity_of(subject):
                    ways = found.setdefault(role.subject.identity, (role.subject, []))
                    ways[1].append(means)
        return [
            Link(DetourKind.ASSUMED_ROLE, role, best)
            for role, ways in found.values()
            if (best := surest(ways)) is not None
        ]

    def taken_by(self, service_name: str) -> dict[str, Means]:
        """The roles that a service may take, by the identity of their subject."""
        found: dict[str, list[Means]] = {}
        for role, name in self._roles.naming_service(service_name):
            means = self._assumption(service(name).callers[0], role, ASSUME)
            if means is not None:
                found.setdefault(role.subject.identity, []).append(means)
        return {identity: best for identity, ways in found.items() if (best := surest(ways))}

    def passes_tags(self, subject: Subject, role: Subject) -> Means | None:
        """Whether the subject may give tags to its session of the role (sts:TagSession)."""
        known = self._known.get(role.identity)
        if known is None or known.trust is None:
            return None
        return surest(self._assumption(caller, known, _TAG_SESSION) for caller in subject.callers)

    def _assumptions(self, caller: Caller) -> Iterator[tuple[Role, Means]]:
        for role in self._candidates(caller):
            if self._leads(role):
                ways = (self._assumption(caller, role, way) for way in _actions(caller.principal))
                means = surest(ways)
                if means is not None:
                    yield role, means

    def _candidates(self, caller: Caller) -> list[Role]:
        """Every role that the caller may be able to take, found without asking for each."""
        kind = caller.principal.kind
        if kind is not PrincipalKind.PROVIDER and kind not in _CAN_ASSUME:
            return []
        found = self._roles.naming(caller)
        if self._may_use_own_policies(caller):
            found += self._roles.naming_account(caller.principal.account)
        if self._calls.may(caller, ASSUME):
            found += self._roles.unknown
        return list(dict.fromkeys(found))

    def _leads(self, role: Role) -> bool:
        """Whether the role is of use, or leads to one that is."""
        identity = role.subject.identity
        return self._ends(identity) or identity in self._leading

    def _ends(self, identity: str) -> bool:
        if identity not in self._is_end_by_role:
            self._is_end_by_role[identity] = self._is_end(self._known[identity].subject)
        return self._is_end_by_role[identity]

    @cached_property
    def _leading(self) -> frozenset[str]:
        """The roles from which a chain of candidates leads to an end."""
        takers: dict[str, list[str]] = {}
        for role in self._known.values():
            for target in self._candidates(role.subject.callers[0]):
                takers.setdefault(target.subject.identity, []).append(role.subject.identity)
        found: set[str] = set()
        pending = [identity for identity in takers if self._ends(identity)]
        while pending:
            for taker in takers.get(pending.pop(), ()):
                if taker not in found:
                    found.add(taker)
                    pending.append(taker)
        return frozenset(found)

    def _may_use_own_policies(self, caller: Caller) -> bool:
        outside = caller.incomplete is not None or caller.assumed_allowed
        return outside or self._calls.has_unreadable(caller) or self._calls.may(caller, ASSUME)

    def _assumption(self, caller: Caller, role: Role, action: str) -> Means | None:
        if role.trust is None:
            return self._untold_assumption(caller, role)
        resolution = self._calls.ask(
            caller,
            action,
            role.arn,
            role.account,
            trust=role.trust,
            about=role.subject,
            outside=True,
        )
        means = means_of(resolution)
        if means is None:
            return None
        hops = dict.fromkeys(_hops(resolution.decision, caller.principal, role.trust))
        return replace(means, hops=tuple(hops))

    def _untold_assumption(self, caller: Caller, role: Role) -> Means | None:
        """A trust policy that nobody can read lets in, at most, whom own policies let out."""
        resolution = self._calls.ask(
            caller,
            ASSUME,
            role.arn,
            role.account,
            trust=(_untold_trust(role.subject, caller.principal),),
            about=role.subject,
        )
        return means_of(resolution)


def _role(subject: Subject, known: dict[str, Identity]) -> Role:
    identity = known.get(subject.identity)
    if identity is None or (not identity.complete and not identity.trust):
        return Role(subject, None)
    trust = (replace(p, label=f"{p.label} of {subject.label}") for p in identity.trust)
    return Role(subject, tuple(trust))


def _actions(principal: Principal) -> tuple[str, ...]:
    if principal.kind is not PrincipalKind.PROVIDER:
        return (ASSUME,)
    if isinstance(principal.arn, str):
        return (_WITH_SAML,) if ":saml-provider/" in principal.arn else (_WITH_TOKEN,)
    return _WITH_SAML, _WITH_TOKEN


def _untold_trust(role: Subject, caller: Principal) -> Policy:
    label = f"trust policy of {role.label}"
    reason = Reason(f"the {label}, which the definitions do not hold", ReasonKind.UNREADABLE, "K83")
    entry = PrincipalEntry(EntryKind.ACCOUNT, caller.account, account=caller.account)
    statement = Statement(
        0,
        "",
        frozenset({Effect.ALLOW}),
        principal=PrincipalElement((entry,)),
        uncertain=reason,
    )
    document = PolicyDocument(TRUST_POLICY, CURRENT_VERSION, (statement,))
    return Policy(label, document, place_of(role))


def _hops(decision: Decision, caller: Principal, trust: tuple[Policy, ...]) -> Iterator[Hop]:
    """The hops in which trust policies say whom they let in."""
    for hit in decision.responsible:
        policy = next((policy for policy in trust if policy is hit.source), None)
        if policy is None or hit.statement is None or hit.effect is Effect.DENY:
            yield from Proof.of(replace(decision, responsible=(hit,))).hops
        else:
            name = statement_name(hit.statement)
            text = f"{policy.label}, {name}, lets {_who(hit, caller)} assume it"
            yield Hop.of_statement(text, policy, hit.statement)


def _who(hit: Hit, caller: Principal) -> str:
    match hit.naming:
        case Naming.ACCOUNT:
            return f"account {caller.account}"
        case Naming.EVERYONE:
            return "everyone"
        case Naming.SERVICE:
            return f"service {caller.arn}"
        case Naming.FEDERATED_PROVIDER:
            return f"federated provider {provider_name(caller.arn)}"
        case Naming.SESSION if caller.session is None:
            return f"a session of {caller.kind.value} {caller.name}"
        case _:
            return f"{caller.kind.value} {caller.name}"
