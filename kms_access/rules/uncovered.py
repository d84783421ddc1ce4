"""Which definitions that are not evaluated leave a rule or a check open."""

from __future__ import annotations

from kms_access.inventory.origin import NotCovered
from kms_access.policies.answers import Truth
from kms_access.rules.situation import Situation


def leaves_open(situation: Situation, item: NotCovered) -> bool:
    """Whether a definition that is not evaluated makes the result undecided.

    What can give access always does. What can only take access away does where a rule requires
    access: every other rule is kept with less of it.
    """
    return item.may_change_key_access or (item.may_take_access_away and _is_required(situation))


def _is_required(situation: Situation) -> bool:
    return any(
        matched.answer.truth is not Truth.FALSE and any(matched.rule.require.values())
        for key in situation.access_map.keys
        for matched in situation.rules_for(key)
    )
