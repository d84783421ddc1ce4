"""What KMS accepts as a key policy, and the policy that a key gets without one (K13–K18, K148)."""

from __future__ import annotations

from kms_access.policies.answers import Reason, ReasonKind
from kms_access.policies.document import PolicyDocument
from kms_access.policies.grammar import PolicyGrammar, Presence
from kms_access.policies.parsing import parse_policy, unreadable_policy
from kms_access.policies.text import Value, concat

KEY_POLICY = PolicyGrammar(
    "key policy",
    principal=Presence.REQUIRED,
    not_principal=True,
    version_required=True,
    missing_is_inert=True,
    resource_is_self=True,
    sid_with_spaces=True,
    maximum_bytes=32_768,
    refused_with_for_all_values=("kms:encryptioncontext:", "aws:requesttag/"),
)

DEFAULT_KEY_POLICY_LABEL = "default key policy"


def default_key_policy(partition: Value, account: Value) -> PolicyDocument:
    """The policy of a key that was made without one: the account may delegate `kms:*` (K148)."""
    root = concat(("arn:", partition, ":iam::", account, ":root"))
    statement = {
        "Sid": "Enable IAM User Permissions",
        "Effect": "Allow",
        "Principal": {"AWS": root},
        "Action": "kms:*",
        "Resource": "*",
    }
    return parse_policy({"Version": "2012-10-17", "Statement": [statement]}, KEY_POLICY)


def key_policy_not_supplied(key: str) -> PolicyDocument:
    """The policy of a key that is defined elsewhere: it may say anything (K2)."""
    reason = Reason(
        f"the key policy of {key}, which is not supplied", ReasonKind.UNKNOWN_VALUE, "K2"
    )
    return unreadable_policy(KEY_POLICY, reason)
