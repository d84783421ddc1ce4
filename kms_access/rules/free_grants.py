"""Whether a permission to create grants lets its holder give use to anybody (K95, K108)."""

from __future__ import annotations

from collections.abc import Mapping

from kms_access.decisions.action_masks import actions_of
from kms_access.decisions.evaluator import Access
from kms_access.decisions.resolution import Resolution
from kms_access.inventory.actions import KMS_ACTIONS
from kms_access.policies.context import ABSENT, KeyState, Present
from kms_access.policies.text import DIGIT, Text, Unknown, Value, concat
from kms_access.rules.holdings import CREATE_GRANT, USE, counts
from kms_access.rules.situation import Situation
from kms_access.rules.what_if import best_of, with_facts

_EVERY = tuple(action for action in KMS_ACTIONS.values() if action.grantable)


def free_grant(situation: Situation, access: Access) -> Resolution | None:
    """The answer to CreateGrant with which anybody gets use of the key; None if there is none.

    Asked are direct calls for all grantable operations, and for each one that uses the key, with a
    grantee of whom no policy speaks: what a service calls for creates grants for services alone
    (K110), and what comes from a grant stays within that grant (K96).
    """
    uses = [action for action in actions_of(access.key) if action in USE]
    for actions in ([action.name for action in _EVERY], *([action] for action in uses)):
        operations = tuple(action.partition(":")[2] for action in actions)
        callers = with_facts(access.subject, _for_anybody(access.key.partition, operations))
        found = best_of(situation.without_grants, callers, access.key, CREATE_GRANT)
        if counts(found.state, access.subject, access.key):
            return found
    return None


def _for_anybody(partition: Value, operations: tuple[str, ...]) -> Mapping[str, KeyState]:
    account = Unknown("the account of any grantee", DIGIT, stranger=True, of_request=True)
    name = Unknown("the name of any grantee", stranger=True, of_request=True)
    grantee = concat(("arn:", partition, ":iam::", Text((account,)), ":role/", Text((name,))))
    return {
        "kms:grantisforawsresource": Present(("false",)),
        "kms:granteeprincipal": Present((grantee,)),
        "kms:granteeserviceprincipal": ABSENT,
        "kms:grantoperations": Present(operations, multivalued=True),
        "kms:viaservice": ABSENT,
        "aws:viaawsservice": Present(("false",)),
        "aws:calledvia": ABSENT,
        "aws:calledviafirst": ABSENT,
        "aws:calledvialast": ABSENT,
    }
