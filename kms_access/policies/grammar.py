"""What one kind of policy may contain; the language itself is the same for all (K13, K28–K39)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

MAXIMUM_READ: Final = 1 << 17
"""Characters without white space. Quotas of IAM are below it, and so are the policies of AWS that
people attach: its ReadOnlyAccess has some 86,000."""


class Presence(Enum):
    """Whether an element must or must not stand in a statement."""

    REQUIRED = "required"
    FORBIDDEN = "forbidden"


@dataclass(frozen=True, slots=True)
class PolicyGrammar:
    """The rules of one kind of policy.

    `missing_is_inert`: a statement without Principal, Action or Resource counts for nothing
    (K14, K17) instead of being open. `resource_is_self`: only `*` is accepted as Resource, and it
    means the resource that carries the policy (K15, K16). `maximum_bytes` limits the document
    as written (K29): a larger one is not read. `maximum_characters` is a quota without white
    space (K30): a larger one is read up to `maximum_read`. `federated`: an identity provider may
    be a principal (K53).
    `refused_with_for_all_values`: condition keys, or prefixes that end in `:` or `/`, that must
    not stand under ForAllValues (K40).
    """

    title: str
    principal: Presence = Presence.FORBIDDEN
    not_principal: bool = False
    resource: Presence = Presence.REQUIRED
    version_required: bool = False
    missing_is_inert: bool = False
    resource_is_self: bool = False
    sid_with_spaces: bool = False
    id_allowed: bool = True
    deny_only: bool = False
    maximum_bytes: int = 0
    maximum_characters: int = 0
    maximum_read: int = MAXIMUM_READ
    federated: bool = False
    refused_with_for_all_values: tuple[str, ...] = ()


IDENTITY_POLICY = PolicyGrammar("identity policy", id_allowed=False, maximum_characters=6_144)
PERMISSIONS_BOUNDARY = PolicyGrammar(
    "permissions boundary", id_allowed=False, maximum_characters=6_144
)
SESSION_POLICY = PolicyGrammar("session policy", id_allowed=False, maximum_characters=2_048)
SERVICE_CONTROL_POLICY = PolicyGrammar("service control policy", id_allowed=False)
RESOURCE_CONTROL_POLICY = PolicyGrammar(
    "resource control policy", principal=Presence.REQUIRED, id_allowed=False, deny_only=True
)
TRUST_POLICY = PolicyGrammar(
    "trust policy",
    principal=Presence.REQUIRED,
    resource=Presence.FORBIDDEN,
    sid_with_spaces=True,
    federated=True,
)
RESOURCE_POLICY = PolicyGrammar(
    "resource policy", principal=Presence.REQUIRED, not_principal=True, sid_with_spaces=True
)
