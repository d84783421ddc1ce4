"""The key rules of a rules file."""

from __future__ import annotations

import re

from kms_access.rules.file_format import KeyEntry, MatchEntry
from kms_access.rules.model import KeyMatch, KeyRule, Team
from kms_access.rules.patterns import ARN
from kms_access.rules.permission_entries import permissions_of
from kms_access.rules.principal_entries import tags_of
from kms_access.rules.reading import fields_of, mapping_of, one_of, text_of
from kms_access.rules.yaml_nodes import Node, Place, Scalar

_ARN = re.compile(ARN, re.DOTALL)
_DELEGATION = ("allowed", "forbidden")


def key_rules_of(nodes: list[Node], teams: dict[str, Team]) -> tuple[KeyRule, ...]:
    """The items of `keys`. Raises `RulesError` for a name that two of them have."""
    seen: dict[str, Place] = {}
    rules = []
    for node in nodes:
        rule, name = _key_rule(node, teams)
        if rule.name in seen:
            raise name.place.error(
                f'a second key rule has the name "{rule.name}", the first stands in '
                f"{seen[rule.name]}"
            )
        seen[rule.name] = name.place
        rules.append(rule)
    return tuple(rules)


def _key_rule(node: Node, teams: dict[str, Team]) -> tuple[KeyRule, Scalar]:
    mapping = mapping_of(node, "an item of keys")
    fields = fields_of(mapping, KeyEntry, "a key rule")
    name = text_of(fields["name"], '"name"')
    delegation = fields.get("iam-delegation")
    word = ""
    if delegation is not None:
        word = one_of(delegation, _DELEGATION, '"iam-delegation"', 'value of "iam-delegation"')
    place = delegation.place if delegation is not None else None
    rule = KeyRule(
        name.text,
        _match(fields["match"]),
        permissions_of(fields.get("allow"), teams, '"allow"', limits=True),
        permissions_of(fields.get("require"), teams, '"require"', limits=False),
        mapping.place,
        place if word == "forbidden" else None,
        place if word == "allowed" else None,
    )
    return rule, name


def _match(node: Node) -> KeyMatch:
    mapping = mapping_of(node, '"match"')
    fields = fields_of(mapping, MatchEntry, '"match"')
    if not fields:
        names = ", ".join(MatchEntry.__annotations__)
        raise mapping.place.error(f'"match" is empty, accepted are {names}')
    texts = {name: text_of(value, f'"{name}"') for name, value in fields.items() if name != "tags"}
    alias = texts.get("alias")
    if alias is not None and not alias.text.startswith("alias/"):
        raise alias.place.error(f'the alias "{alias.text}" does not begin with "alias/"')
    arn = texts.get("arn")
    if arn is not None and not _ARN.fullmatch(arn.text):
        raise arn.place.error(
            f'"{arn.text}" is no ARN of six parts', 'write for example "arn:aws:kms:*:*:key/1234*"'
        )
    return KeyMatch(
        **{name: value.text for name, value in texts.items()}, tags=tags_of(fields.get("tags"))
    )
