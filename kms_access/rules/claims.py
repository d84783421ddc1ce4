"""The claim of a finding: one line that is understood at a glance, whatever names it has."""

from __future__ import annotations

from kms_access.decisions.subjects import Subject, SubjectKind
from kms_access.inventory.model import Key
from kms_access.rules.model import Waiver
from kms_access.rules.waiver_days import title_of

LINE = 100
"""So long is the first line of a finding, `error  check  claim`, where names are short."""
ORDINARY_NAME = 40
"""Roles and aliases of thirty characters and more, and most services: such names stay whole."""

SHORTEST_NAME = 20


def claim(check: str, *ways: str, **names: str) -> str:
    """What a finding of the check claims: the first of the ways to say it that fits in a line.

    The ways go from the fullest to the barest and hold the names in braces; what a way leaves out
    must stand elsewhere in the finding. Where even the barest is too long, names longer than
    `ORDINARY_NAME` are shortened in their middle, and others only as long as the claim alone would
    not fit in a line.
    """
    # The level is that of the rules file: it must not change the words.
    room = LINE - len(f"warning  {check}  ")
    for way in ways:
        said = way.format(**names)
        if len(said) <= room:
            return said
    longest = max(map(len, names.values()))
    for length in range(min(longest, room), SHORTEST_NAME - 1, -1):
        said = ways[-1].format(**{name: shortened(text, length) for name, text in names.items()})
        if len(said) <= (room if length > ORDINARY_NAME else LINE):
            break
    return said


def shortened(name: str, length: int) -> str:
    """A text of at most that length: its begin and its end, which tell most names apart.

    It is cut between words where a word ends near.
    """
    if len(name) <= length:
        return name
    half = length // 2
    start, end = name[: length - 1 - half], name[-half:]
    if start.rfind(" ") > half // 2:
        start = start[: start.rfind(" ")]
    if 0 <= end.find(" ") < half // 2:
        end = end[end.find(" ") + 1 :]
    return f"{start}…{end}"


def name_of(subject: Subject, key: Key) -> str:
    """What claims about a key call a subject; the account of the key goes without saying."""
    if subject.kind is not SubjectKind.ACCOUNT:
        return subject.label
    own = subject.account == key.account
    return "any other identity of the account" if own else f"account {subject.account}"


def waiver_claim(check: str, waiver: Waiver, words: str) -> str:
    """What a finding of the check claims about a waiver: `waiver of … on alias/data expired …`."""
    return claim(
        check,
        f"waiver of {{excused}}{{whom}} on {{key}} {words}",
        f"waiver{{whom}} on {{key}} {words}",
        excused=waiver.check,
        whom=f" for {waiver.principal}" if waiver.principal else "",
        key=waiver.key,
    )


def left_out_of(said: str, waiver: Waiver) -> tuple[str, ...]:
    """A line with what the claim does not say of a waiver; none if it says all."""
    names = (waiver.check, waiver.principal, waiver.key)
    return () if all(name in said for name in names) else (f"this is {title_of(waiver)}",)
