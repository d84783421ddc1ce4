"""Whether a key stays manageable when principals are deleted (K154)."""

from __future__ import annotations

from kms_access.decisions.evaluator import Access
from kms_access.inventory.model import Key
from kms_access.policies.document import Effect
from kms_access.policies.principals import Naming
from kms_access.rules.situation import Situation

_OUTLIVES = (Naming.ACCOUNT, Naming.EVERYONE)
"""A principal that a policy names is lost when it is deleted (K60). A statement for the account or
for everyone counts again for whoever is made under the same name, conditions on the ARN included.
"""


def only_managers(situation: Situation, key: Key) -> tuple[Access, ...]:
    """The accesses to PutKeyPolicy if nobody holds it but principals that the policy names.

    Empty where others can keep the key policy, or where that is open.
    """
    held = situation.holdings.managers.get(key.origin.identity, ())
    if any(_outlives(access) for access in held):
        return ()
    return held if all(access.state.is_access for access in held) else ()


def _outlives(access: Access) -> bool:
    return any(
        hit.effect is Effect.ALLOW and hit.naming in _OUTLIVES
        for hit in access.decision.responsible
    )
