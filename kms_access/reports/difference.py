"""What is gained and lost between two deployments, for a person: one block for each change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kms_access.decisions.access_difference import Change, Difference
from kms_access.decisions.access_facts import DIRECT, IDENTITY_POLICIES
from kms_access.decisions.proof import Hop
from kms_access.decisions.resolution import AccessState
from kms_access.decisions.term_words import describe_term
from kms_access.decisions.terms import ALWAYS, Term
from kms_access.inventory.actions import CAPABILITIES, find_action
from kms_access.reports.terminal import safe
from kms_access.reports.text import describe_place

_COLUMN = 62
_LABEL = "  {:<7}"
_SHOWN_ACTIONS = 8


def render_difference(difference: Difference) -> str:
    """Everything gained, lost and undecided with its proof, and a tally. Deterministic."""
    told = {
        "gained": _told(difference.gained),
        "lost": _told(difference.lost),
        "undecided": _told(difference.undecided),
    }
    blocks = [_block(word, change) for word, changes in told.items() for change in changes]
    blocks += (f"undecided  not evaluated: {safe(text)}" for text in difference.not_evaluated)
    counts = {word: len(changes) for word, changes in told.items()}
    counts["undecided"] += len(difference.not_evaluated)
    return "\n\n".join([*blocks, _tally(counts)]) + "\n"


def _told(changes: Iterable[Change]) -> list[Change]:
    every = tuple(changes)
    return [change for change in every if not _is_told_by_account(change, every)]


def _is_told_by_account(change: Change, others: Iterable[Change]) -> bool:
    """Whether a change of what identity policies can give is that of the account's row, too."""
    account = change.principal.identity.removeprefix(IDENTITY_POLICIES)
    return account != change.principal.identity and any(
        (other.principal.identity, other.key, other.way) == (account, change.key, DIRECT)
        and {*change.actions} <= {*other.actions}
        for other in others
    )


def _block(word: str, change: Change) -> str:
    lines = [f"{word}  {safe(_claim(word, change))}"]
    lines.append(_line("can", f"{_listed(change.actions):<40} {_when(change.term)}"))
    if change.was is not None:
        lines.append(_line("now" if word == "lost" else "was", _when(change.was)))
    if change.way != DIRECT:
        lines.append(_line("by", change.way))
    for number, hop in enumerate(change.proof, 1):
        lines.append(_hop("how" if number == 1 else "", number, hop))
    return "\n".join(lines)


def _claim(word: str, change: Change) -> str:
    what = _capabilities(change.actions)
    who, key = change.principal.label, change.key.label
    if who.startswith(IDENTITY_POLICIES):
        verb = "no longer give" if word == "lost" else "can give"
        return f"{who} {verb} {what} on key {key}"
    if word == "lost":
        return f"{who} no longer has {what} on key {key}{_unless_kept(change)}"
    if word == "undecided":
        return f"{who} may have {what} on key {key}"
    delegated = " if its account allows" if change.state is AccessState.DELEGATED else ""
    wider = " under a wider or another condition" if change.was is not None else ""
    return f"{who} has {what} on key {key}{delegated}{wider}"


def _unless_kept(change: Change) -> str:
    return " as surely" if change.was is not None else ""


def _capabilities(actions: Iterable[str]) -> str:
    infos = [find_action(action) for action in actions]
    found = {info.capability for info in infos if info}
    return ", ".join(capability for capability in CAPABILITIES if capability in found)


def _listed(actions: tuple[str, ...]) -> str:
    more = len(actions) - _SHOWN_ACTIONS
    return ", ".join(actions[:_SHOWN_ACTIONS]) + (f" and {more} more" if more > 0 else "")


def _when(term: Term) -> str:
    return "always" if term == ALWAYS else f"if {describe_term(term)}"


def _hop(label: str, number: int, hop: Hop) -> str:
    line = _line(label, f"{number} {hop.text}")
    return f"{line:<{_COLUMN}}  {safe(describe_place(hop.origin))}"


def _line(label: str, text: str) -> str:
    return _LABEL.format(label) + safe(text)


def _tally(counts: Mapping[str, int]) -> str:
    if not any(counts.values()):
        return "no difference in access"
    return ", ".join(f"{number} {word}" for word, number in counts.items())
