"""A service may use a key for whoever asks it to (K54)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from kms_access.decisions.evaluator import Access
from kms_access.decisions.request import ENCRYPTION_CONTEXT
from kms_access.decisions.resolution import AccessState
from kms_access.inventory.actions import KMS_ACTIONS
from kms_access.inventory.model import Key
from kms_access.policies.context import ABSENT, KeyState, Present
from kms_access.policies.principals import Naming
from kms_access.policies.text import ANY_CHARACTER, DIGIT, Text, Unknown, concat
from kms_access.policies.wildcards import fold_case
from kms_access.rules.checks.access_facts import finding_about
from kms_access.rules.checks.interface import Check
from kms_access.rules.checks.last_steps import change
from kms_access.rules.claims import claim
from kms_access.rules.findings import Finding
from kms_access.rules.model import Level
from kms_access.rules.situation import Situation
from kms_access.rules.what_if import best_of, with_facts

_ID = "confused-deputy"
_READING_LEVELS = frozenset({"Read", "List"})
_READING = frozenset(a.name for a in KMS_ACTIONS.values() if _READING_LEVELS.issuperset(a.levels))
_IN_ARN = "[a-z0-9-]"
_IN_BUCKET_NAME = "[a-z0-9.-]"
_CONTEXT_KEYS = "kms:encryptioncontextkeys"


def _stranger(stands_for: str, characters: str = ANY_CHARACTER) -> Text:
    return Text((Unknown(stands_for, characters, stranger=True, of_request=True),))


def _free(stands_for: str, characters: str = ANY_CHARACTER) -> Text:
    return Text((Unknown(stands_for, characters, of_request=True),))


_ACCOUNT = _stranger("somebody else's account", DIGIT)
_ORGANIZATION = _stranger("somebody else's organization")
_BUCKET = _stranger("somebody else's bucket", _IN_BUCKET_NAME)


def _requests(key: Key) -> Iterator[Mapping[str, KeyState]]:
    """Condition keys of requests that a service makes for nobody, and for somebody else.

    Encryption context names the resource, too: AWS's own policies rely on it for some services.
    The ARN of an S3 bucket is tried as well: it holds no account that a pattern could leave open.
    """
    arn = concat(
        (
            *("arn:", key.partition, ":", _free("the source's service", _IN_ARN), ":"),
            _free("the source's Region", _IN_ARN),
            *(":", _ACCOUNT, ":", _free("the source's name")),
        )
    )
    bucket = concat(("arn:", key.partition, ":s3:::", _BUCKET))
    path = concat((_ORGANIZATION, "/", _free("the path of an account")))
    sources: dict[str, KeyState] = {
        "aws:sourceaccount": Present((_ACCOUNT,)),
        "aws:sourceorgid": Present((_ORGANIZATION,)),
        "aws:sourceorgpaths": Present((path,), multivalued=True),
    }
    context = tuple(_context_keys(key))
    yield dict.fromkeys(("aws:sourcearn", *sources, *context), ABSENT)
    for source in (arn, bucket):
        for value in (source, _ACCOUNT, _stranger("somebody else's encryption context")):
            of_context: dict[str, KeyState] = {
                name: Present((value,), multivalued=name == _CONTEXT_KEYS) for name in context
            }
            yield {"aws:sourcearn": Present((source,)), **sources, **of_context}


def _find(situation: Situation, level: Level) -> Iterator[Finding]:
    for holding in situation.holdings.services:
        # Metadata alone is no harm, and AWS's own policies let services read it for anybody.
        candidates = [a for a in holding.accesses if a.action not in _READING and _is_named(a)]
        accesses = [access for access in candidates if _is_open_to_all(situation, access)]
        if accesses:
            found = finding_about(
                _ID,
                level,
                accesses,
                claim(
                    _ID,
                    "{who} can use key {key} for anybody",
                    "{who} uses key {key} for anybody",
                    who=holding.subject.label,
                    key=holding.key.label,
                ),
                "built-in: a service uses a key for known resources only",
                change(
                    "add a condition on aws:SourceArn or aws:SourceAccount to {place}", accesses
                ),
            )
            yield replace(found, details=("no condition fixes the source of its request",))


def _is_named(access: Access) -> bool:
    """Whether a statement names the service; a statement for everyone is public as it is."""
    return any(hit.naming is Naming.SERVICE for hit in access.decision.responsible)


def _is_open_to_all(situation: Situation, access: Access) -> bool:
    """Whether a request succeeds that is for nobody, or for somebody else's resource."""
    if access.state is AccessState.ALLOWED:
        return True
    callers = [
        caller for facts in _requests(access.key) for caller in with_facts(access.subject, facts)
    ]
    return best_of(situation.evaluator, callers, access.key, access.action).state.is_access


def _context_keys(key: Key) -> Iterator[str]:
    for policy in key.policies:
        for statement in policy.document.statements:
            for condition in statement.conditions:
                name = fold_case(condition.key)
                if name.startswith(ENCRYPTION_CONTEXT) or name == _CONTEXT_KEYS:
                    yield name


CHECK = Check(_ID, "a service can be made to use a key for others", Level.WARNING, _find)
