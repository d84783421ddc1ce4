"""Condition keys that are known before the deployment, and what stays open (K134-K147)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from kms_access.decisions.request import ENCRYPTION_CONTEXT
from kms_access.decisions.request_parameters import is_lacking
from kms_access.inventory.actions import find_action
from kms_access.inventory.model import Key
from kms_access.policies.answers import Reason, ReasonKind
from kms_access.policies.context import ABSENT, KeyState, Open, Present, open_otherwise
from kms_access.policies.principals import WITHOUT_IDENTITY, Principal, PrincipalKind
from kms_access.policies.text import PATH_CHARACTER, Text, Unknown, Value, concat, unknown_text
from kms_access.policies.wildcards import fold_case

GRANT_ACTIONS = frozenset({"kms:creategrant", "kms:listgrants", "kms:revokegrant"})
_CRYPTOGRAPHIC = frozenset({"encrypt", "decrypt"})
_SYMMETRIC = "SYMMETRIC_DEFAULT"
_SOURCE_KEYS = ("aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths")


@dataclass(frozen=True, slots=True)
class Organization:
    """The organization that the rules file declares, and its accounts."""

    id: str = ""
    accounts: frozenset[str] = field(default_factory=frozenset)

    def facts(self, principal: Principal) -> dict[str, KeyState]:
        """`aws:PrincipalOrgID` of a caller, as far as it is declared (K145)."""
        if principal.kind in WITHOUT_IDENTITY:
            return {"aws:principalorgid": ABSENT}
        if self.id and principal.account in self.accounts:
            return {"aws:principalorgid": Present((self.id,))}
        reason = Reason(
            f"the organization of account {principal.account}", ReasonKind.UNKNOWN_VALUE, "K134"
        )
        return {"aws:principalorgid": Open(reason)}


def key_facts(key: Key) -> dict[str, KeyState]:
    """The condition keys that a KMS key decides."""
    spec = _known(key.spec, f"the key spec of {key.label}")
    usage = _known(key.usage, f"the key usage of {key.label}")
    facts: dict[str, KeyState] = {
        "kms:keyspec": spec,
        "kms:customermasterkeyspec": spec,
        "kms:keyusage": usage,
        "kms:customermasterkeyusage": usage,
        "kms:keyorigin": _known(key.origin_of_material, f"the origin of {key.label}"),
        "kms:multiregion": Present(("true" if key.multi_region else "false",)),
        "kms:multiregionkeytype": _multi_region_key_type(key),
        "kms:resourcealiases": _aliases(key),
    }
    for name, value in key.tags.items():
        facts[f"aws:resourcetag/{fold_case(name)}"] = Present((value,))
    return facts


def _multi_region_key_type(key: Key) -> KeyState:
    """Single-Region keys have none, and UpdatePrimaryRegion changes that of the others (K147)."""
    if not key.multi_region:
        return ABSENT
    stands_for = f"whether {key.label} is the primary key or a replica"
    return Present((Text((Unknown(stands_for, shape="PRIMARY|REPLICA"),)),))


def _aliases(key: Key) -> KeyState:
    """The aliases of the definitions are a lower bound (K141)."""
    if not key.further_aliases:
        return Present(key.aliases, multivalued=True) if key.aliases else ABSENT
    further = f"a further alias of {key.label}"
    if not key.aliases:
        return Open(Reason(further, ReasonKind.UNKNOWN_VALUE, "K141"), multivalued=True)
    return Present((*key.aliases, unknown_text(further)), multivalued=True)


def _known(value: Value | None, stands_for: str) -> KeyState:
    if value is None:
        return Open(Reason(stands_for, ReasonKind.UNKNOWN_VALUE, "K134"))
    return Present((value,))


def principal_tag_facts(principal: Principal, tags: Mapping[str, Value]) -> dict[str, KeyState]:
    """Tags of a user; those of a role may be replaced by session tags and stay open (K134)."""
    if principal.kind is not PrincipalKind.USER:
        return {}
    return {f"aws:principaltag/{fold_case(k)}": Present((v,)) for k, v in tags.items()}


def session_facts(principal: Principal) -> dict[str, KeyState]:
    """`aws:PrincipalArn` of a session of which only the role's name is known, not its path."""
    if principal.kind is not PrincipalKind.ROLE or principal.path_known:
        return {}
    path = Unknown(f"the path of role {principal.name}", PATH_CHARACTER)
    start = ("arn:", principal.partition, ":iam::", principal.account, ":role/")
    return {"aws:principalarn": Present((concat((*start, path, principal.name)),))}


def open_request(
    principal: Principal, key: Key, action: str, *, tags_known: bool
) -> Callable[[str], KeyState]:
    """What is known of the keys that no fact decides, for all requests of one action.

    `tags_known`: whether all tags of a user are among the definitions.
    """
    is_service = principal.kind is PrincipalKind.SERVICE
    has_encryption_context = takes_encryption_context(key.spec, action)
    folded_action = fold_case(action)

    def otherwise(name: str) -> KeyState:
        folded = fold_case(name)
        if folded.startswith(ENCRYPTION_CONTEXT) or folded == "kms:encryptioncontextkeys":
            return open_otherwise(name) if has_encryption_context else ABSENT
        if folded == "kms:grantisforawsresource" and folded_action not in GRANT_ACTIONS:
            return ABSENT
        if is_lacking(folded, action):
            return ABSENT
        if folded == "kms:encryptionalgorithm" and key.spec == _SYMMETRIC:
            return Present((_SYMMETRIC,))
        if folded.startswith("aws:resourcetag/"):
            return ABSENT
        is_user = principal.kind is PrincipalKind.USER
        if folded.startswith("aws:principaltag/") and is_user and tags_known:
            return ABSENT
        if folded in _SOURCE_KEYS and not is_service:
            return ABSENT
        return open_otherwise(name)

    return otherwise


@lru_cache(maxsize=4_096)
def takes_encryption_context(spec: Value | None, action: str) -> bool:
    """Encryption context exists for CreateGrant and for symmetric encryption keys (K138)."""
    if isinstance(spec, str) and spec != _SYMMETRIC:
        return False
    info = find_action(action)
    if info is None:
        return True
    return info.name == "kms:CreateGrant" or info.capability in _CRYPTOGRAPHIC
