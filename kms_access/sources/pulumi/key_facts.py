"""Spec, usage and origin of a key; a replica shares them with its primary key (K165)."""

from __future__ import annotations

from functools import cached_property

from kms_access.inventory.actions import possible_for
from kms_access.policies.text import Value
from kms_access.sources.pulumi.definition import Definition
from kms_access.sources.pulumi.links import Links
from kms_access.sources.pulumi.tokens import (
    EXTERNAL_KEY,
    NATIVE_KEY,
    REPLICA_EXTERNAL_KEY,
    REPLICAS,
)
from kms_access.sources.pulumi.wire import UNKNOWN


class KeyFacts:
    """What a key is, as far as it is known; None where it is not."""

    def __init__(self, key: Definition, links: Links) -> None:
        self._key = key
        self._links = links

    @property
    def is_replica(self) -> bool:
        """Whether the key is a replica of a multi-Region key."""
        return self._key.type in REPLICAS

    @property
    def spec(self) -> Value | None:
        """The key spec."""
        return self._shared("customerMasterKeySpec", "SYMMETRIC_DEFAULT")

    @property
    def usage(self) -> Value | None:
        """The key usage; one that KMS does not know limits nothing."""
        usage = self._shared("keyUsage", "ENCRYPT_DECRYPT")
        if isinstance(usage, str):
            try:
                possible_for(usage, asymmetric=True)
            except ValueError:
                return None
        return usage

    @property
    def origin_of_material(self) -> Value | None:
        """The origin of the key material, as the KMS API calls it."""
        if self._key.type == REPLICA_EXTERNAL_KEY:
            return "EXTERNAL"
        return _origin_of(self._source) if self._source is not None else None

    def _shared(self, key: str, default: str) -> Value | None:
        if self.is_replica and isinstance(known := self._key.output(key), str) and known:
            return known
        if self._source is None:
            return None
        return self._source.text(key) or default

    @cached_property
    def _source(self) -> Definition | None:
        """The resource that says it: the key itself, or the primary key of a replica."""
        if not self.is_replica:
            return self._key
        primary = self._links.find_primary(self._key)
        if isinstance(primary, Definition) and primary.type not in REPLICAS:
            return primary
        return None


def _origin_of(key: Definition) -> Value | None:
    if key.type == EXTERNAL_KEY:
        return "EXTERNAL"
    if key.type == NATIVE_KEY:
        return key.text("origin") or "AWS_KMS"
    external, store = key.value("xksKeyId"), key.value("customKeyStoreId")
    if external is UNKNOWN or store is UNKNOWN:
        return None
    if external:
        return "EXTERNAL_KEY_STORE"
    return "AWS_CLOUDHSM" if store else "AWS_KMS"
