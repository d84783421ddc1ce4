"""What the accounts will have after a deployment: the plan, and what is deployed already."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from kms_access.inventory.arns import KEY_ID_SHAPE
from kms_access.inventory.model import Grant, Identity, Inventory, Key, ManagedPolicy
from kms_access.inventory.policies_in_force import PoliciesInForce
from kms_access.inventory.same_resources import could_be_same_key, same_identities, same_keys
from kms_access.inventory.substitution import Found, solved, substituted
from kms_access.policies.arns import arn_segments
from kms_access.policies.text import Text, Value

_OF_AWS = "aws:"


def joined(planned: Inventory, deployed: Inventory) -> Inventory:
    """The inventory after `planned` is deployed into accounts that have `deployed`.

    What the plan defines wins over what is deployed under the same identity
    (`same_resources`), and ids and names that are only known of the deployed one stand everywhere
    in the plan. What the plan only mentions is what is deployed, with what the plan attaches to
    it. Everything else stays as it is deployed: nothing says that the plan removes it.

    | planned | deployed | joined |
    | --- | --- | --- |
    | key with its policy | the same key | policy, tags of the plan; ARN, further aliases deployed |
    | key defined elsewhere, with a policy | the same key | policy of the plan, the rest deployed |
    | key | none | planned; its id is none of the deployed keys that it cannot be |
    | – | key | deployed |
    | user or role | the same | planned, under its real name |
    | policies for a user or role defined elsewhere | the same | both; one name is one policy |
    | – | user or role | deployed |
    | account in a partition that is open | the same account | the partition of the account |
    | managed policy defined elsewhere | managed policy | what is deployed |
    | managed policy | managed policy | planned, for everybody who has it |
    | grant | grant that says the same | planned |
    | grant | another | both |
    """
    keys = same_keys(planned.keys, deployed.keys)
    identities = same_identities(planned.identities, deployed.identities)
    found = _found(planned, deployed, keys, identities)
    plan = substituted(planned, found)
    policies = PoliciesInForce(plan.managed_policies, deployed.managed_policies)
    grants = [*plan.grants]
    known = {_meaning(grant) for grant in grants}
    grants += [grant for grant in deployed.grants if _meaning(grant) not in known]
    return replace(
        plan,
        keys=_joined_keys(plan.keys, deployed.keys, keys),
        identities=_joined_identities(plan.identities, deployed.identities, identities, policies),
        grants=tuple(sorted(grants, key=lambda grant: grant.origin.identity)),
        not_covered=tuple(sorted(dict.fromkeys((*plan.not_covered, *deployed.not_covered)))),
        with_defaults=planned.with_defaults and joined(planned.with_defaults, deployed),
        managed_policies=policies.all(),
    )


def _found(
    planned: Inventory,
    deployed: Inventory,
    keys: Mapping[str, Key],
    identities: Mapping[str, Identity],
) -> dict[str, Found]:
    """What the deployed resources tell about unknown parts of the plan."""
    found: dict[str, Found] = {**_partitions(planned, deployed)}
    for identity in planned.identities:
        other = identities.get(identity.origin.identity)
        if other is not None:
            found |= solved(identity.principal.arn, str(other.principal.arn)) or {}
    taken = {key.origin.identity for key in keys.values()}
    free = [key for key in deployed.keys if key.origin.identity not in taken]
    for key in planned.keys:
        same_key = keys.get(key.origin.identity)
        if same_key is not None:
            found |= solved(key.arn, str(same_key.arn)) or {}
        else:
            found |= _none_of(key, deployed.keys, free)
    return found


def _partitions(planned: Inventory, deployed: Inventory) -> dict[str, str]:
    """The partitions that the plan leaves open: an account lies in one."""
    accounts: dict[Value, Value] = {
        **{key.account: key.partition for key in deployed.keys},
        **{one.principal.account: one.principal.partition for one in deployed.identities},
    }
    found: dict[str, set[Value]] = {}
    places = [
        *((key.account, key.partition) for key in planned.keys),
        *((one.principal.account, one.principal.partition) for one in planned.identities),
        *_places_of_policies(planned.managed_policies),
    ]
    for account, partition in places:
        if isinstance(partition, Text) and len(partition.parts) == 1 and account in accounts:
            words = partition.unknowns[0].stands_for
            found.setdefault(words, set()).add(accounts[account])
    return {
        words: value
        for words, values in found.items()
        if len(values) == 1
        for value in values
        if isinstance(value, str)
    }


def _places_of_policies(policies: Iterable[ManagedPolicy]) -> Iterator[tuple[Value, Value]]:
    """The account and the partition of each managed policy."""
    for managed in policies:
        segments = arn_segments(managed.arn)
        if segments is not None:
            yield segments[4], segments[1]


def _none_of(key: Key, deployed: Iterable[Key], free: Iterable[Key]) -> dict[str, Found]:
    """The unknown id of a key is not that of a deployed key which it cannot be."""
    if not isinstance(key.arn, Text) or len(key.arn.unknowns) != 1:
        return {}
    unknown = key.arn.unknowns[0]
    may_be = {_id_of(other) for other in free if could_be_same_key(key, other)}
    others = {_id_of(other) for other in deployed if other.account == key.account} - may_be
    if unknown.shape != KEY_ID_SHAPE or not others:
        return {}
    excluded = "|".join(map(re.escape, sorted(others)))
    return {unknown.stands_for: replace(unknown, shape=f"(?!(?:{excluded})$)(?:{KEY_ID_SHAPE})")}


def _id_of(key: Key) -> str:
    return str(key.arn).rpartition("/")[2]


def _joined_keys(
    planned: Iterable[Key], deployed: Iterable[Key], same: Mapping[str, Key]
) -> tuple[Key, ...]:
    planned = list(planned)
    claimed = {(key.account, key.region, alias) for key in planned for alias in key.aliases}
    keys = []
    for key in planned:
        other = same.get(key.origin.identity)
        keys.append(key if other is None else _joined_key(key, other, claimed))
    taken = {key.origin.identity for key in same.values()}
    for key in deployed:
        if key.origin.identity not in taken:
            keys.append(replace(key, aliases=_unclaimed(key, claimed)))
    return tuple(sorted(keys, key=lambda key: key.origin.identity))


def _joined_key(key: Key, other: Key, claimed: set[tuple[Value, Value, Value]]) -> Key:
    is_defined_here = key.spec is not None or key.usage is not None
    kept = {
        name: value
        for name, value in other.tags.items()
        if not is_defined_here or name.startswith(_OF_AWS)
    }
    return replace(
        key,
        arn=other.arn,
        account=other.account,
        region=other.region,
        partition=other.partition,
        policies=key.policies or other.policies,
        aliases=tuple(dict.fromkeys((*key.aliases, *_unclaimed(other, claimed)))),
        tags=MappingProxyType({**kept, **key.tags}),
        description=key.description or other.description,
        spec=key.spec or other.spec,
        usage=key.usage or other.usage,
        origin_of_material=key.origin_of_material or other.origin_of_material,
        multi_region=other.multi_region,
        further_aliases=other.further_aliases or any(isinstance(a, Text) for a in key.aliases),
        manager=other.manager,
        state=other.state,
    )


def _unclaimed(key: Key, claimed: set[tuple[Value, Value, Value]]) -> tuple[Value, ...]:
    """Its aliases without those that the plan gives to a key: an alias stands for one key."""
    place = (key.account, key.region)
    return tuple(alias for alias in key.aliases if (*place, alias) not in claimed)


def _joined_identities(
    planned: Iterable[Identity],
    deployed: Iterable[Identity],
    same: Mapping[str, Identity],
    policies: PoliciesInForce,
) -> tuple[Identity, ...]:
    # A plan may define one identity and mention it elsewhere; all of it is about one deployed one.
    mentions: defaultdict[str, list[Identity]] = defaultdict(list)
    defined: dict[str, Identity] = {}
    joined_ones = []
    for identity in planned:
        other = same.get(identity.origin.identity)
        if other is not None and not identity.complete:
            mentions[other.origin.identity].append(identity)
        else:
            joined_ones.append(policies.applied_to(identity))
            if other is not None:
                defined[other.origin.identity] = identity
    for other in deployed:
        if other.origin.identity in defined:
            continue
        for mention in mentions[other.origin.identity]:
            other = _with_attached(other, mention)
        joined_ones.append(policies.applied_to(other))
    return tuple(sorted(joined_ones, key=lambda one: one.origin.identity))


def _with_attached(deployed: Identity, mention: Identity) -> Identity:
    """A deployed identity with the policies that the plan attaches to it."""
    labels = {policy.label for policy in mention.policies}
    kept = [policy for policy in deployed.policies if policy.label not in labels]
    return replace(
        deployed,
        policies=(*kept, *mention.policies),
        boundary=mention.boundary or deployed.boundary,
    )


def _meaning(grant: Grant) -> tuple[object, ...]:
    """What a grant says, without its name."""
    limits = grant.constraints
    return (
        grant.key_arn,
        grant.grantee,
        frozenset(grant.operations),
        *(
            None if pairs is None else frozenset(pairs.items())
            for pairs in (limits.encryption_context_equals, limits.encryption_context_subset)
        ),
        limits.source_arn,
        grant.retiring_principal,
    )
