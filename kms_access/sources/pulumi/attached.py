"""What is attached to which user, role or group, and what an exclusive resource may detach."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from kms_access.inventory.model import Policy
from kms_access.inventory.origin import Origin
from kms_access.policies.answers import Reason, ReasonKind
from kms_access.policies.text import Value
from kms_access.sources.pulumi.definition import Definition

Owner: TypeAlias = tuple[str, Value, Value]
"""Kind, name and account: one user, role or group, defined in the stack or elsewhere."""


@dataclass(frozen=True, slots=True)
class InlineName:
    """The name of an inline policy, None where it is not known."""

    name: Value | None


@dataclass(frozen=True, slots=True)
class _Attachment:
    policy: Policy
    inline: InlineName | None


@dataclass(frozen=True, slots=True)
class _Exclusive:
    """A resource that removes what it does not list: names, identities of policies, or owners."""

    source: Definition
    listed: frozenset[object]
    action: str


@dataclass(slots=True)
class _Draft:
    origin: Origin
    definition: Definition | None
    source: Definition
    attachments: list[_Attachment] = field(default_factory=list)
    groups: list[Owner] = field(default_factory=list)


class Attached:
    """Collects attachments in any order.

    An exclusive resource and another one that attaches what the first does not list undo each
    other, in an order that Pulumi does not fix: such a policy may be attached or not. With
    `partial` it counts as attached, because it is until the other resource follows.
    """

    def __init__(self, *, partial: bool) -> None:
        self._partial = partial
        self._drafts: dict[Owner, _Draft] = {}
        self._managed: dict[Owner, list[_Exclusive]] = defaultdict(list)
        self._inline: dict[Owner, list[_Exclusive]] = defaultdict(list)
        self._members: dict[Owner, list[_Exclusive]] = defaultdict(list)
        self._holders: dict[str, list[_Exclusive]] = defaultdict(list)

    def know(
        self, owner: Owner, origin: Origin, defined: Definition | None, by: Definition
    ) -> Definition | None:
        """An owner exists: `defined` in the stack, or elsewhere and mentioned `by` a resource.

        What comes out is the definition that stands for it, None if there is none.
        """
        draft = self._drafts.setdefault(owner, _Draft(origin, defined, by))
        if draft.definition is None and defined is not None:
            draft.origin, draft.definition, draft.source = origin, defined, by
        return draft.definition

    def attach(
        self, owner: Owner, policies: Iterable[Policy], inline: InlineName | None = None
    ) -> None:
        """Attach policies; those with a name are `inline`."""
        for policy in policies:
            self._drafts[owner].attachments.append(_Attachment(policy, inline))

    def join(self, user: Owner, group: Owner) -> None:
        """Make the user a member of the group."""
        self._drafts[user].groups.append(group)

    def only_policies(self, owner: Owner, policies: Sequence[Policy], source: Definition) -> None:
        """Every managed policy but these is detached."""
        listed = frozenset(policy.origin.identity for policy in policies)
        self._managed[owner].append(_Exclusive(source, listed, "detaches what it does not list"))

    def only_inline(self, owner: Owner, names: Iterable[Value], source: Definition) -> None:
        """Every inline policy but those of these names is deleted."""
        listed = frozenset(names)
        self._inline[owner].append(_Exclusive(source, listed, "deletes what it does not list"))

    def only_holders(self, policy: Policy, owners: Iterable[Owner], source: Definition) -> None:
        """The managed policy is detached from everybody else."""
        exclusive = _Exclusive(
            source, frozenset(owners), "detaches it from all whom it does not list"
        )
        self._holders[policy.origin.identity].append(exclusive)

    def only_members(self, group: Owner, users: Iterable[Owner], source: Definition) -> None:
        """Every user but these leaves the group."""
        exclusive = _Exclusive(source, frozenset(users), "removes members whom it does not list")
        self._members[group].append(exclusive)

    def owners(self) -> Iterator[tuple[Owner, Origin, Definition | None, Definition]]:
        """Every owner with its place, its definition, and who mentions it."""
        for owner, draft in self._drafts.items():
            yield owner, draft.origin, draft.definition, draft.source

    def policies_of(self, owner: Owner) -> tuple[Policy, ...]:
        """Everything that is or may be attached; a user has what its groups have (K63)."""
        draft = self._drafts[owner]
        found = self._own(owner)
        for group in draft.groups:
            undone = self._undone_by(self._members[group], owner)
            what = f"whether {owner[0]} {owner[1]} stays in group {group[1]}"
            inherited = [_doubted(policy, what, undone) for policy in self._own(group)]
            found += [policy for policy in inherited if policy not in found]
        return tuple(found)

    def _own(self, owner: Owner) -> list[Policy]:
        found: list[Policy] = []
        for one in self._drafts[owner].attachments:
            what = f"whether {one.policy.label} stays attached to {owner[0]} {owner[1]}"
            policy = _doubted(one.policy, what, self._who_undoes(owner, one))
            if policy not in found:
                found.append(policy)
        return found

    def _who_undoes(self, owner: Owner, one: _Attachment) -> _Exclusive | None:
        if one.inline is not None:
            return self._undone_by(self._inline[owner], one.inline.name)
        identity = one.policy.origin.identity
        by_list_of_owner = self._undone_by(self._managed[owner], identity)
        return by_list_of_owner or self._undone_by(self._holders[identity], owner)

    def _undone_by(self, exclusives: Sequence[_Exclusive], item: object) -> _Exclusive | None:
        if self._partial:
            return None
        return next((e for e in exclusives if item not in e.listed), None)


def _doubted(policy: Policy, what: str, undone: _Exclusive | None) -> Policy:
    """The same policy, in which nothing is certain because a resource may take it away."""
    if undone is None:
        return policy
    text = f"{what}, because {undone.source.call} {undone.action}"
    reason = Reason(text, ReasonKind.UNKNOWN_VALUE, "K83")
    statements = tuple(
        replace(s, uncertain=s.uncertain or reason) for s in policy.document.statements
    )
    return replace(policy, document=replace(policy.document, statements=statements))
