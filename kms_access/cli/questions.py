"""What `can` and `explain` are asked, and the exit code that answers it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from kms_access.cli.exit_codes import PROVEN, UNDECIDED, VIOLATED
from kms_access.cli.usage import UsageError

if TYPE_CHECKING:
    from kms_access.decisions.access_map import AccessMap
    from kms_access.decisions.resolution import AccessState
    from kms_access.decisions.static_facts import Organization
    from kms_access.decisions.subjects import Subject
    from kms_access.inventory.model import Key
    from kms_access.rules import Rules

CODES_OF_ANSWER = "exit codes: 0 yes, 1 no, 3 undecided, or only under a condition"


def add_question(parser: argparse.ArgumentParser) -> None:
    """The arguments that name a principal, an action and a key; `asked` finds them."""
    parser.add_argument("principal", metavar="PRINCIPAL", help="name, ARN, logical id or URN")
    parser.add_argument("action", metavar="ACTION", help='an action such as "kms:Decrypt"')
    add_key(parser)


def add_key(parser: argparse.ArgumentParser) -> None:
    """The argument that names a key."""
    parser.add_argument("key", metavar="KEY", help="alias, ARN, logical id, URN or construct path")


def action_asked(args: argparse.Namespace) -> str:
    """The action in AWS's spelling. Raises `UsageError` for one that does not exist."""
    from kms_access.inventory.actions import closest_action, find_action

    info = find_action(args.action)
    if info is None:
        close = closest_action(args.action)
        hint = f', did you mean "{close}"?' if close else ""
        raise UsageError(f'unknown action "{args.action}"{hint}')
    return info.name


def asked(args: argparse.Namespace, facts: AccessMap) -> tuple[Subject, Key]:
    """Principal and key. Raises `UsageError` for those that are not there or not unique."""
    from kms_access.decisions.lookup import LookupFailed, find_subject

    try:
        subject = find_subject(facts, args.principal)
    except LookupFailed as error:
        raise UsageError(str(error)) from None
    return subject, key_asked(args, facts)


def key_asked(args: argparse.Namespace, facts: AccessMap) -> Key:
    """The key. Raises `UsageError` for one that is not there or not unique."""
    from kms_access.decisions.lookup import LookupFailed, find_key

    try:
        return find_key(facts, args.key)
    except LookupFailed as error:
        raise UsageError(str(error)) from None


def organization_of(rules: Rules) -> Organization:
    """What the rules file declares about the organization and its accounts."""
    from kms_access.decisions.static_facts import Organization

    return Organization(rules.organization, frozenset(rules.accounts.values()))


def code_of(state: AccessState) -> int:
    """0 for a yes, 1 for a no, 3 for all that is open or hangs on a condition."""
    if state.is_denied:
        return VIOLATED
    return PROVEN if state.rank == 0 else UNDECIDED
