"""Acting as an identity by a credential, an opened trust policy or a passed role (K159, K161)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from kms_access.decisions.detour import (
    SURE,
    DetourKind,
    Link,
    Means,
    means_of,
    place_of,
    surest,
)
from kms_access.decisions.identity_calls import IdentityCalls
from kms_access.decisions.proof import Hop
from kms_access.decisions.resolution import AccessState
from kms_access.decisions.role_assumption import ASSUME, RoleAssumptions
from kms_access.decisions.subjects import Caller, Subject, identity_of
from kms_access.inventory.detour_actions import (
    COMPUTE_STARTS,
    IMPERSONATIONS,
    PASS_ROLE,
    PASSED_TO_SERVICE,
)
from kms_access.inventory.model import Policy
from kms_access.policies.answers import Reason, ReasonKind, Truth
from kms_access.policies.context import KeyState, Present
from kms_access.policies.grammar import TRUST_POLICY
from kms_access.policies.overlap import same
from kms_access.policies.parsing import CURRENT_VERSION, parse_policy
from kms_access.policies.principals import PrincipalKind

_CAN_CALL_IAM = (PrincipalKind.USER, PrincipalKind.ROLE)
_OPENED_TRUST = parse_policy(
    {
        "Version": CURRENT_VERSION,
        "Statement": {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "sts:AssumeRole",
            "Condition": {"StringLike": {"aws:PrincipalArn": "*"}},
        },
    },
    TRUST_POLICY,
)
"""The widest trust policy, as far as its caller is concerned: no boundary limits it (K76)."""


class Impersonations:
    """The identities as which somebody may act beside the roles that it may assume."""

    def __init__(
        self,
        targets: Iterable[Subject],
        assumptions: RoleAssumptions,
        calls: IdentityCalls,
        is_useful: Callable[[Subject], bool],
    ) -> None:
        # Only AWS can change service-linked roles or give them away.
        self._targets = tuple(
            target for target in targets if not target.callers[0].principal.is_service_linked
        )
        self._assumptions = assumptions
        self._calls = calls
        self._is_useful = is_useful
        self._taken_by: dict[str, Mapping[str, Means]] = {}
        self._for_all: dict[tuple[int, str, str], tuple[Caller, Means | None]] = {}

    def links(self, subject: Subject) -> Iterator[Link]:
        """Each identity of use as which the subject can act by a credential or a passed role."""
        if len(subject.callers) != 1:
            return
        (caller,) = subject.callers
        if caller.principal.kind not in _CAN_CALL_IAM:
            return
        ways = [action for action in IMPERSONATIONS if self._calls.may(caller, action)]
        starts = self._starts(caller) if self._calls.may(caller, PASS_ROLE) else {}
        if not ways and not starts:
            return
        for target in self._targets:
            account = target.callers[0].principal.account
            is_near = same(account, caller.principal.account).truth is not Truth.FALSE
            if not is_near or identity_of(target) == identity_of(subject):
                continue
            if ways and self._is_useful(target):
                found = surest(self._by_credential(caller, target, action) for action in ways)
                if found is not None:
                    yield Link(DetourKind.IMPERSONATION, target, found)
            passed = surest(
                self._by_passing(caller, target, service, start)
                for service, start in starts.items()
            )
            if passed is not None:
                yield Link(DetourKind.PASSED_ROLE, target, passed)

    def _by_credential(self, caller: Caller, target: Subject, action: str) -> Means | None:
        if IMPERSONATIONS[action] != target.callers[0].principal.kind.value:
            return None
        means = self._ask(caller, action, target)
        if means is None:
            return None
        hop = Hop(f"{action} lets it act as {target.label}", place_of(target))
        if action == "iam:UpdateAssumeRolePolicy":
            taken = self._with_opened_trust(caller, target)
            return taken and means.then(Means(AccessState.ALLOWED, (), (hop,)), taken)
        return means.then(Means(AccessState.ALLOWED, (), (hop,)))

    def _with_opened_trust(self, caller: Caller, role: Subject) -> Means | None:
        """Taking the role, once its trust policy says so: a Deny may still forbid it."""
        if not self._calls.is_hindered(caller, ASSUME):
            return SURE
        principal = role.callers[0].principal
        trust = Policy("trust policy of its own", _OPENED_TRUST, place_of(role))
        means = means_of(
            self._calls.ask(
                caller, ASSUME, principal.arn, principal.account, trust=(trust,), about=role
            )
        )
        return means and Means(means.state, means.reasons, (), means.formulas)

    def _starts(self, caller: Caller) -> dict[str, Means]:
        """The services on which the caller may start compute with a role."""
        found = {}
        for service, ways in COMPUTE_STARTS.items():
            best = surest(self._all_of(caller, way) for way in ways)
            if best is not None:
                found[service] = best
        return found

    def _all_of(self, caller: Caller, actions: Iterable[str]) -> Means | None:
        """All actions, each on whatever it may be called on."""
        means = SURE
        for action in sorted(actions):
            if not self._calls.may(caller, action):
                return None
            account = caller.principal.account
            found = surest(
                means_of(self._calls.ask(caller, action, resource, account))
                for resource in self._calls.resources(caller, action)
            )
            if found is None:
                return None
            means = means.then(found)
        return means

    def _by_passing(
        self, caller: Caller, role: Subject, service: str, start: Means
    ) -> Means | None:
        taken = self._taken(service).get(role.identity)
        if taken is None or not self._is_useful(role):
            return None
        to_service = PASSED_TO_SERVICE.get(service, service)
        means = self._ask(caller, PASS_ROLE, role, to_service)
        if means is None:
            return None
        reason = Reason(f"runs code in {service}", ReasonKind.REQUEST, "K161")
        return means.then(taken, start).at_best(AccessState.CONDITIONAL, reason)

    def _taken(self, service: str) -> Mapping[str, Means]:
        if service not in self._taken_by:
            self._taken_by[service] = self._assumptions.taken_by(service)
        return self._taken_by[service]

    def _ask(
        self, caller: Caller, action: str, target: Subject, to_service: str = ""
    ) -> Means | None:
        """One decision for all targets where no statement tells them apart."""
        principal = target.callers[0].principal
        is_own = same(caller.principal.account, principal.account).truth is Truth.TRUE
        key = (id(caller), action, to_service)
        if is_own and key in self._for_all:
            return self._for_all[key][1]
        if not self._calls.may_cover(caller, action, principal.arn):
            return None
        facts: dict[str, KeyState] = {}
        if to_service:
            facts["iam:passedtoservice"] = Present((to_service,))
        resolution = self._calls.ask(
            caller, action, principal.arn, principal.account, facts=facts, about=target
        )
        means = means_of(resolution)
        if is_own and self._calls.is_same_for_all(caller, action):
            # The caller is kept beside the result, so that its id is never reused.
            self._for_all[key] = (caller, means)
        return means
