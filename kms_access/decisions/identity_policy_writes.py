"""Writing identity policies, one's own or another's, or lifting a boundary (K158)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
from kms_access.decisions.subjects import Caller, Subject, identity_of
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
_CHANGES = tuple(sorted(IDENTITY_POLICY_WRITES | BOUNDARY_WRITES))


@dataclass(frozen=True, slots=True)
class _Power:
    """What somebody can change about the permissions of an identity."""

    writes: Means | None
    """Giving it identity policies."""
    lifts: Means | None
    """Taking away its boundary."""
    lifts_and_writes: Means | None


@dataclass(frozen=True, slots=True)
class _Pair:
    """Somebody who may change permissions, and the identity whose permissions they are."""

    writer: Subject
    target: Subject

    @property
    def by(self) -> Caller:
        """Who calls IAM."""
        return self.writer.callers[0]

    @property
    def of(self) -> Caller:
        """Whose policies change."""
        return self.target.callers[0]

    @property
    def is_own(self) -> bool:
        """Whether they are the same."""
        return identity_of(self.writer) == identity_of(self.target)


class IdentityPolicyWrites:
    """What the writers of identity policies can obtain, for themselves or as another."""

    def __init__(
        self, own: OwnAccess, keys: KeyCalls, calls: IdentityCalls, subjects: Iterable[Subject]
    ) -> None:
        """`subjects` are all who may write."""
        self._own = own
        self._keys = keys
        self._calls = calls
        self._writers = tuple(subject for subject in subjects if self.is_writer(subject))
        self._powers: dict[tuple[str, str], _Power | None] = {}
        self._for_all: dict[tuple[object, ...], tuple[Caller, Means | None]] = {}

    def is_writer(self, subject: Subject) -> bool:
        """Whether the subject may change the permissions of any identity."""
        return _is_single(subject) and self._calls.may_any(subject.callers[0], _CHANGES)

    def is_written_by_another(self, target: Subject) -> bool:
        """Whether anybody else may change the permissions of the identity."""
        return any(
            self.changes(writer, target)
            for writer in self._writers
            if identity_of(writer) != identity_of(target)
        )

    def changes(self, writer: Subject, target: Subject) -> bool:
        """Whether `writer` may change the permissions of `target`."""
        return self._power(writer, target) is not None

    def keys(self, subject: Subject) -> int:
        """The keys on which its own permissions may matter, as a mask: all or none."""
        return self._own.every_key if self.changes(subject, subject) else 0

    def gains(self, writer: Subject, subject: Subject, key: Key) -> Iterator[Gain]:
        """What the key policy would give the subject, if the writer wrote its permissions."""
        power = self._power(writer, subject)
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

    def _power(self, writer: Subject, target: Subject) -> _Power | None:
        place = (writer.identity, target.identity)
        if place not in self._powers:
            self._powers[place] = self._found_power(_Pair(writer, target))
        return self._powers[place]

    def _found_power(self, pair: _Pair) -> _Power | None:
        if not _is_single(pair.target) or not self.is_writer(pair.writer):
            return None
        if not pair.is_own and not _can_change_another(pair.by.principal, pair.of.principal):
            return None
        writes = surest(self._writes(pair, boundary=True))
        lifts = surest(self._lifts(pair)) if pair.of.boundary else None
        both = None
        if lifts is not None:
            # Only who lifts its own boundary is freed of it before it writes.
            freed = surest(self._writes(pair, boundary=not pair.is_own))
            both = freed and lifts.then(freed)
        return _Power(writes, lifts, both) if writes or lifts else None

    def _writes(self, pair: _Pair, *, boundary: bool) -> Iterator[Means | None]:
        principal = pair.of.principal
        kind = _OF_IDENTITY[principal.kind]
        for action in sorted(IDENTITY_POLICY_WRITES):
            if not self._calls.may(pair.by, action):
                continue
            if action in _VERSION_WRITES:
                for policy in pair.of.identity:
                    arn = _managed_arn(policy, principal)
                    if arn is not None:
                        yield self._version(pair, action, arn, boundary=boundary)
            elif action == _JOIN:
                yield self._joined(pair, boundary=boundary)
            elif f"{kind}Policy" in action:
                means = self._ask(pair, action, principal.arn, about=True, boundary=boundary)
                yield means and _step(means, action, pair)
            elif "GroupPolicy" in action and principal.kind is PrincipalKind.USER:
                yield from self._group_writes(pair, action, boundary=boundary)

    def _group_writes(self, pair: _Pair, action: str, *, boundary: bool) -> Iterator[Means | None]:
        groups = _groups_of(pair.of)
        for group in groups or (_some_group(pair.of),):
            means = self._ask(pair, action, group, boundary=boundary)
            if means is not None and not groups:
                text = f"whether {pair.target.label} is in a group"
                reason = Reason(text, ReasonKind.UNKNOWN_VALUE, "K158")
                means = means.at_best(AccessState.UNDECIDED, reason)
            yield means and _step(means, action, pair)

    def _version(self, pair: _Pair, action: str, arn: Value, *, boundary: bool) -> Means | None:
        means = self._ask(pair, action, arn, boundary=boundary)
        if means is not None and action == "iam:SetDefaultPolicyVersion":
            text = f"what another version of a policy of {pair.target.label} gives"
            reason = Reason(text, ReasonKind.UNKNOWN_VALUE, "K158")
            means = means.at_best(AccessState.UNDECIDED, reason)
        return means and _step(means, action, pair)

    def _joined(self, pair: _Pair, *, boundary: bool) -> Means | None:
        """Joining a group gives what the group has, which the definitions need not say."""
        if pair.of.principal.kind is not PrincipalKind.USER:
            return None
        means = surest(
            self._ask(pair, _JOIN, resource, boundary=boundary)
            for resource in self._calls.resources(pair.by, _JOIN)
        )
        text = f"what the groups give that {pair.target.label} can join"
        reason = Reason(text, ReasonKind.UNKNOWN_VALUE, "K158")
        return means and _step(means.at_best(AccessState.UNDECIDED, reason), _JOIN, pair)

    def _lifts(self, pair: _Pair) -> Iterator[Means | None]:
        principal = pair.of.principal
        for action in sorted(BOUNDARY_WRITES):
            if f"{_OF_IDENTITY[principal.kind]}Permissions" not in action:
                continue
            facts: dict[str, KeyState] = {}
            if ":Put" in action:
                facts["iam:permissionsboundary"] = open_otherwise("iam:PermissionsBoundary")
            if self._calls.may(pair.by, action):
                means = self._ask(pair, action, principal.arn, about=True, facts=facts)
                yield means and _step(means, action, pair)
        for policy in pair.of.boundary:
            arn = _managed_arn(policy, principal)
            action = _VERSION_WRITES[0]
            if arn is not None and self._calls.may(pair.by, action):
                yield self._version(pair, action, arn, boundary=True)

    def _ask(
        self,
        pair: _Pair,
        action: str,
        resource: Value,
        *,
        about: bool = False,
        boundary: bool = True,
        facts: dict[str, KeyState] | None = None,
    ) -> Means | None:
        account = pair.of.principal.account
        question = (id(pair.by), action, account, about, boundary, facts is None)
        if question in self._for_all:
            return self._for_all[question][1]
        if not pair.is_own and not self._calls.may_cover(pair.by, action, resource):
            return None
        means = means_of(
            self._calls.ask(
                pair.by,
                action,
                resource,
                account,
                about=pair.target if about else None,
                boundary=boundary,
                facts=facts,
            )
        )
        if self._calls.is_same_for_all(pair.by, action):
            # The caller is kept beside the result, so that its id is never reused.
            self._for_all[question] = (pair.by, means)
        return means


def _step(means: Means, action: str, pair: _Pair) -> Means:
    text = f"{action} lets it change its own permissions"
    if not pair.is_own:
        text = f"{action} lets {pair.writer.label} change the permissions of {pair.target.label}"
    return means.then(Means(AccessState.ALLOWED, (), (Hop(text, place_of(pair.target)),)))


def _is_single(subject: Subject) -> bool:
    return len(subject.callers) == 1 and subject.callers[0].principal.kind in _OF_IDENTITY


def _can_change_another(writer: Principal, target: Principal) -> bool:
    """IAM knows the identities of one account; only AWS changes service-linked roles."""
    is_near = same(target.account, writer.account).truth is not Truth.FALSE
    return is_near and not target.is_service_linked


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
    """The groups from which the caller has policies."""
    names = [p.label.partition(_OF_GROUP)[2] for p in caller.identity if _OF_GROUP in p.label]
    path = Unknown("the path of a group", PATH_CHARACTER)
    return [_group(caller.principal, path, name) for name in dict.fromkeys(names)]


def _some_group(caller: Caller) -> Value:
    """A group of which nothing is known."""
    principal = caller.principal
    unknown = unknown_text(f"the groups of {principal.kind.value} {principal.name}")
    return _group(principal, unknown)


def _group(principal: Principal, *name: Unknown | Value) -> Value:
    return concat(("arn:", principal.partition, ":iam::", principal.account, ":group/", *name))


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
