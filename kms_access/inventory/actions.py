"""The KMS action catalogue: every KMS permission and what is known about it (K111, K182)."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType
from typing import Any

from kms_access.policies.wildcards import fold_case

CAPABILITIES = (
    "view",
    "encrypt",
    "decrypt",
    "sign",
    "verify",
    "mac",
    "derive",
    "grant",
    "administer",
    "delete",
)
"""The leaf capabilities; every action has exactly one (design, section 3)."""

_USE = ("encrypt", "decrypt", "sign", "verify", "mac", "derive")
_PREFIX = "kms:"
_SIMILAR_ENOUGH = 0.7


@dataclass(frozen=True, slots=True)
class ActionInfo:
    """One KMS permission.

    `name` has the service prefix and AWS's spelling, `kms:Decrypt`. `levels` are AWS's access
    levels. `needs_key` is false for the eleven permissions that do nothing in a key policy (K112).
    `cross_account` says whether it has an effect on another account's key (K120), `grantable`
    whether a grant can give it (K93). `resource_types` holds `alias` and `key`, or nothing.
    """

    name: str
    capability: str
    levels: tuple[str, ...]
    needs_key: bool
    cross_account: bool
    grantable: bool
    resource_types: tuple[str, ...]


def _read_data() -> dict[str, Any]:
    file = resources.files("kms_access.inventory") / "kms_actions.json"
    data: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return data


def _action(name: str, entry: Mapping[str, Any]) -> ActionInfo:
    return ActionInfo(
        name=_PREFIX + name,
        capability=entry["capability"],
        levels=tuple(entry["levels"]),
        needs_key=entry["needs_key"],
        cross_account=entry["cross_account"],
        grantable=entry["grantable"],
        resource_types=tuple(entry["resource_types"]),
    )


_DATA = _read_data()

KMS_ACTIONS: Mapping[str, ActionInfo] = MappingProxyType(
    {fold_case(_PREFIX + name): _action(name, entry) for name, entry in _DATA["actions"].items()}
)
"""Every KMS permission, sorted, keyed by its name in lower case (`kms:decrypt`)."""

CONDITION_KEY_TYPES: Mapping[str, str] = MappingProxyType(_DATA["condition_keys"])
"""AWS's value type (`String`, `ArrayOfString`, `Bool`, …) of each listed condition key (K183).

Keyed by AWS's spelling; a part such as `${TagKey}` stands for any text. Keys that are not listed
exist as well, `kms:PolicyName` for one (K133).
"""

_ACTIONS_OF: Mapping[str, frozenset[str]] = {
    capability: frozenset(a.name for a in KMS_ACTIONS.values() if a.capability == capability)
    for capability in CAPABILITIES
}
_ACCEPTED: Mapping[str, frozenset[str]] = {
    **_ACTIONS_OF,
    "use": frozenset[str]().union(*(_ACTIONS_OF[capability] for capability in _USE)),
}

_KEY_ACTIONS = frozenset(a.name for a in KMS_ACTIONS.values() if a.needs_key)

_PUBLIC_KEY = frozenset({"kms:GetPublicKey"})
_DATA_KEYS = frozenset({"kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext"})
_DATA_KEY_PAIRS = frozenset({"kms:GenerateDataKeyPair", "kms:GenerateDataKeyPairWithoutPlaintext"})
_OF_USAGE: Mapping[str, frozenset[str]] = {
    "ENCRYPT_DECRYPT": frozenset(
        {"kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo"}
    ),
    "SIGN_VERIFY": frozenset({"kms:Sign", "kms:Verify"}) | _PUBLIC_KEY,
    "GENERATE_VERIFY_MAC": frozenset({"kms:GenerateMac", "kms:VerifyMac"}),
    "KEY_AGREEMENT": frozenset({"kms:DeriveSharedSecret"}) | _PUBLIC_KEY,
    "ENCAPSULATE_DECAPSULATE": frozenset({"kms:Encapsulate", "kms:Decapsulate"}) | _PUBLIC_KEY,
}
KEY_USAGES = frozenset(_OF_USAGE)
"""The key usages of K121."""
_LIMITED_BY_USAGE = _DATA_KEYS.union(_DATA_KEY_PAIRS, *_OF_USAGE.values())


def expand_capability(name: str) -> frozenset[str]:
    """The names (`kms:Decrypt`) of the actions of a leaf capability or of `use`.

    Raises ValueError, with the accepted values, for any other name (design, section 3).
    """
    return _look_up(_ACCEPTED, name, "capability")


def key_actions() -> frozenset[str]:
    """The names of all actions that apply to a key, whatever the key's usage (K111)."""
    return _KEY_ACTIONS


def possible_for(usage: str, asymmetric: bool, *, custom_key_store: bool = False) -> frozenset[str]:
    """The names of the key actions that can succeed on a key of this usage (K121).

    `usage` is a KeyUsage value of the KMS API. `asymmetric` counts for `ENCRYPT_DECRYPT` only,
    `custom_key_store` only for symmetric keys of that usage; the other usages have one kind of
    key. Actions that K121 does not limit are always among them. Raises ValueError, with the
    accepted values, for any other usage; where the usage is not known, `key_actions` is the answer.
    """
    fitting = _look_up(_OF_USAGE, usage, "key usage")
    if usage == "ENCRYPT_DECRYPT":
        if asymmetric:
            fitting |= _PUBLIC_KEY
        else:
            fitting |= _DATA_KEYS if custom_key_store else _DATA_KEYS | _DATA_KEY_PAIRS
    return (_KEY_ACTIONS - _LIMITED_BY_USAGE) | fitting


def find_action(name: str) -> ActionInfo | None:
    """The action of that full name (`kms:Decrypt`) in any ASCII case (K19), None if unknown."""
    return KMS_ACTIONS.get(fold_case(name))


def closest_action(name: str) -> str | None:
    """The action name most like `name`, for "did you mean"; None if none is similar.

    `name` may lack the service prefix; a name of another service is similar to none.
    """
    service, separator, rest = fold_case(name).partition(":")
    if separator and service + separator != _PREFIX:
        return None
    bare = rest if separator else service
    candidates = {key.removeprefix(_PREFIX): action.name for key, action in KMS_ACTIONS.items()}
    matches = difflib.get_close_matches(bare, candidates, n=1, cutoff=_SIMILAR_ENOUGH)
    return candidates[matches[0]] if matches else None


def _look_up(table: Mapping[str, frozenset[str]], name: str, kind: str) -> frozenset[str]:
    if name not in table:
        raise ValueError(f'unknown {kind} "{name}", accepted are {", ".join(table)}')
    return table[name]
