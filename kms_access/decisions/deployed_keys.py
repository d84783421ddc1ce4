"""Which deployed keys a plan concerns: those to which it changes somebody's access."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from kms_access.decisions.access_map import AccessMap, access_map
from kms_access.decisions.reach import Reach
from kms_access.decisions.resolution import AccessState
from kms_access.decisions.static_facts import Organization
from kms_access.inventory.detour_actions import DETOUR_ACTIONS
from kms_access.inventory.model import Grant, Identity, Inventory, Key
from kms_access.policies.answers import Truth
from kms_access.policies.document import Statement
from kms_access.policies.overlap import same
from kms_access.policies.text import Value

_ATTRIBUTES = ("aws:resourcetag/", "aws:principaltag/", "kms:resourcealiases", "kms:requestalias")


def without_unconcerned_keys(
    after: Inventory, deployed: Inventory, organization: Organization | None = None
) -> Inventory:
    """`after` (a plan joined with `deployed`) without the deployed keys that the plan leaves alone.

    A key stays if the plan defines it or puts a grant on it, or if somebody gains or loses access
    to it, directly or by a detour. What could not be read about a key goes with the key.
    """
    organization = organization or Organization()
    before = {key.origin.identity for key in deployed.keys}
    left = [key for key in after.keys if key.origin.identity in before]
    now, then = _grants(after.grants), _grants(deployed.grants)
    left = [key for key in left if now.on(key) == then.on(key)]
    old = {str(one.principal.arn): one for one in deployed.identities}
    changed = [one for one in after.identities if old.get(str(one.principal.arn)) != one]
    if left and changed:
        concerned = _directly(after, deployed, left, changed, organization)
        left = [key for key in left if key.origin.identity not in concerned]
        if any(_may_change_detours(old.get(str(one.principal.arn)), one) for one in changed):
            concerned = _by_detours(after, deployed, left, organization)
            left = [key for key in left if key.origin.identity not in concerned]
    return _without(after, left)


@dataclass(frozen=True, slots=True)
class _Grants:
    """Grants by the ARN of their key, and those of which the key is not known for sure."""

    by_arn: Mapping[Value, list[Grant]]
    open: list[Grant]

    def on(self, key: Key) -> list[Grant]:
        """The grants that are on the key, or may be."""
        possible = [g for g in self.open if same(g.key_arn, key.arn).truth is not Truth.FALSE]
        return [*self.by_arn.get(key.arn, []), *possible]


def _grants(grants: Iterable[Grant]) -> _Grants:
    by_arn: defaultdict[Value, list[Grant]] = defaultdict(list)
    open_ones = []
    for grant in grants:
        if isinstance(grant.key_arn, str):
            by_arn[grant.key_arn].append(grant)
        else:
            open_ones.append(grant)
    return _Grants(by_arn, open_ones)


def _about(inventory: Inventory, keys: Iterable[Key], like: Inventory) -> Inventory:
    """The inventory with these keys alone, under the organization's policies of `like`."""
    return replace(
        inventory,
        keys=tuple(keys),
        service_control=like.service_control,
        resource_control=like.resource_control,
        with_defaults=None,
    )


def _directly(
    after: Inventory,
    deployed: Inventory,
    keys: list[Key],
    changed: list[Identity],
    organization: Organization,
) -> set[str]:
    """The keys to which one of the changed identities has other access than before."""
    arns = {str(one.principal.arn) for one in changed}
    was = [one for one in deployed.identities if str(one.principal.arn) in arns]
    new = access_map(_about(replace(after, identities=tuple(changed)), keys, after), organization)
    old = access_map(_about(replace(deployed, identities=tuple(was)), keys, after), organization)
    now, before = _states(new, arns), _states(old, arns)
    concerned = set()
    for arn in arns:
        has, had = now.get(arn, {}), before.get(arn, {})
        concerned |= {key for key in has.keys() | had.keys() if has.get(key) != had.get(key)}
    return concerned


def _states(
    facts: AccessMap, arns: set[str]
) -> Mapping[str, Mapping[str, Mapping[str, AccessState]]]:
    """For each ARN and key the actions that are not denied, with their state."""
    result: dict[str, dict[str, dict[str, AccessState]]] = {}
    for subject in facts.subjects:
        if str(subject.arn) in arns and subject.origin is not None:
            keys = result.setdefault(str(subject.arn), {})
            for access in facts.accesses_of(subject):
                keys.setdefault(access.key.origin.identity, {})[access.action] = access.state
    return result


def _may_change_detours(was: Identity | None, now: Identity) -> bool:
    """Whether a changed identity can open or close a detour to a key to which it has the same
    access as before: as who goes it, or as a step on the way of others.

    That takes another trust policy, or other statements about the actions of detours, or under
    conditions on tags or aliases, which somebody may be able to write (K163). A new identity is no
    step on a way unless such a statement leads on from it.
    """
    if was is not None and (was.trust, was.boundary) != (now.trust, now.boundary):
        return True
    before, after = _steps(was), _steps(now)
    return before is None or after is None or before != after


def _steps(identity: Identity | None) -> frozenset[Statement] | None:
    found = set()
    for policy in identity.policies if identity else ():
        if policy.document.unreadable is not None:
            return None
        for statement in policy.document.statements:
            on_attributes = any(
                key.startswith(_ATTRIBUTES)
                for condition in statement.conditions
                for key in condition.keys
            )
            if on_attributes or any(
                statement.reaches(action).truth is not Truth.FALSE for action in DETOUR_ACTIONS
            ):
                found.add(replace(statement, index=0))
    return frozenset(found)


def _by_detours(
    after: Inventory, deployed: Inventory, keys: list[Key], organization: Organization
) -> set[str]:
    if not keys:
        return set()
    new = _detours(_about(after, keys, after), organization)
    old = _detours(_about(deployed, keys, after), organization)
    return {key for (_, key), found in (new ^ old)}


def _detours(
    inventory: Inventory, organization: Organization
) -> set[tuple[tuple[str, str], tuple[object, ...]]]:
    return {
        (
            (str(detour.subject.arn), detour.key.origin.identity),
            (detour.kinds, detour.actions, detour.state),
        )
        for detour in Reach(access_map(inventory, organization), organization)
    }


def _without(inventory: Inventory, left_alone: Iterable[Key]) -> Inventory:
    left_alone = list(left_alone)
    if not left_alone:
        return inventory
    gone = {key.origin.identity for key in left_alone}
    arns = {key.arn for key in left_alone}
    defaults = inventory.with_defaults
    return replace(
        inventory,
        keys=tuple(key for key in inventory.keys if key.origin.identity not in gone),
        grants=tuple(grant for grant in inventory.grants if grant.key_arn not in arns),
        not_covered=tuple(n for n in inventory.not_covered if n.origin.identity not in gone),
        with_defaults=defaults and _without(defaults, left_alone),
    )
