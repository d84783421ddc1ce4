"""Suggested rules as a commented rules file."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence

from kms_access.decisions.term_words import describe_term
from kms_access.rules.findings import Finding
from kms_access.rules.model import KeyMatch, KeyRule, Level, Limit, Permission, Rules, Team
from kms_access.rules.suggested_rules import Remark, Suggestion

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./@+=,:-]*[A-Za-z0-9_/*]|[A-Za-z_]", re.ASCII)
_RESERVED = ("null", "true", "false", "yes", "no", "on", "off", "y", "n")
_WIDTH = 98

_HEAD = """\
Written by kms-access init from the access that the definitions give today: kms-access check with
this file passes. It is a start. Tighten it line by line: whoever should not have a line's access
loses the line, and then check says where the access comes from."""

_QUIET = """\
Checks without findings today block if they find something tomorrow."""

_BASELINE = """\
Checks that have findings today are warnings, so that check passes. Fix or waive the findings and
set the check to "error". With a saved map (kms-access map --output FILE) and check --baseline FILE
they can be errors at once: then only new access blocks."""

_UNDECIDED = """\
Undecided is never a pass: as a warning, undecided access does not block. Decide each of these
and set the check back to "error"."""

_PARAMETERS = """\
The parameters with which the templates were read."""

_NO_DEPLOYERS = """\
Who creates the keys, for the check lockout, where the definitions do not say so:
deployers: [role/NAME]"""

_DEPLOYERS = """\
Who creates the keys, for the check lockout. Guessed: by their names, and since they can change the
key policies. That a deployer can do so is no finding."""


def suggested_text(suggestion: Suggestion) -> str:
    """The rules file, with comments that say what a reader has to know."""
    rules = suggestion.rules
    blocks = [
        _lines(_comment(_HEAD), ["version: 1"]),
        _accounts(rules),
        _parameters(rules),
        _deployers(rules),
        _teams(rules, suggestion.unnamed),
        _keys(rules, suggestion.remarks),
        _checks(rules, suggestion.standing),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _lines(*parts: Iterable[str]) -> str:
    return "\n".join(line for part in parts for line in part)


def _comment(text: str, indent: str = "") -> Iterator[str]:
    return (f"{indent}# {line}".rstrip() for line in text.splitlines())


def _wrapped(text: str, indent: str) -> Iterator[str]:
    """One remark as a comment; names come from the definitions, so it holds no line break."""
    safe = "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)
    lines = textwrap.wrap(safe, _WIDTH - len(indent) - 2, break_on_hyphens=False) or [""]
    yield f"{indent}# {lines[0]}"
    yield from (f"{indent}#   {line}" for line in lines[1:])


def _accounts(rules: Rules) -> str:
    if not rules.accounts:
        return ""
    return _lines(["accounts:"], (f'  {n}: "{account}"' for n, account in rules.accounts.items()))


def _parameters(rules: Rules) -> str:
    if not rules.parameters:
        return ""
    lines = (f"  {_text(name)}: {_quoted(value)}" for name, value in rules.parameters.items())
    return _lines(_comment(_PARAMETERS), ["parameters:"], lines)


def _deployers(rules: Rules) -> str:
    if not rules.deployers:
        return _lines(_comment(_NO_DEPLOYERS))
    patterns = _list(pattern.text for pattern in rules.deployers)
    return _lines(_comment(_DEPLOYERS), [f"deployers: {patterns}"])


def _teams(rules: Rules, unnamed: Iterable[str]) -> str:
    left = list(unnamed)
    lines = [
        line
        for name in left
        for line in _wrapped(f"no line can name {name} alone: it is in no team", "")
    ]
    if not rules.teams:
        return _lines(lines)
    return _lines(lines, ["teams:"], *(_team(team) for team in rules.teams.values()))


def _team(team: Team) -> Iterator[str]:
    yield f"  {_text(team.name)}:"
    if team.principals:
        yield from _field("    principals", [pattern.text for pattern in team.principals])
    if team.definitions:
        yield from _field("    definitions", team.definitions)


def _field(name: str, texts: Sequence[str]) -> Iterator[str]:
    """A list in one line if it fits, else one item a line."""
    line = f"{name}: {_list(texts)}"
    if len(line) <= _WIDTH:
        yield line
        return
    yield f"{name}:"
    indent = " " * (len(name) - len(name.lstrip()) + 2)
    yield from (f"{indent}- {_text(text)}" for text in texts)


def _keys(rules: Rules, remarks: Mapping[tuple[str, str], Remark]) -> str:
    if not rules.keys:
        return _lines(_comment("The definitions hold no KMS key."))
    return _lines(["keys:"], *(_key(rule, remarks) for rule in rules.keys))


def _key(rule: KeyRule, remarks: Mapping[tuple[str, str], Remark]) -> Iterator[str]:
    yield f"  - name: {_text(rule.name)}"
    yield f"    match: {{{_match(rule.match)}}}"
    if rule.delegation_forbidden is not None:
        yield "    iam-delegation: forbidden"
    else:
        yield from _wrapped(
            "the key policy lets identity policies give access; narrow it to the root user and "
            "set this to forbidden",
            "    ",
        )
        yield "    iam-delegation: allowed"
    if not rule.allow:
        yield from _wrapped("nobody has access today", "    ")
        return
    yield "    allow:"
    for team, permissions in rule.allow.items():
        yield from _allow(team, permissions, remarks.get((rule.name, team), Remark()))


def _allow(team: str, permissions: Sequence[Permission], remark: Remark) -> Iterator[str]:
    for way in remark.by_roles:
        yield from _wrapped(f"also by {way}", "      ")
    for term in remark.unsaid:
        yield from _wrapped(
            f"wider than today, when: {describe_term(term)}; check --baseline watches it", "      "
        )
    if all(permission.limit is None for permission in permissions):
        yield from _field(f"      {_text(team)}", [permission.word for permission in permissions])
        return
    yield f"      {_text(team)}:"
    for permission in permissions:
        if permission.limit is None:
            yield f"        - {_text(permission.word)}"
        else:
            yield f"        - {_text(permission.word)}: {{{_limit(permission.limit)}}}"


def _limit(limit: Limit) -> str:
    parts = [f"via: {_list(limit.via)}"] if limit.via else []
    if limit.when:
        operators = (
            f"{_text(operator)}: {{{', '.join(_test(*test) for test in tests.items())}}}"
            for operator, tests in limit.when.items()
        )
        parts.append(f"when: {{{', '.join(operators)}}}")
    return ", ".join(parts)


def _test(key: str, values: Sequence[str]) -> str:
    return f"{_text(key)}: [{', '.join(map(_quoted, values))}]"


def _match(match: KeyMatch) -> str:
    fields = ("alias", "arn", "id", "path", "urn", "stack")
    given = ((name, getattr(match, name)) for name in fields)
    return ", ".join(f"{name}: {_text(value)}" for name, value in given if value is not None)


def _checks(rules: Rules, standing: Mapping[str, tuple[Finding, ...]]) -> str:
    if not rules.checks:
        return ""
    has_warnings = Level.WARNING in rules.checks.values()
    lines = [*_comment(_QUIET), *(_comment(_BASELINE) if has_warnings else ())]
    lines.append("checks:")
    for check, level in sorted(rules.checks.items()):
        lines += _check(check, level, standing.get(check, ()))
    return _lines(lines)


def _check(check: str, level: Level, findings: Sequence[Finding]) -> Iterator[str]:
    if check == "undecided" and findings:
        yield from _comment(_UNDECIDED, "  ")
    for claim in dict.fromkeys(finding.claim for finding in findings):
        yield from _wrapped(f"today: {claim}", "  ")
    yield f"  {check}: {_text(level.value)}"


def _list(texts: Iterable[str]) -> str:
    return f"[{', '.join(map(_text, texts))}]"


def _text(text: str) -> str:
    """Plain where YAML takes it for nothing but this text, also inside of brackets."""
    is_plain = _PLAIN.fullmatch(text) and text.lower() not in _RESERVED
    return text if is_plain and "," not in text and ": " not in text else _quoted(text)


def _quoted(text: str) -> str:
    return json.dumps(text)
