"""What a key policy lets the identity policies of the key's own account give (K43, K45)."""

from __future__ import annotations

from kms_access.decisions import delegation
from kms_access.decisions.evaluator import Access
from kms_access.inventory.model import Key
from kms_access.rules.situation import Situation


def delegated(situation: Situation, key: Key) -> tuple[Access, ...]:
    """The actions that an identity policy of the key's account can give, with how; sorted."""
    return delegation.delegated(situation.access_map.inventory, situation.organization, key)
