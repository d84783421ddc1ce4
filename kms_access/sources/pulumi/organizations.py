"""Policies of the organization that surely apply to the account of the definitions (K70, K71).

Such a policy can only take access away, so it counts only where nothing about it is open: it
exists, it can be read, and it is attached to the one account in which all keys and identities of
the stack are. Policies spare the management account, which the ARN of an existing policy names.
Which other policies are attached is not known, FullAWSAccess among them, so that a missing Allow
takes nothing away, only a Deny does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from kms_access.inventory.model import Inventory, Policy
from kms_access.inventory.origin import NotCovered, Origin
from kms_access.policies.grammar import (
    RESOURCE_CONTROL_POLICY,
    SERVICE_CONTROL_POLICY,
    PolicyGrammar,
)
from kms_access.policies.parsing import parse_policy
from kms_access.policies.principals import ACCOUNT_ID
from kms_access.policies.text import Text, Value
from kms_access.sources.control_policies import GRAMMARS, ONLY_LESS, may_deny_kms
from kms_access.sources.pulumi.definition import Definition
from kms_access.sources.pulumi.documents import read_policy
from kms_access.sources.pulumi.links import Links
from kms_access.sources.pulumi.tokens import (
    NATIVE_ORGANIZATION_POLICY,
    ORGANIZATION_POLICY,
    ORGANIZATION_POLICY_ATTACHMENT,
)
from kms_access.sources.pulumi.wire import UNKNOWN

_FULL_ACCESS = Policy(
    "FullAWSAccess",
    parse_policy(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
        },
        SERVICE_CONTROL_POLICY,
    ),
    Origin("arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess"),
)


@dataclass(frozen=True, slots=True)
class _Attachment:
    """A policy of the organization at one target; None for a policy outside the stack."""

    source: Definition
    policy: Definition | None
    target: Value | None


def with_organization_policies(
    inventory: Inventory, definitions: Sequence[Definition], links: Links
) -> Inventory:
    """The inventory with the policies that surely apply, and notes on all others."""
    account = _only_account(inventory)
    control: dict[PolicyGrammar, list[Policy]] = {g: [] for g in GRAMMARS.values()}
    not_covered: list[NotCovered] = []
    attachments = list(_attachments(definitions, links))
    for attachment in attachments:
        policy = attachment.policy
        if policy is not None and _matters(policy) is False:
            continue
        applied = _applied(attachment, account, links)
        if isinstance(applied, Policy):
            control[applied.document.grammar].append(applied)
        else:
            call = f"{attachment.source.call} ({attachment.source.type})"
            reason = f"{call} is not evaluated, because {applied}: {ONLY_LESS}"
            not_covered.append(
                NotCovered(
                    attachment.source.origin,
                    reason,
                    may_take_access_away=_may_take_away(inventory, attachment, links),
                )
            )
    attached = {attachment.policy.urn for attachment in attachments if attachment.policy}
    not_covered += _loose(definitions, attached)
    services, resources = control[SERVICE_CONTROL_POLICY], control[RESOURCE_CONTROL_POLICY]
    return replace(
        inventory,
        service_control=((_FULL_ACCESS, *services),) if services else (),
        resource_control=(tuple(resources),) if resources else (),
        not_covered=(*inventory.not_covered, *not_covered),
    )


def _attachments(definitions: Iterable[Definition], links: Links) -> Iterator[_Attachment]:
    for definition in definitions:
        if definition.type == ORGANIZATION_POLICY_ATTACHMENT:
            found = links.find(definition, "policyId", "organization policy")
            policy = found if isinstance(found, Definition) else None
            yield _Attachment(definition, policy, definition.text("targetId"))
        elif definition.type == NATIVE_ORGANIZATION_POLICY:
            targets = definition.items("targetIds")
            for target in [UNKNOWN] if targets is UNKNOWN else targets:
                value = target if isinstance(target, (str, Text)) else None
                yield _Attachment(definition, definition, value)


def _loose(definitions: Iterable[Definition], attached: set[str]) -> Iterator[NotCovered]:
    """Policies that nothing in the stack attaches."""
    for definition in definitions:
        is_policy = definition.type in (ORGANIZATION_POLICY, NATIVE_ORGANIZATION_POLICY)
        if is_policy and definition.urn not in attached and _matters(definition) is not False:
            call = f"{definition.call} ({definition.type})"
            why = "it is not known to which accounts it is attached"
            reason = f"{call} is not evaluated, because {why}: {ONLY_LESS}"
            yield NotCovered(definition.origin, reason)


def _matters(policy: Definition) -> bool | None:
    """Whether the policy is of a type that permits or forbids calls; None if that is not known."""
    kind = policy.text("type") or "SERVICE_CONTROL_POLICY"
    return None if isinstance(kind, Text) else kind in GRAMMARS


def _applied(attachment: _Attachment, account: str, links: Links) -> Policy | str:
    """The policy if it surely applies to everything in the account, else why that is open."""
    policy, target = attachment.policy, attachment.target
    if policy is None:
        return "the policy is not part of the definitions"
    if not isinstance(target, str) or not ACCOUNT_ID.fullmatch(target):
        return "it is not known which accounts its target holds"
    kind = policy.text("type") or "SERVICE_CONTROL_POLICY"
    grammar = GRAMMARS.get(kind) if isinstance(kind, str) else None
    if grammar is None:
        return "the type of the policy is not known"
    if target != account:
        return f"the keys and identities of the stack are not all in account {target}"
    management = _management_account(policy)
    if not management:
        return "the policy does not exist yet, so it is not known which account it spares"
    if management == target:
        return f"account {target} is the management account, which no policy limits"
    label = f"{grammar.title} {policy.resource.name}"
    read = read_policy(policy, "content", grammar, label, links)
    if read is None or read.document.unreadable is not None:
        return "its content is not known or is no policy"
    return read


def _may_take_away(inventory: Inventory, attachment: _Attachment, links: Links) -> bool:
    """Whether access to a key of the stack may hang on the policy."""
    policy, target = attachment.policy, attachment.target
    if isinstance(target, str) and ACCOUNT_ID.fullmatch(target):
        spared = policy is not None and _management_account(policy) == target
        accounts = _accounts(inventory)
        if spared or not (target in accounts or any(isinstance(one, Text) for one in accounts)):
            return False
    if not inventory.keys or policy is None:
        return bool(inventory.keys)
    kind = policy.text("type") or "SERVICE_CONTROL_POLICY"
    grammar = GRAMMARS.get(kind) if isinstance(kind, str) else None
    if grammar is None:
        return True
    read = read_policy(policy, "content", grammar, policy.resource.name, links)
    return read is None or may_deny_kms(read.document)


def _accounts(inventory: Inventory) -> set[Value]:
    accounts = {key.account for key in inventory.keys}
    return accounts | {identity.principal.account for identity in inventory.identities}


def _management_account(policy: Definition) -> str:
    arn = policy.output("arn")
    parts = arn.split(":") if isinstance(arn, str) else []
    return parts[4] if len(parts) > 4 and ACCOUNT_ID.fullmatch(parts[4]) else ""


def _only_account(inventory: Inventory) -> str:
    """The account of all keys and identities; "" if there are several or one is not known."""
    accounts = _accounts(inventory)
    only = next(iter(accounts)) if len(accounts) == 1 else ""
    return only if isinstance(only, str) else ""
