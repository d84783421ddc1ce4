"""How a rules file can name principals and keys of an inventory, so that nobody else is meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from kms_access.decisions.subjects import Subject, SubjectKind
from kms_access.inventory.model import Key
from kms_access.policies.answers import Truth
from kms_access.policies.principals import PrincipalKind
from kms_access.rules.matching import Accounts, belongs_to, key_matches, places_of
from kms_access.rules.model import KeyMatch, PrincipalPattern, Team
from kms_access.rules.yaml_nodes import Place

NOWHERE = Place("", 0, 0)
"""The place of what no file holds yet."""

_NAMED = (PrincipalKind.USER, PrincipalKind.ROLE)
_SHORTEST_PREFIX = 3
_SEPARATOR = re.compile(r"([-_.])")
_NOT_OF_A_NAME = re.compile(r"[^A-Za-z0-9_.-]+")


def key_matches_of(keys: Sequence[Key]) -> dict[str, KeyMatch]:
    """For each key, by its identity, a match that is for no other key."""
    return {key.origin.identity: _match(key, keys) for key in keys}


def _match(key: Key, keys: Sequence[Key]) -> KeyMatch:
    candidates = list(_matches(key))
    for match in candidates:
        others = (key_matches(match, other).truth for other in keys if other is not key)
        if key_matches(match, key).truth is Truth.TRUE and all(t is Truth.FALSE for t in others):
            return match
    return candidates[-1]


def _matches(key: Key) -> Iterator[KeyMatch]:
    origin = key.origin
    for alias in key.aliases:
        if isinstance(alias, str) and _is_plain(alias) and alias.startswith("alias/"):
            yield KeyMatch(alias=alias)
    if origin.identity.startswith("urn:"):
        yield KeyMatch(urn=origin.identity)
        return
    path = f"{origin.container}/{origin.label}"
    if origin.container and origin.label and _is_plain(path):
        yield KeyMatch(path=path)
    if isinstance(key.arn, str):
        yield KeyMatch(arn=key.arn)
    yield KeyMatch(id=origin.identity)


def _is_plain(text: str) -> bool:
    return not {*"*?"} & {*text}


def team_of(
    name: str, members: Sequence[Subject], everybody: Iterable[Subject], accounts: Accounts
) -> Team | None:
    """A team of exactly these members among everybody; None if one of them cannot be named.

    Where nothing better is there, somebody whose name is not known yet may belong to it as well.
    """
    others = [subject for subject in everybody if subject not in members]
    found = [_named(member, others, accounts) for member in members]
    teams = [team for team in found if team is not None]
    if len(teams) < len(members):
        return None
    principals = tuple(pattern for team in teams for pattern in team.principals)
    definitions = tuple(text for team in teams for text in team.definitions)
    return Team(name, principals, {}, definitions, NOWHERE)


def _named(member: Subject, others: Sequence[Subject], accounts: Accounts) -> Team | None:
    open_ones: list[Team] = []
    for candidate in _candidates(member, accounts):
        if belongs_to(member, candidate, accounts).truth is not Truth.TRUE:
            continue
        most = max((belongs_to(o, candidate, accounts).truth for o in others), default=Truth.FALSE)
        if most is Truth.FALSE:
            return candidate
        if most is Truth.UNKNOWN:
            open_ones.append(candidate)
    return open_ones[0] if open_ones else None


def _candidates(subject: Subject, accounts: Accounts) -> Iterator[Team]:
    """Teams of one pattern that may mean the subject, the most readable first."""
    for text in _patterns(subject, accounts):
        yield Team("", (PrincipalPattern(text, NOWHERE),), {}, (), NOWHERE)
    if subject.origin is not None:
        for place in reversed(places_of(subject.origin)):
            if _is_plain(place):
                yield Team("", (), {}, (place,), NOWHERE)


def _patterns(subject: Subject, accounts: Accounts) -> Iterator[str]:
    principal = subject.callers[0].principal
    is_single = subject.kind in (SubjectKind.IDENTITY, SubjectKind.ELSEWHERE)
    if is_single and principal.kind in _NAMED and principal.session is None:
        path, is_ours = principal.path_and_name, accounts.hold(subject.account).truth
        if isinstance(path, str) and is_ours is Truth.TRUE and _is_plain(path):
            yield ("user" if principal.kind is PrincipalKind.USER else "role") + path
    if subject.kind is SubjectKind.ACCOUNT:
        if isinstance(subject.account, str):
            yield subject.account
    elif isinstance(subject.arn, str) and _is_plain(subject.arn):
        yield subject.arn


def team_name(members: Sequence[Subject], taken: Iterable[str]) -> str:
    """A name for a team: that of its only member, or the words with which all names begin."""
    names = [_NOT_OF_A_NAME.sub("-", _short(member)).strip("-") for member in members]
    name = names[0] if len(names) == 1 else _common_start(names)
    return free_name(name or "team", taken)


def first_word(subject: Subject) -> str:
    """What the names of one team begin with; the whole name if it is one word."""
    word = _SEPARATOR.split(_short(subject), maxsplit=1)[0]
    return word if len(word) >= _SHORTEST_PREFIX else _short(subject)


def _common_start(names: Sequence[str]) -> str:
    """The words with which all the names begin."""
    common: list[str] = []
    for pieces in zip(*map(_SEPARATOR.split, names), strict=False):
        if len(set(pieces)) > 1:
            break
        common.append(pieces[0])
    return "".join(common).rstrip("-_.")


def free_name(name: str, taken: Iterable[str]) -> str:
    """The name, with a number if it is taken."""
    used = {*taken}
    number = 2
    free = name
    while free in used:
        free, number = f"{name}-{number}", number + 1
    return free


def _short(subject: Subject) -> str:
    match subject.kind:
        case SubjectKind.ACCOUNT:
            return f"account-{subject.account}"
        case SubjectKind.SERVICE:
            return str(subject.arn).partition(".")[0]
        case SubjectKind.ORGANIZATION | SubjectKind.PROVIDER:
            return subject.label.rpartition(" ")[2]
    principal = subject.callers[0].principal
    if principal.kind is PrincipalKind.ROOT:
        return f"root-{subject.account}"
    name = principal.name
    if isinstance(name, str) and name:
        return name
    return subject.origin.label.rpartition("/")[0] or subject.origin.label if subject.origin else ""


def names_of_keys(keys: Sequence[Key]) -> Mapping[str, str]:
    """A name for the rule of each key, by its identity."""
    names: dict[str, str] = {}
    for key in keys:
        name = key.label.removeprefix("alias/")
        names[key.origin.identity] = free_name(name, names.values())
    return names
