"""Condition keys about the parameters of a call, and the actions whose calls have them."""

from __future__ import annotations

from collections.abc import Mapping

from kms_access.inventory.actions import expand_capability, find_action
from kms_access.policies.wildcards import fold_case


def _actions(names: str) -> frozenset[str]:
    return frozenset(f"kms:{name}" for name in names.split())


_AT_CREATION = _actions("CreateKey")
_CRYPTOGRAPHIC = expand_capability("use") - _actions("GenerateRandom")

_WITH_DEFAULT: Mapping[str, frozenset[str]] = {
    "kms:bypasspolicylockoutsafetycheck": _actions("CreateKey PutKeyPolicy ReplicateKey"),
    "kms:encryptionalgorithm": _actions(
        "Encrypt Decrypt ReEncryptFrom ReEncryptTo GenerateDataKey GenerateDataKeyPair"
        " GenerateDataKeyPairWithoutPlaintext GenerateDataKeyWithoutPlaintext"
    ),
    "kms:expirationmodel": _actions("ImportKeyMaterial"),
    "kms:keyorigin": _AT_CREATION,
    "kms:keyspec": _AT_CREATION,
    "kms:keyusage": _AT_CREATION,
    "kms:messagetype": _actions("Sign Verify"),
    "kms:multiregion": _AT_CREATION,
    "kms:policyname": _actions("GetKeyPolicy PutKeyPolicy"),
    "kms:rotationperiodindays": _actions("EnableKeyRotation"),
    "kms:schedulekeydeletionpendingwindowindays": _actions("ScheduleKeyDeletion"),
}
"""KMS fills these with the default when the parameter is omitted (K134, K139, K178)."""

_OTHERS: Mapping[str, frozenset[str]] = {
    "kms:requestalias": _CRYPTOGRAPHIC | _actions("DescribeKey GetPublicKey"),
    "kms:trailingdayswithoutkeyusage": _actions("DisableKey ScheduleKeyDeletion"),
}
"""K141 and K180."""

ACTIONS_WITH: Mapping[str, frozenset[str]] = {**_WITH_DEFAULT, **_OTHERS}
"""The actions whose calls can have a parameter, by condition key in lower case.

Those about the key spec, usage, origin and kind stand here for CreateKey; on a key they are facts.
"""


def is_filled(key: str, action: str) -> bool:
    """Whether a call of the action always has the condition key, by its default if need be."""
    return _is_with(_WITH_DEFAULT.get(fold_case(key)), action)


def is_lacking(key: str, action: str) -> bool:
    """Whether no call of the action has the condition key, because it lacks the parameter.

    Of an action that the catalogue does not know, nothing is claimed (K20).
    """
    actions = ACTIONS_WITH.get(fold_case(key))
    return actions is not None and find_action(action) is not None and not _is_with(actions, action)


def _is_with(actions: frozenset[str] | None, action: str) -> bool:
    info = find_action(action)
    return actions is not None and info is not None and info.name in actions
