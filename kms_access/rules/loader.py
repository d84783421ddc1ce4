"""access-rules.yaml -> Rules, with errors that name file, line, column and what is accepted."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from pathlib import Path

from kms_access.inventory.actions import (
    CAPABILITIES,
    closest_action,
    expand_capability,
    find_action,
)
from kms_access.policies.principals import ACCOUNT_ID
from kms_access.rules.checks import CHECKS
from kms_access.rules.model import (
    KeyMatch,
    KeyRule,
    Level,
    Permission,
    PrincipalPattern,
    Rules,
    Team,
)
from kms_access.rules.yaml_nodes import (
    Entry,
    Mapping,
    Node,
    Place,
    RulesError,
    Scalar,
    Sequence,
    read_yaml,
)

VERSION = "1"
_ORGANIZATION = re.compile(r"o-[a-z0-9]{10,32}", re.ASCII)
_SERVICE = re.compile(r"[a-z0-9.-]+\.amazonaws\.com(\.cn)?", re.ASCII)
_PRINCIPAL_FORMS = (
    '"role/NAME", "user/NAME", an ARN, a service such as "cloudtrail.amazonaws.com", '
    "a quoted account id or an organization id"
)
_KEY_FIELDS = ("name", "match", "allow", "require", "iam-delegation")
_DELEGATION = ("allowed", "forbidden")
_FIELDS = ("version", "accounts", "organization", "deployers", "teams", "keys", "checks")


def load_rules(path: Path) -> Rules:
    """Read a rules file; relative paths are shown in messages as given.

    Raises `RulesError` with file, line and column for everything that is not as documented.
    """
    shown = path.as_posix()
    root = _mapping(read_yaml(path, shown), "a rules file")
    fields = _fields(root, _FIELDS, "the rules file")
    if "version" not in fields:
        raise root.place.error('"version" is missing', 'begin the file with "version: 1"')
    version = _text(fields["version"], '"version"')
    if version.text != VERSION:
        raise version.place.error(f'version "{version.text}" is not known, accepted is {VERSION}')
    teams = _teams(fields.get("teams"))
    return Rules(
        shown,
        _accounts(fields.get("accounts")),
        _organization(fields.get("organization")),
        _principals(fields.get("deployers"), '"deployers"'),
        teams,
        _keys(fields.get("keys"), teams),
        _checks(fields.get("checks")),
    )


def _describe(node: Node) -> str:
    if isinstance(node, Scalar):
        return f'"{node.text}"'
    return "a list" if isinstance(node, Sequence) else "a mapping"


def _mapping(node: Node, what: str) -> Mapping:
    if not isinstance(node, Mapping):
        raise node.place.error(f"{what} is {_describe(node)}, a mapping is expected")
    return node


def _sequence(node: Node, what: str) -> Sequence:
    if not isinstance(node, Sequence):
        raise node.place.error(f"{what} is {_describe(node)}, a list is expected")
    return node


def _text(node: Node, what: str) -> Scalar:
    if not isinstance(node, Scalar):
        raise node.place.error(f"{what} is {_describe(node)}, text is expected")
    if node.text == "":
        raise node.place.error(f"{what} is empty")
    return node


def _unknown(key: Scalar, accepted: Iterable[str], what: str) -> RulesError:
    names = list(accepted)
    close = difflib.get_close_matches(key.text, names, 1)
    return key.place.error(
        f'unknown {what} "{key.text}", accepted are {", ".join(names)}',
        f'did you mean "{close[0]}"?' if close else "",
    )


def _fields(node: Mapping, accepted: tuple[str, ...], what: str) -> dict[str, Node]:
    for entry in node.entries:
        if entry.key.text not in accepted:
            raise _unknown(entry.key, accepted, f"field of {what}")
    return {entry.key.text: entry.value for entry in node.entries}


def _entries(node: Node | None, what: str) -> tuple[Entry, ...]:
    return () if node is None else _mapping(node, what).entries


def _account_id(node: Scalar) -> str:
    if not node.quoted:
        raise node.place.error(
            f"the account id {node.text} is not quoted", f'write "{node.text}", ids are text'
        )
    if not ACCOUNT_ID.fullmatch(node.text):
        raise node.place.error(f'"{node.text}" is no account id of twelve digits')
    return node.text


def _accounts(node: Node | None) -> dict[str, str]:
    return {
        entry.key.text: _account_id(_text(entry.value, f'account "{entry.key.text}"'))
        for entry in _entries(node, '"accounts"')
    }


def _organization(node: Node | None) -> str:
    if node is None:
        return ""
    text = _text(node, '"organization"')
    if not _ORGANIZATION.fullmatch(text.text):
        raise text.place.error(f'"{text.text}" is no organization id such as "o-a1b2c3d4e5"')
    return text.text


def _principals(node: Node | None, what: str) -> tuple[PrincipalPattern, ...]:
    if node is None:
        return ()
    return tuple(_principal(_text(item, what)) for item in _sequence(node, what).items)


def _principal(node: Scalar) -> PrincipalPattern:
    text = node.text
    if text.isdigit():
        _account_id(node)
    elif not (
        text.startswith(("role/", "user/", "arn:"))
        or _SERVICE.fullmatch(text)
        or _ORGANIZATION.fullmatch(text)
    ):
        raise node.place.error(f'"{text}" is no principal, accepted are {_PRINCIPAL_FORMS}')
    return PrincipalPattern(text, node.place)


def _tags(node: Node | None, what: str) -> dict[str, str]:
    return {
        entry.key.text: _text(entry.value, f'tag "{entry.key.text}"').text
        for entry in _entries(node, what)
    }


def _teams(node: Node | None) -> dict[str, Team]:
    teams = {}
    for entry in _entries(node, '"teams"'):
        name = entry.key.text
        what = f'team "{name}"'
        mapping = _mapping(entry.value, what)
        fields = _fields(mapping, ("principals", "tags", "definitions"), what)
        if not fields:
            raise mapping.place.error(f"{what} has nobody in it")
        definitions = fields.get("definitions")
        items = _sequence(definitions, '"definitions"').items if definitions else ()
        teams[name] = Team(
            name,
            _principals(fields.get("principals"), '"principals"'),
            _tags(fields.get("tags"), '"tags"'),
            tuple(_text(item, '"definitions"').text for item in items),
            entry.key.place,
        )
    return teams


def _keys(node: Node | None, teams: dict[str, Team]) -> tuple[KeyRule, ...]:
    if node is None:
        return ()
    return tuple(_key(item, teams) for item in _sequence(node, '"keys"').items)


def _key(node: Node, teams: dict[str, Team]) -> KeyRule:
    mapping = _mapping(node, "an item of keys")
    fields = _fields(mapping, _KEY_FIELDS, "a key rule")
    for needed in ("name", "match"):
        if needed not in fields:
            raise mapping.place.error(f'"{needed}" is missing in a key rule')
    return KeyRule(
        _text(fields["name"], '"name"').text,
        _match(fields["match"]),
        _permissions(fields.get("allow"), teams, '"allow"'),
        _permissions(fields.get("require"), teams, '"require"'),
        mapping.place,
        _delegation_forbidden(fields.get("iam-delegation")),
    )


def _delegation_forbidden(node: Node | None) -> Place | None:
    if node is None:
        return None
    word = _text(node, '"iam-delegation"')
    if word.text not in _DELEGATION:
        raise _unknown(word, _DELEGATION, 'value of "iam-delegation"')
    return word.place if word.text == "forbidden" else None


def _match(node: Node) -> KeyMatch:
    mapping = _mapping(node, '"match"')
    names = ("alias", "arn", "id", "path", "urn", "stack", "tags")
    fields = _fields(mapping, names, '"match"')
    if not fields:
        raise mapping.place.error(f'"match" is empty, accepted are {", ".join(names)}')
    texts = {name: _text(value, f'"{name}"') for name, value in fields.items() if name != "tags"}
    alias = texts.get("alias")
    if alias is not None and not alias.text.startswith("alias/"):
        raise alias.place.error(f'the alias "{alias.text}" does not begin with "alias/"')
    return KeyMatch(
        **{name: value.text for name, value in texts.items()},
        tags=_tags(fields.get("tags"), '"tags"'),
    )


def _permissions(
    node: Node | None, teams: dict[str, Team], what: str
) -> dict[str, tuple[Permission, ...]]:
    result = {}
    for entry in _entries(node, what):
        if entry.key.text not in teams:
            raise _unknown(entry.key, teams, "team")
        items = _sequence(entry.value, f'the list of team "{entry.key.text}"').items
        result[entry.key.text] = tuple(_permission(_text(item, what)) for item in items)
    return result


def _permission(node: Scalar) -> Permission:
    word = node.text
    if ":" in word:
        info = find_action(word)
        if info is None:
            close = closest_action(word)
            raise node.place.error(
                f'unknown action "{word}"', f'did you mean "{close}"?' if close else ""
            )
        return Permission(word, frozenset({info.name}), node.place)
    accepted = ("use", *CAPABILITIES)
    if word not in accepted:
        raise _unknown(node, accepted, "capability")
    return Permission(word, expand_capability(word), node.place)


def _checks(node: Node | None) -> dict[str, Level]:
    levels = {}
    for entry in _entries(node, '"checks"'):
        if entry.key.text not in CHECKS:
            raise _unknown(entry.key, CHECKS, "check")
        value = _text(entry.value, f'the level of "{entry.key.text}"')
        names = [level.value for level in Level]
        if value.text not in names:
            raise _unknown(value, names, "level")
        levels[entry.key.text] = Level(value.text)
    return levels
