"""Multi-Region keys that share one key id and one key material (K165, K166)."""

from __future__ import annotations

from kms_access.inventory.model import Key
from kms_access.policies.answers import NO, YES, Answer, ReasonKind, Truth, open_answer
from kms_access.policies.arns import arn_segments
from kms_access.policies.overlap import same
from kms_access.policies.text import Value

_ID_PREFIX = "key/mrk-"


def is_multi_region(key: Key) -> Answer:
    """Whether a key is a multi-Region key, by its definition or by its id."""
    if key.multi_region:
        return YES
    resource = _resource(key)
    if resource is None:
        return open_answer(ReasonKind.UNKNOWN_VALUE, f"the ARN of {key.label}", "K165")
    return YES if isinstance(resource, str) and resource.startswith(_ID_PREFIX) else NO


def is_related(key: Key, other: Key) -> Answer:
    """Whether two keys are one, or the primary key and replicas of one set.

    Open while an id is not known, as that of a replica whose primary key is defined elsewhere.
    """
    if key.origin == other.origin:
        return YES
    # A set has one key in each Region.
    if same(key.region, other.region).truth is Truth.TRUE:
        return NO
    own, others = _resource(key), _resource(other)
    if own is None or others is None:
        same_id = open_answer(
            ReasonKind.UNKNOWN_VALUE, f"whether {key.label} and {other.label} are related", "K166"
        )
    else:
        same_id = same(own, others)
    in_one_account = same(key.account, other.account) & same(key.partition, other.partition)
    return is_multi_region(key) & is_multi_region(other) & in_one_account & same_id


def _resource(key: Key) -> Value | None:
    segments = arn_segments(key.arn)
    return segments[5] if segments is not None else None
