"""Which keys a rule is for, and who belongs to a team: three-valued, for names not known yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kms_access.decisions.subjects import Subject, SubjectKind
from kms_access.inventory.model import Key
from kms_access.inventory.origin import Origin
from kms_access.policies.answers import NO, YES, Answer, all_of, any_of
from kms_access.policies.arns import ArnPattern, arn_segments
from kms_access.policies.overlap import same
from kms_access.policies.principals import ACCOUNT_ID, PrincipalKind
from kms_access.policies.text import Text, Value, concat
from kms_access.policies.wildcards import Pattern, with_wildcards
from kms_access.rules.model import KeyMatch, PrincipalPattern, Team

_NAMED = (SubjectKind.IDENTITY, SubjectKind.ELSEWHERE)


def key_matches(match: KeyMatch, key: Key) -> Answer:
    """Whether a rule is for this key: every field that is given must match."""
    answers = [_tags_match(match.tags, key.tags)]
    if match.alias is not None:
        answers.append(any_of(_glob(match.alias, alias) for alias in key.aliases))
    if match.arn is not None:
        answers.append(_arn_matches(match.arn, key.arn))
    origin = key.origin
    for pattern, texts in (
        (match.id, (origin.identity, origin.identity.rpartition("/")[2])),
        (match.path, places_of(origin)),
        (match.urn, (origin.identity,)),
        (match.stack, (origin.container,)),
    ):
        if pattern is not None:
            answers.append(any_of(_glob(pattern, text) for text in texts))
    return all_of(answers)


def places_of(origin: Origin) -> tuple[str, ...]:
    """The texts by which a rules file can mean a definition."""
    return (origin.identity, origin.label, f"{origin.container}/{origin.label}")


def _glob(pattern: str, text: Value) -> Answer:
    return Pattern.of(pattern).matches(text)


def _arn_matches(pattern: str, arn: Value) -> Answer:
    return ArnPattern.of(pattern, with_wildcards(pattern)).matches(arn)


def _tags_match(wanted: Mapping[str, str], tags: Mapping[str, Value]) -> Answer:
    return all_of(
        _glob(value, tags[name]) if name in tags else NO for name, value in wanted.items()
    )


@dataclass(frozen=True, slots=True)
class Accounts:
    """Where `role/NAME` means somebody: the listed accounts, and those of the keys at hand."""

    listed: frozenset[str]
    of_keys: frozenset[Value]

    def hold(self, account: Value) -> Answer:
        """Whether an account is one of them."""
        # An account that the deployment leaves open is where the rules are meant to hold.
        if not self.listed or (isinstance(account, Text) and account in self.of_keys):
            return YES
        return any_of(same(listed, account) for listed in sorted(self.listed))


def belongs_to(subject: Subject, team: Team, accounts: Accounts) -> Answer:
    """Whether a subject is one of the team's principals."""
    answers = [names_subject(pattern, subject, accounts) for pattern in team.principals]
    if team.tags and subject.kind is SubjectKind.IDENTITY:
        answers.append(_tags_match(team.tags, subject.tags))
    if subject.origin is not None:
        places = places_of(subject.origin)
        answers += [_glob(pattern, text) for pattern in team.definitions for text in places]
    return any_of(answers)


def names_subject(pattern: PrincipalPattern, subject: Subject, accounts: Accounts) -> Answer:
    """Whether a principal pattern of the rules file means this subject."""
    text = pattern.text
    if ACCOUNT_ID.fullmatch(text):
        return same(text, subject.account) if subject.account else NO
    if text.startswith("arn:"):
        # A session belongs to whom its role belongs to.
        role = subject.callers[0].principal.arn if subject.kind in _NAMED else subject.arn
        return _arn_matches(text, subject.arn) | _arn_matches(text, role)
    if text.startswith(("role/", "user/")):
        return _names_by_path(text, subject, accounts)
    return _glob(text, subject.arn)


def _names_by_path(text: str, subject: Subject, accounts: Accounts) -> Answer:
    """`role/NAME` matches the name with its path or without it, in the listed accounts."""
    segments = arn_segments(subject.arn)
    principal = subject.callers[0].principal
    kinds = (PrincipalKind.USER, PrincipalKind.ROLE)
    if subject.kind not in _NAMED or principal.kind not in kinds or segments is None:
        return NO
    kind = "user" if principal.kind is PrincipalKind.USER else "role"
    names = (concat((kind, principal.path_and_name)), concat((kind, "/", principal.name)))
    return any_of(_glob(text, name) for name in names) & accounts.hold(subject.account)


def deployers_among(
    patterns: Iterable[PrincipalPattern], subject: Subject, accounts: Accounts
) -> Answer:
    """Whether a subject is one of the configured deployers (K152)."""
    return any_of(names_subject(pattern, subject, accounts) for pattern in patterns)
