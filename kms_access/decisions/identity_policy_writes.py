"""Writing one's own identity policies or lifting one's own boundary (K158)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kms_access.decisions.action_masks import actions_of
from kms_access.decisions.detour import (
    DetourKind,
    Gain,
    Means,
    gains_of,
    means_of,
    place_of,
    surest,
    weakness,
)
from kms_access.decisions.identity_calls import IdentityCalls
from kms_access.decisions.key_calls import KeyCalls
from kms_access.decisions.own_access import OwnAccess
from kms_access.decisions.proof import Hop
from kms_access.decisions.resolution import AccessState
from kms_access.decisions.subjects import Caller, Subject
from kms_access.inventory.detour_actions import BOUNDARY_WRITES, IDENTITY_POLICY_WRITES
from kms_access.inventory.model import Key, Policy
from kms_access.policies.answers import Reason, ReasonKind, Truth
from kms_access.policies.context import KeyState, open_otherwise
from kms_access.policies.document import Effect
from kms_access.policies.overlap import same
from kms_access.policies.principals import EntryKind, Principal, PrincipalKind
from kms_access.policies.text import PATH_CHARACTER, Unknown, Value, concat, unknown_text

_OF_IDENTITY = {PrincipalKind.USER: "User", PrincipalKind.ROLE: "Role"}
_VERSION_WRITES = ("iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion")
_JOIN = "iam:AddUserToGroup"
_MANAGED = ("managed policy ", "permissions boundary ")
_OPEN_TO_IAM = (EntryKind.ACCOUNT, EntryKind.UNREADABLE)
_OF_GROUP = " of group "


@dataclass(frozen=True, slots=True)
class _Power:
    """What somebody can change about its own permissions."""

    writes: Means | None
    """Giving itself identity policies."""
    lifts: Means | None
    """Taking away its own boundary."""
    lifts_and_writes: Means | None


class IdentityPolicyWrites:
    """What the writers of identity policies can obtain for themselves."""

    def __init__(self, own: OwnAccess, keys: KeyCalls, calls: IdentityCalls) -> None:
        self._own = own
        self._keys = keys
        self._calls = calls
        self._powers: dict[str, _Power | None] = {}

    def keys(self, subject: Subject) -> int:
        """The keys on which that may matter, as a mask: all or none."""
        return 0 if self._power(subject) is None else self._own.every_key

    def gains(self, subject: Subject, key: Key) -> Iterator[Gain]:
        """What the key policy would give the subject, if it wrote its own permissions."""
        power = self._power(subject)
        if power is None:
            return
        (caller,) = subject.callers
        states = self._own.states(subject, key)
        missing = [a for a in actions_of(key) if states.get(a) is not AccessState.ALLOWED]
        ways = []
        # A grant to a whole account may need an identity policy as well (K90).
        if self._keys.has_grants(key) or _may_delegate(key, caller.principal):
            ways.append((power.writes, self._keys_if(power.writes, caller, key, missing)))
            after = self._keys_if(power.lifts_and_writes, caller, key, missing, boundary=False)
            ways.append((power.lifts_and_writes, after))
        if power.lifts is not None:
            after = self._keys.ask(caller, key, missing, boundary=False)
            ways.append((power.lifts, after))
        found: dict[str, Means] = {}
        for action in missing:
            best = surest(
                step.then(after[action]) for step, after in ways if step and action in after
            )
            state = states.get(action)
            if best is not None and (state is None or best.weakness < weakness(state)):
                found[action] = best
        yield from gains_of(DetourKind.IDENTITY_POLICY, found)

    def _keys_if(
        self,
        step: Means | None,
        caller: Caller,
        key: Key,
        actions: list[str],
        *,
        boundary: bool = True,
    ) -> dict[str, Means]:
        if step is None:
            return {}
        return self._keys.ask(caller, key, actions, identity_assumed=True, boundary=boundary)

    def _power(self, subject: Subject) -> _Power | None:
        if subject.identity not in self._powers:
            self._powers[subject.identity] = self._found_power(subject)
        return self._powers[subject.identity]

    def _found_power(self, subject: Subject) -> _Power | None:
        if len(subject.callers) != 1 or subject.callers[0].principal.kind not in _OF_IDENTITY:
            return None
        (caller,) = subject.callers
        writes = surest(self._writes(subject, caller, boundary=True))
        lifts = surest(self._lifts(subject, caller)) if caller.boundary else None
        both = None
        if lifts is not None:
            freed = surest(self._writes(subject, caller, boundary=False))
            both = freed and lifts.then(freed)
        return _Power(writes, lifts, both) if writes or lifts else None

    def _writes(
        self, subject: Subject, caller: Caller, *, boundary: bool
    ) -> Iterator[Means | None]:
        principal = caller.principal
        kind = _OF_IDENTITY[principal.kind]
        for action in sorted(IDENTITY_POLICY_WRITES):
            if not self._calls.may(caller, action):
                continue
            if action in _VERSION_WRITES:
                for policy in caller.identity:
                    arn = _managed_arn(policy, principal)
                    if arn is not None:
                        yield self._version(subject, caller, action, arn, boundary=boundary)
            elif action == _JOIN:
                yield self._joined(subject, caller, boundary=boundary)
            elif f"{kind}Policy" in action:
                means = self._ask(caller, action, principal.arn, about=subject, boundary=boundary)
                yield means and _step(means, action, subject)
            elif "GroupPolicy" in action and principal.kind is PrincipalKind.USER:
                for group in _groups_of(caller):
                    means = self._ask(caller, action, group, boundary=boundary)
                    yield means and _step(means, action, subject)

    def _version(
        self, subject: Subject, caller: Caller, action: str, arn: Value, *, boundary: bool
    ) -> Means | None:
        means = self._ask(caller, action, arn, boundary=boundary)
        if means is not None and action == "iam:SetDefaultPolicyVersion":
            text = f"what another version of a policy of {subject.label} gives"
            reason = Reason(text, ReasonKind.UNKNOWN_VALUE, "K158")
            means = means.at_best(AccessState.UNDECIDED, reason)
        return means and _step(means, action, subject)

    def _joined(self, subject: Subject, caller: Caller, *, boundary: bool) -> Means | None:
        """Joining a group gives what the group has, which the definitions need not say."""
        if caller.principal.kind is not PrincipalKind.USER:
            return None
        means = surest(
            self._ask(caller, _JOIN, resource, boundary=boundary)
            for resource in self._calls.resources(caller, _JOIN)
        )
        text = f"what the groups give that {subject.label} can join"
        reason = Reason(text, ReasonKind.UNKNOWN_VALUE, "K158")
        return means and _step(means.at_best(AccessState.UNDECIDED, reason), _JOIN, subject)

    def _lifts(self, subject: Subject, caller: Caller) -> Iterator[Means | None]:
        principal = caller.principal
        for action in sorted(BOUNDARY_WRITES):
            if f"{_OF_IDENTITY[principal.kind]}Permissions" not in action:
                continue
            facts: dict[str, KeyState] = {}
            if ":Put" in action:
                facts["iam:permissionsboundary"] = open_otherwise("iam:PermissionsBoundary")
            if self._calls.may(caller, action):
                means = self._ask(caller, action, principal.arn, about=subject, facts=facts)
                yield means and _step(means, action, subject)
        for policy in caller.boundary:
            arn = _managed_arn(policy, principal)
            action = _VERSION_WRITES[0]
            if arn is not None and self._calls.may(caller, action):
                yield self._version(subject, caller, action, arn, boundary=True)

    def _ask(
        self,
        caller: Caller,
        action: str,
        resource: Value,
        *,
        about: Subject | None = None,
        boundary: bool = True,
        facts: dict[str, KeyState] | None = None,
    ) -> Means | None:
        account = caller.principal.account
        return means_of(
            self._calls.ask(
                caller, action, resource, account, about=about, boundary=boundary, facts=facts
            )
        )


def _step(means: Means, action: str, subject: Subject) -> Means:
    hop = Hop(f"{action} lets it change its own permissions", place_of(subject))
    return means.then(Means(AccessState.ALLOWED, (), (hop,)))


def _managed_arn(policy: Policy, principal: Principal) -> Value | None:
    """The ARN of a customer managed policy; None for inline policies and those of AWS.

    The inventory knows the ARN only where the label is made of it.
    """
    start = next((start for start in _MANAGED if policy.label.startswith(start)), None)
    if start is None:
        return None
    name = policy.label.removeprefix(start).partition(_OF_GROUP)[0]
    if name.startswith("arn:"):
        return None if ":iam::aws:policy/" in name else name
    unknown = unknown_text(f"the path and name of {policy.label}")
    arn = ("arn:", principal.partition, ":iam::", principal.account, ":policy/", unknown)
    return concat(arn)


def _groups_of(caller: Caller) -> list[Value]:
    """The groups from which the caller has policies, else one of which nothing is known."""
    names = [p.label.partition(_OF_GROUP)[2] for p in caller.identity if _OF_GROUP in p.label]
    principal = caller.principal
    start = ("arn:", principal.partition, ":iam::", principal.account, ":group/")
    if not names:
        unknown = unknown_text(f"the groups of {principal.kind.value} {principal.name}")
        return [concat((*start, unknown))]
    path = Unknown("the path of a group", PATH_CHARACTER)
    return [concat((*start, path, name)) for name in dict.fromkeys(names)]


def _may_delegate(key: Key, principal: Principal) -> bool:
    """Whether some statement may need, and so may take, an identity policy of the caller."""
    if same(key.account, principal.account).truth is not Truth.TRUE:
        return True
    for policy in key.policies:
        if policy.document.unreadable is not None:
            return True
        for statement in policy.document.statements:
            if Effect.ALLOW in statement.effects and not statement.inert:
                element = statement.principal
                if element is None or element.negated:
                    return True
                if any(entry.kind in _OPEN_TO_IAM for entry in element.entries):
                    return True
    return False
