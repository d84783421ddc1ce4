"""Questions that `kms-access explain` answers, one for each way in which a decision comes about."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kms_access.decisions.resolution import AccessState
from kms_access.inventory.model import Grant, Identity, Inventory, Key, Policy
from kms_access.inventory.origin import Origin
from kms_access.policies.grammar import SERVICE_CONTROL_POLICY, TRUST_POLICY
from kms_access.policies.parsing import parse_policy
from kms_access.policies.text import unknown_text
from tests.builders import (
    ACCOUNT,
    DELEGATION,
    OTHER,
    allow,
    deny,
    document,
    grant,
    iam,
    key,
    role,
    role_arn,
)

APP = "role app"
VIA_S3 = {"Condition": {"StringEquals": {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}}}
FROM_VPC = {"Condition": {"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}}
OTHER_KEY = key("other").arn
MANAGEMENT = allow({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "kms:PutKeyPolicy")


@dataclass(frozen=True)
class Question:
    """An inventory of one key, and what is asked; `changes` are the words of the changes."""

    state: AccessState
    key: Key
    identities: tuple[Identity, ...] = (role("app"),)
    grants: tuple[Grant, ...] = ()
    service_control: tuple[tuple[Policy, ...], ...] = ()
    who: str = APP
    action: str = "kms:Decrypt"
    changes: tuple[str, ...] = field(default=())

    @property
    def inventory(self) -> Inventory:
        return Inventory(
            (self.key,), self.identities, self.grants, service_control=self.service_control
        )


def _organization_policy(*statements: Any) -> Policy:
    parsed = parse_policy(document(*statements), SERVICE_CONTROL_POLICY)
    return Policy("service control policy Limits", parsed, Origin("Limits", "Limits"))


def _trusted(name: str, by: str, *statements: Any) -> Identity:
    trust = {"Effect": "Allow", "Principal": {"AWS": by}, "Action": "sts:AssumeRole"}
    parsed = parse_policy(document(trust), TRUST_POLICY)
    origin = Origin(f"App/{name}", name, "App", "app.py", 30)
    return role(name, *statements, trust=(Policy(f"trust policy of {name}", parsed, origin),))


_DELEGATED = key("data", DELEGATION)
_NAMED = key("data", MANAGEMENT, allow(role_arn("app"), "kms:Decrypt", Sid="Use"))
_SILENT = key("data", MANAGEMENT)
_MAY = iam("kms:Decrypt")
_ALLOWED, _DENIED = AccessState.ALLOWED, AccessState.IMPLICITLY_DENIED
_NAME, _IDENTITY, _GRANT = (
    "the key policy allows kms:Decrypt to role app",
    "an identity policy of role app allows kms:Decrypt on this key",
    "a grant gives role app Decrypt",
)
_DELEGATE = f"the key policy lets account {ACCOUNT} delegate kms:Decrypt"

QUESTIONS: dict[str, Question] = {
    "named by the key policy": Question(_ALLOWED, _NAMED),
    "delegated and allowed": Question(_ALLOWED, _DELEGATED, (role("app", _MAY),)),
    "by a grant": Question(
        _ALLOWED,
        _SILENT,
        grants=(grant(_SILENT, GranteePrincipal=role_arn("app"), Operations=["Decrypt"]),),
    ),
    "under a condition": Question(
        AccessState.CONDITIONAL, _DELEGATED, (role("app", iam("kms:Decrypt", **VIA_S3)),)
    ),
    "denied from outside a network": Question(
        AccessState.CONDITIONAL,
        key("data", DELEGATION, deny("*", "kms:Decrypt", Sid="Network", **FROM_VPC)),
        (role("app", _MAY),),
    ),
    "denied and allowed": Question(
        AccessState.EXPLICITLY_DENIED,
        key("data", DELEGATION, deny("*", "kms:Decrypt", Sid="Never")),
        (role("app", _MAY),),
        changes=('statement "Never" of the key policy no longer denies it',),
    ),
    "denied and not allowed": Question(
        AccessState.EXPLICITLY_DENIED,
        key("data", MANAGEMENT, deny("*", "kms:Decrypt", Sid="Never")),
        changes=tuple(
            f'statement "Never" of the key policy no longer denies it, and {way}'
            for way in (_NAME, _GRANT, f"{_DELEGATE}, and {_IDENTITY}")
        ),
    ),
    "no identity policy": Question(_DENIED, _DELEGATED, changes=(_NAME, _IDENTITY, _GRANT)),
    "no key policy": Question(
        _DENIED, _SILENT, (role("app", _MAY),), changes=(_NAME, _DELEGATE, _GRANT)
    ),
    "neither": Question(_DENIED, _SILENT, changes=(_NAME, _GRANT, f"{_DELEGATE}, and {_IDENTITY}")),
    "another key, and another caller": Question(
        _DENIED,
        key("data", DELEGATION, allow(role_arn("web"), "kms:Decrypt", Sid="Web")),
        (role("app", iam("kms:Decrypt", OTHER_KEY)), role("web")),
        changes=(_NAME, _IDENTITY, _GRANT),
    ),
    "a condition that never holds": Question(
        _DENIED,
        key(
            "data",
            DELEGATION,
            allow("*", "kms:Decrypt", Condition={"StringEquals": {"kms:CallerAccount": OTHER}}),
        ),
        changes=(_NAME, _IDENTITY, _GRANT),
    ),
    "a boundary": Question(
        _DENIED,
        _DELEGATED,
        (role("app", _MAY, boundary=[iam("s3:*")]),),
        changes=("the permissions boundary of role app allows kms:Decrypt",),
    ),
    "a service control policy": Question(
        _DENIED,
        _DELEGATED,
        (role("app", _MAY),),
        service_control=((_organization_policy(iam("s3:*")),),),
        changes=("a service control policy of every level allows kms:Decrypt",),
    ),
    "across accounts": Question(
        AccessState.DELEGATED,
        key("data", DELEGATION, allow(role_arn("partner", OTHER), "kms:Decrypt")),
        who="role partner",
    ),
    "an action without effect across accounts": Question(
        _DENIED,
        key("data", DELEGATION, allow(role_arn("partner", OTHER), "kms:*")),
        who="role partner",
        action="kms:PutKeyPolicy",
    ),
    "a service": Question(
        _ALLOWED,
        key("data", DELEGATION, allow({"Service": "sns.amazonaws.com"}, "kms:Decrypt")),
        who="sns.amazonaws.com",
    ),
    "the root user": Question(
        _ALLOWED, _DELEGATED, who=f"arn:aws:iam::{ACCOUNT}:root", action="kms:PutKeyPolicy"
    ),
    "everyone": Question(
        _ALLOWED, key("data", DELEGATION, allow("*", "kms:Decrypt")), who="everyone"
    ),
    "an unknown principal": Question(
        AccessState.UNDECIDED,
        key(
            "data",
            DELEGATION,
            {
                "Effect": "Allow",
                "Principal": {"AWS": unknown_text('parameter "Reader"')},
                "Action": "kms:Decrypt",
                "Resource": "*",
            },
        ),
    ),
    "an action that takes no key": Question(_DENIED, _DELEGATED, action="kms:ListKeys"),
    "by a role": Question(
        _DENIED,
        key("data", DELEGATION, allow(role_arn("reader"), "kms:Decrypt")),
        (role("app"), _trusted("reader", role_arn("app"))),
        changes=(_NAME, _IDENTITY, _GRANT),
    ),
    "by a grant of its own": Question(
        _DENIED,
        key("data", DELEGATION, allow(role_arn("app"), "kms:CreateGrant")),
        changes=(_NAME, _IDENTITY, _GRANT),
    ),
}
