"""AWS::KMS::Key, ReplicaKey and Alias."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from kms_access.inventory.key_policies import (
    DEFAULT_KEY_POLICY_LABEL,
    KEY_POLICY,
    default_key_policy,
)
from kms_access.inventory.model import Key, Policy
from kms_access.inventory.origin import NotCovered
from kms_access.policies.document import PolicyDocument
from kms_access.policies.text import Text, Unknown, Value, unknown_text
from kms_access.sources.cloudformation.alternatives import branches
from kms_access.sources.cloudformation.deployment import Deployment, Resource
from kms_access.sources.cloudformation.physical import (
    ALIAS,
    KEY,
    KEYS,
    REPLICA_KEY,
    key_arn_of,
    key_id_of,
)
from kms_access.sources.cloudformation.policy_reading import read_policy, unknown_policy
from kms_access.sources.cloudformation.resolver import intrinsic_name
from kms_access.sources.cloudformation.tags import tags_of
from kms_access.sources.cloudformation.values import NO_VALUE, as_value


def read_keys(deployment: Deployment, not_covered: list[NotCovered]) -> tuple[Key, ...]:
    """The keys of a deployment with their aliases; what could not be read goes to `not_covered`."""
    resources = list(deployment.of_kind(*KEYS))
    arns = {r: key_arn_of(deployment.resolver, r.stack, r.logical_id) for r in resources}
    aliases = _aliases(deployment, arns, not_covered)
    return tuple(
        _key(deployment, resource, arns, tuple(aliases[resource]), not_covered)
        for resource in resources
    )


def _key(
    deployment: Deployment,
    resource: Resource,
    arns: Mapping[Resource, Value],
    aliases: tuple[Value, ...],
    not_covered: list[NotCovered],
) -> Key:
    environment = resource.stack.environment
    is_replica = resource.kind == REPLICA_KEY
    multi_region = is_replica or _switch(deployment, resource, "MultiRegion", not_covered)
    bypasses = _switch(deployment, resource, "BypassPolicyLockoutSafetyCheck", not_covered)
    primary = _primary(deployment, resource, arns) if is_replica else resource
    material = _choice(deployment, primary, "Origin", "AWS_KMS")
    return Key(
        origin=resource.origin,
        arn=arns[resource],
        account=environment.account,
        region=environment.region,
        partition=environment.partition,
        policies=(_key_policy(deployment, resource),),
        aliases=aliases,
        tags=tags_of(deployment, resource, not_covered),
        description=deployment.value(resource, "Description") or "",
        spec=_choice(deployment, primary, "KeySpec", "SYMMETRIC_DEFAULT"),
        usage=_choice(deployment, primary, "KeyUsage", "ENCRYPT_DECRYPT"),
        origin_of_material=material,
        multi_region=multi_region,
        bypasses_lockout_check=bypasses,
        deployers=resource.stack.deployers,
    )


def _key_policy(deployment: Deployment, resource: Resource) -> Policy:
    environment = resource.stack.environment
    if resource.properties is None:
        what = f"the properties of {resource.stack.identity_of(resource.logical_id)}"
        return Policy("key policy", unknown_policy(KEY_POLICY, what), resource.origin)
    default = _default_policy(environment.partition, environment.account)
    read = read_policy(
        deployment.resolver,
        resource.stack,
        resource.logical_id,
        resource.node("KeyPolicy"),
        KEY_POLICY,
        absent=default,
        uncertain=resource.uncertain,
    )
    given = _is_given(deployment, resource)
    label = "key policy" if given else DEFAULT_KEY_POLICY_LABEL
    if read is None:
        return Policy(label, default, resource.origin)
    return Policy(label, read.document, resource.origin, read.places)


@lru_cache(maxsize=64)
def _default_policy(partition: Value, account: Value) -> PolicyDocument:
    return default_key_policy(partition, account)


def _is_given(deployment: Deployment, resource: Resource) -> bool:
    found = branches(deployment.resolver, resource.stack, resource.node("KeyPolicy"))
    return any(_is_policy(deployment, resource, one.node) for one in found)


def _is_policy(deployment: Deployment, resource: Resource, node: Any) -> bool:
    if isinstance(node, dict) and intrinsic_name(node) is None:
        return True
    given = deployment.resolver.resolve(node, resource.stack)
    return given is not None and given is not NO_VALUE and given != ""


def _primary(
    deployment: Deployment, replica: Resource, arns: Mapping[Resource, Value]
) -> Resource | None:
    """The primary key of a replica, if the deployment has it."""
    arn = deployment.value(replica, "PrimaryKeyArn")
    return next((r for r in arns if r.kind == KEY and arns[r] == arn), None)


def _choice(
    deployment: Deployment, resource: Resource | None, name: str, default: str
) -> Value | None:
    """A property with a default; None where it cannot be told."""
    if resource is None or resource.properties is None:
        return None
    resolved = deployment.resolver.resolve(resource.node(name), resource.stack)
    return default if resolved is None or resolved is NO_VALUE else as_value(resolved)


def _switch(
    deployment: Deployment, resource: Resource, name: str, not_covered: list[NotCovered]
) -> bool:
    value = deployment.value(resource, name)
    if value is None or (isinstance(value, str) and value.lower() in ("true", "false")):
        return value is not None and str(value).lower() == "true"
    reason = f'{name} is "{value}", which is not known to be true or false; false is assumed'
    not_covered.append(NotCovered(resource.origin, reason, may_change_key_access=True))
    return False


def _aliases(
    deployment: Deployment, arns: Mapping[Resource, Value], not_covered: list[NotCovered]
) -> dict[Resource, list[Value]]:
    """The aliases of each key. An alias of something else gets a note only: the aliases of the
    definitions are a lower bound anyway (K141)."""
    found: dict[Resource, list[Value]] = {resource: [] for resource in arns}
    keys_of: dict[tuple[Value, Value, Value], list[Resource]] = {}
    for resource, arn in arns.items():
        key_id = key_id_of(deployment.resolver, resource.stack, resource.logical_id)
        for name in (arn, key_id):
            keys_of.setdefault((*_place(resource), name), []).append(resource)
    for alias in deployment.of_kind(ALIAS):
        target = deployment.value(alias, "TargetKeyId")
        name = _alias_name(deployment, alias)
        owners = [] if target is None else keys_of.get((*_place(alias), target), [])
        for owner in owners:
            found[owner].append(name)
        if not owners:
            reason = f'alias "{name}" stands for "{target}", which is no key of the deployment'
            not_covered.append(NotCovered(alias.origin, reason))
    return found


def _place(resource: Resource) -> tuple[Value, Value]:
    """An alias belongs to an account and a Region, and so does its target."""
    return resource.stack.environment.account, resource.stack.environment.region


def _alias_name(deployment: Deployment, alias: Resource) -> Value:
    name = deployment.value(alias, "AliasName")
    if name is None:
        return unknown_text(f"the name of alias {alias.stack.identity_of(alias.logical_id)}")
    if alias.uncertain is None:
        return name
    shape = re.escape(name) if isinstance(name, str) else ""
    return Text((Unknown(f'alias "{name}", by {alias.uncertain.text}', shape=shape),))
