"""The waivers of a rules file."""

from __future__ import annotations

import re
from datetime import date

from kms_access.rules.checks import CHECKS
from kms_access.rules.file_format import ABOUT_FINDINGS, MAXIMUM_DAYS, WaiverEntry
from kms_access.rules.model import Waiver
from kms_access.rules.patterns import DATE, FINGERPRINT
from kms_access.rules.permission_entries import actions_of_word
from kms_access.rules.principal_entries import account_id
from kms_access.rules.reading import fields_of, mapping_of, text_of, texts_of, unknown
from kms_access.rules.yaml_nodes import Node, Place, Scalar

_DATE = re.compile(DATE, re.ASCII)
_FINGERPRINT = re.compile(FINGERPRINT, re.ASCII)
_DAYS = re.compile("[1-9][0-9]*", re.ASCII)


def waivers_of(nodes: list[Node]) -> tuple[Waiver, ...]:
    """The items of `waivers`. Raises `RulesError` for two that accept the same."""
    seen: dict[tuple[object, ...], Place] = {}
    waivers = []
    for node in nodes:
        waiver = _waiver(node)
        accepts = (
            *(waiver.check, waiver.key, waiver.principal),
            *(waiver.actions, waiver.fingerprint),
        )
        if accepts in seen:
            raise waiver.place.error(
                f"a second waiver accepts the same, the first stands in {seen[accepts]}"
            )
        seen[accepts] = waiver.place
        waivers.append(waiver)
    return tuple(waivers)


def _waiver(node: Node) -> Waiver:
    mapping = mapping_of(node, "an item of waivers")
    fields = fields_of(mapping, WaiverEntry, "a waiver")
    capabilities = texts_of(fields.get("capabilities"), '"capabilities"')
    if "capabilities" in fields and not capabilities:
        raise fields["capabilities"].place.error('"capabilities" is empty')
    finding = text_of(fields["finding"], '"finding"') if "finding" in fields else None
    if finding is not None and not _FINGERPRINT.fullmatch(finding.text):
        raise finding.place.error(
            f'"{finding.text}" is no fingerprint of sixteen digits from 0 to f'
        )
    return Waiver(
        _check(text_of(fields["check"], '"check"')),
        _name(text_of(fields["key"], '"key"'), "key"),
        _principal(text_of(fields["principal"], '"principal"')) if "principal" in fields else "",
        tuple(text.text for text in capabilities),
        text_of(fields["reason"], '"reason"').text,
        text_of(fields["owner"], '"owner"').text,
        _day(text_of(fields["expires"], '"expires"')),
        mapping.place,
        finding.text if finding is not None else "",
        frozenset().union(*map(actions_of_word, capabilities)),
    )


def _check(word: Scalar) -> str:
    if word.text in ABOUT_FINDINGS:
        raise word.place.error(
            f'a finding of "{word.text}" cannot be waived', 'set its level under "checks"'
        )
    if word.text not in CHECKS:
        raise unknown(word, (check for check in CHECKS if check not in ABOUT_FINDINGS), "check")
    return word.text


def _name(text: Scalar, what: str) -> str:
    if "*" in text.text or "?" in text.text:
        raise text.place.error(
            f'"{text.text}" has a wildcard, a waiver names one {what}',
            f"write a waiver for each {what}",
        )
    return text.text


def _principal(text: Scalar) -> str:
    return account_id(text) if text.text.isdigit() else _name(text, "principal")


def _day(text: Scalar) -> date:
    if not _DATE.fullmatch(text.text):
        raise text.place.error(
            f'"{text.text}" is no day in the form YYYY-MM-DD', 'write for example "2027-03-31"'
        )
    try:
        return date(*map(int, text.text.split("-")))
    except ValueError:
        raise text.place.error(f'there is no day "{text.text}" in the calendar') from None


def at_most_days(node: Node) -> int:
    """How far ahead a waiver may expire."""
    text = text_of(node, '"waivers-at-most-days"')
    if not _DAYS.fullmatch(text.text) or len(text.text) > 4 or int(text.text) > MAXIMUM_DAYS:
        raise text.place.error(
            f'"{text.text}" is no number of days, accepted are 1 to {MAXIMUM_DAYS}'
        )
    return int(text.text)
