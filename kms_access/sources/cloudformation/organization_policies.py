"""AWS::Organizations::Policy: policies that can take access away from whole accounts (K70, K71).

Whether one is in force is never known from templates: it spares the management account, and which
account that is no template says. So none is applied; what one may deny stays open where a rule
requires access.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kms_access.inventory.model import Identity, Key
from kms_access.inventory.origin import NotCovered
from kms_access.policies.principals import ACCOUNT_ID
from kms_access.policies.text import Text, Value
from kms_access.sources.cloudformation.alternatives import items, variants
from kms_access.sources.cloudformation.deployment import Deployment, Resource
from kms_access.sources.cloudformation.policy_reading import read_policy
from kms_access.sources.cloudformation.values import as_value
from kms_access.sources.control_policies import GRAMMARS, ONLY_LESS, may_deny_kms

ORGANIZATION_POLICY = "AWS::Organizations::Policy"


def organization_policies(
    deployment: Deployment, keys: Sequence[Key], identities: Sequence[Identity]
) -> Iterator[NotCovered]:
    """One entry for each policy that can change what accounts of the deployment may do.

    It may take access away if it may deny an action of KMS to one of them.
    """
    accounts = {key.account for key in keys}
    accounts |= {identity.principal.account for identity in identities}
    for resource in deployment.of_kind(ORGANIZATION_POLICY):
        kind = deployment.value(resource, "Type")
        if resource.properties is not None and isinstance(kind, str) and kind not in GRAMMARS:
            continue
        targets = _targets(deployment, resource)
        reason = _why_harmless(deployment, resource, kind, targets, accounts)
        named = ", ".join(targets) if targets else "accounts that are not known"
        if reason:
            yield NotCovered(resource.origin, f"{ORGANIZATION_POLICY} is not evaluated: {reason}")
        else:
            text = f"{ORGANIZATION_POLICY} for {named} is not evaluated: {ONLY_LESS}"
            yield NotCovered(resource.origin, text, may_take_access_away=bool(keys))


def _why_harmless(
    deployment: Deployment,
    resource: Resource,
    kind: Value | None,
    targets: list[str] | None,
    accounts: set[Value],
) -> str:
    """Why no access of the deployment hangs on the policy; empty if it may."""
    if resource.properties is None:
        return ""
    if targets == []:
        return "nothing here attaches it"
    elsewhere = targets is not None and all(map(ACCOUNT_ID.fullmatch, targets))
    if elsewhere and not any(isinstance(one, Text) or one in (targets or ()) for one in accounts):
        return "it is for accounts in which no key and no identity of the deployment is"
    grammar = GRAMMARS.get(kind) if isinstance(kind, str) else None
    if grammar is None:
        return ""
    read = read_policy(
        deployment.resolver,
        resource.stack,
        resource.logical_id,
        resource.node("Content"),
        grammar,
    )
    document = read.document if read is not None else None
    return "" if document is None or may_deny_kms(document) else "it denies no action of KMS"


def _targets(deployment: Deployment, resource: Resource) -> list[str] | None:
    """The root, units and accounts to which the policy is attached; None if they are not known."""
    found: list[str] = []
    for item in items(deployment.resolver, resource.stack, resource.node("TargetIds")):
        for one in variants(deployment.resolver, resource.stack, item.node):
            target = as_value(one.node)
            if not isinstance(target, str):
                return None
            found.append(target)
    return found
