"""The values of a request key that a set of questions tells apart (design 4.3)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_CEILING, Decimal
from itertools import combinations, islice, pairwise
from typing import TypeAlias

from kms_access.decisions.request import MULTIVALUED_KEYS
from kms_access.decisions.request_parameters import is_filled
from kms_access.decisions.variable_values import values_through_variables, with_shared_value
from kms_access.inventory.actions import CONDITION_KEY_TYPES, KMS_ACTIONS
from kms_access.policies.arns import SEGMENTS
from kms_access.policies.conditions import Condition, Quantifier
from kms_access.policies.context import (
    ABSENT,
    SESSION_NAME,
    Absent,
    KeyState,
    Present,
    RequestContext,
)
from kms_access.policies.document import Covers
from kms_access.policies.formula import Question
from kms_access.policies.operators import Operator, read_date, read_number
from kms_access.policies.overlap import ANY_ONE, ANY_SEQUENCE
from kms_access.policies.principals import SessionNamed
from kms_access.policies.samples import has_wildcards, samples
from kms_access.policies.text import DIGIT, Text, Unknown, Value
from kms_access.policies.wildcards import fold_case, glob_matches

ALWAYS_PRESENT = frozenset(
    {
        "aws:currenttime",
        "aws:epochtime",
        "aws:securetransport",
        "aws:viaawsservice",
        SESSION_NAME,
    }
)
"""Keys that every request has (IAM: AWS global condition context keys)."""

_BOOLEAN_KEYS = {fold_case(k) for k, kind in CONDITION_KEY_TYPES.items() if kind == "Bool"} | {
    "aws:securetransport",
    "aws:multifactorauthpresent",
    "aws:viaawsservice",
    "aws:principalisawsservice",
}
_GRANT_OPERATIONS = tuple(
    action.name.removeprefix("kms:") for action in KMS_ACTIONS.values() if action.grantable
)
_OTHER = Text((Unknown("another value", stranger=True, of_request=True),))
_OTHER_ADDRESSES = ("198.51.100.7", "203.0.113.9", "192.0.2.4", "2001:db8::7", "8.8.8.8")
_ACCOUNT_DIGITS = 12
_MAXIMUM_LISTS = 500
"""How many lists of several values are tried before the choices count as incomplete."""
_MAXIMUM_ANSWERS = 4_000
"""How many answers are compared to leave out states that no question tells apart."""
_SAME_SECOND = Decimal(1)


_Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Choices:
    """The states of a key, or the strings for an unknown part, that matter.

    `exact` is false if another one may matter too.
    """

    states: tuple[KeyState | str, ...]
    exact: bool


def choices(
    key: str,
    questions: Sequence[Question],
    context: RequestContext,
    action: str,
    named: frozenset[str] = frozenset(),
) -> Choices:
    """The states of `key`, absence first, that `questions` about it tell apart, one for each way.

    `context` is that of the open request; values of policy variables are taken from it. `named`
    are values, in lower case, that other keys are about: no other value stands for them.
    """
    values, exact = values_of(key, questions, context)
    through = [v for q in questions for v in values_through_variables(key, q, context)]
    values = list(dict.fromkeys([*values, *through]))
    several = _holds_list(key, questions)
    single: list[KeyState] = [Present((value,), multivalued=several) for value in values]
    alone = all(_asks_for_nothing_else(question, key, context) for question in questions)
    if alone:
        single = _told_apart(key, single, questions, context, named)
    states: list[KeyState] = [] if _is_always_present(key, action) else [ABSENT]
    states += single
    if several:
        # One value for each question that one value decides is enough (K127, K128).
        lists = [
            Present(tuple(_items(group)), multivalued=True)
            for group in islice(_groups(single, len(questions)), _MAXIMUM_LISTS + 1)
        ]
        exact &= len(lists) <= _MAXIMUM_LISTS
        states += lists
    if alone:
        states = _told_apart(key, states, questions, context, named)
    return Choices(tuple(states), exact and alone)


def _groups(states: Sequence[KeyState], most: int) -> Iterator[tuple[KeyState, ...]]:
    for size in range(2, min(len(states), most) + 1):
        yield from combinations(states, size)


def _asks_for_nothing_else(question: Question, key: str, context: RequestContext) -> bool:
    """Whether the key alone decides the question, as far as facts do not."""
    if isinstance(question, Covers):
        return False
    if isinstance(question, Condition) and fold_case(question.key) != key:
        return False
    others = (context.lookup(name) for name in question.keys if name != key)
    return all(isinstance(state, Present | Absent) for state in others)


def _items(states: Iterable[KeyState]) -> Iterator[Value]:
    for state in states:
        if isinstance(state, Present):
            yield from state.values


def fills(
    unknown: Unknown, questions: Sequence[Question], context: RequestContext
) -> tuple[tuple[str, ...], bool]:
    """Values for an unknown part of what the request brings, such as a name, and if they do.

    One for each pattern that a question compares with a text that holds the part, and one that
    none of them covers. They are exact as long as one set of patterns is asked for.
    """
    found: dict[str, None] = {}
    groups: set[frozenset[Value]] = set()
    is_number = unknown.characters == DIGIT
    for question in questions:
        for key in question.keys:
            state = context.lookup(key)
            texts = state.values if isinstance(state, Present) else ()
            holding = [t for t in texts if isinstance(t, Text) and unknown in t.parts]
            policy_values = _asked(question, key, context)[0] if holding else []
            groups.add(frozenset(policy_values))
            for text in holding:
                for value in policy_values:
                    shape = _shape(text, unknown)
                    for instance in _instances(value, is_number=is_number):
                        match = shape.fullmatch(instance)
                        if match and (not is_number or len(match.group(1)) == _ACCOUNT_DIGITS):
                            found[match.group(1)] = None
    found["098765432109" if is_number else "someone-else"] = None
    plain = all(isinstance(q, Condition) and not q.templates for q in questions)
    return tuple(found), plain and len(groups - {frozenset()}) < 2


def _shape(text: Text, unknown: Unknown) -> re.Pattern[str]:
    """The text as a regular expression whose first group is the unknown part."""
    pieces: list[str] = []
    for part in text.parts:
        if isinstance(part, str):
            pieces.append(re.escape(part))
        else:
            own = part == unknown and not any(piece.startswith("(") for piece in pieces)
            others = ".+" if part.can_hold(":") else "[^:]+"
            pieces.append(f"({part.characters}+)" if own else others)
    return re.compile("".join(pieces), re.DOTALL)


def _instances(value: Value, *, is_number: bool) -> Iterator[str]:
    pattern = str(value)
    if not is_number:
        for fill in ("any", "role/any", "user/any", ""):
            yield pattern.replace(ANY_SEQUENCE, fill).replace(ANY_ONE, "x")
        return
    for length in range(_ACCOUNT_DIGITS + 1):
        yield pattern.replace(ANY_SEQUENCE, "9" * length).replace(ANY_ONE, "9")


def _is_always_present(key: str, action: str) -> bool:
    if key == "kms:grantoperations":
        # CreateGrant needs at least one operation (K109).
        return fold_case(action) == "kms:creategrant"
    return key in ALWAYS_PRESENT or is_filled(key, action)


def _holds_list(key: str, about: Iterable[Question]) -> bool:
    """Whether the key has several values; of a key that no list knows its conditions tell."""
    if key in MULTIVALUED_KEYS:
        return True
    if key.startswith(("aws:", "kms:")):
        return False
    return any(isinstance(q, Condition) and q.quantifier is not Quantifier.SINGLE for q in about)


def _told_apart(
    key: str,
    states: Iterable[KeyState],
    about: Sequence[Question],
    context: RequestContext,
    named: frozenset[str],
) -> list[KeyState]:
    """The first state for each combination of answers; all of them where that is much work.

    A key that is absent is told apart from any value, because other keys may go with that.
    """
    states = list(states)
    if len(states) * len(about) > _MAXIMUM_ANSWERS:
        return states
    found: dict[tuple[object, ...], KeyState] = {}
    for state in states:
        alone = RequestContext({**context.values, key: state}, context.otherwise)
        answers = tuple(question.holds(alone).truth for question in about)
        values = state.values if isinstance(state, Present) else ()
        mentioned = named.intersection(fold_case(str(value)) for value in values)
        found.setdefault((state == ABSENT, mentioned, *answers), state)
    return list(found.values())


def values_of(
    key: str, about: Sequence[Question], context: RequestContext
) -> tuple[list[Value], bool]:
    """The values of `key` that the questions may tell apart, and whether these are all."""
    if key in _BOOLEAN_KEYS:
        return ["true", "false"], True
    texts: list[tuple[str, ...]] = []
    arns: list[tuple[str, ...]] = []
    unknown: list[Value] = []
    typed: dict[str, list[str]] = {}
    families: set[str] = set()
    words: set[str] = set()
    spelled_patterns: list[str] = []
    for question in about:
        policy_values, operator = _asked(question, key, context)
        if operator is None and not policy_values:
            continue
        family = _family(operator)
        families.add(family)
        known = tuple(value for value in policy_values if isinstance(value, str))
        unknown += [value for value in policy_values if isinstance(value, Text)]
        if family == "text":
            texts.append(known)
            if operator is not None and "IgnoreCase" in operator.name:
                texts += [(spelled,) for v in known for spelled in _spellings(v)]
                words.update(map(fold_case, known))
            else:
                spelled_patterns += known
        elif family == "arn":
            arns.append(known)
        else:
            typed.setdefault(family, []).extend(known)
    values: dict[Value, None] = {}
    # A word has more spellings than are tried: they matter to patterns that some of them meet.
    meet = any(glob_matches(fold_case(p), word) for p in spelled_patterns for word in words)
    exact = len(families) < 2 and not meet
    for groups, segments in ((texts, 1), (arns, SEGMENTS)):
        if groups:
            found, complete = samples(groups, segments=segments)
            values |= dict.fromkeys(found)
            exact &= complete
    if unknown:
        patterns = (*unknown, *(p for groups in (texts, arns) for group in groups for p in group))
        if any(has_wildcards(str(pattern)) for pattern in patterns):
            exact = False
        else:
            # A literal may be the unknown value; another value that equals neither may not.
            values = dict.fromkeys(pattern for pattern in patterns)
        values |= dict.fromkeys([*unknown, _OTHER])
    for family, known_values in typed.items():
        values |= dict.fromkeys(_typed_values(family, known_values, key))
    if key == "kms:grantoperations":
        return _grant_operations(values), exact
    return list(values) if values or typed else ["other-value"], exact


def _spellings(word: str) -> tuple[str, ...]:
    return word.lower(), word.upper(), word.title(), word.capitalize(), word.swapcase()


def _asked(
    question: Question, key: str, context: RequestContext
) -> tuple[list[Value], Operator | None]:
    """The policy values that a question compares with the key, and how."""
    if isinstance(question, SessionNamed):
        return [question.session], None
    if not isinstance(question, Condition) or fold_case(question.key) != key:
        return [], None
    values = list(question.values) if question.operator is not None else []
    for template in question.templates:
        wildcards = question.operator is not None and question.operator.wildcards
        value = with_shared_value(template, context, wildcards=wildcards)
        if value is not None:
            values.append(value)
    return values, question.operator


def _family(operator: Operator | None) -> str:
    name = operator.name if operator is not None else "String"
    for start in ("Arn", "Numeric", "Date", "Bool", "Binary"):
        if name.startswith(start):
            return start.lower()
    return "ip" if "IpAddress" in name else "text"


def _typed_values(family: str, known: Sequence[str], key: str) -> Iterator[str]:
    if family == "bool":
        yield from ("true", "false")
    elif family == "binary":
        yield from (*known, "b3RoZXI=")
    elif family == "ip":
        yield from _addresses(known)
    else:
        yield from _around(family, known, whole=key.startswith(("aws:", "kms:")))


def _around(family: str, known: Sequence[str], *, whole: bool) -> Iterator[str]:
    """Each bound, and a value below, between and above; AWS's own numbers are `whole`, from 0."""
    read = read_number if family == "numeric" else read_date
    bounds: set[Decimal] = set()
    for text in known:
        try:
            bounds.add(read(text))
        except (ValueError, ArithmeticError):
            continue
    ordered = sorted(bounds)
    between = [(a + b) / 2 for a, b in pairwise(ordered)]
    outside = [ordered[0] - _SAME_SECOND, ordered[-1] + _SAME_SECOND] if ordered else []
    for number in (*outside, *ordered, *between):
        if family == "date":
            yield _date(number)
        elif not whole or (number >= 0 and number == number.to_integral_value()):
            yield format(number, "f")
        elif number >= 0 and any(
            a < number.to_integral_value(ROUND_CEILING) < b for a, b in pairwise(ordered)
        ):
            yield format(number.to_integral_value(ROUND_CEILING), "f")


def _date(seconds: Decimal) -> str:
    try:
        moment = datetime.fromtimestamp(float(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return str(int(seconds))
    return moment.replace(tzinfo=None).isoformat() + "Z"


def _addresses(known: Sequence[str]) -> Iterator[str]:
    """An address inside each network but outside the narrower ones, and one outside of all."""
    networks: list[_Network] = []
    for text in known:
        try:
            networks.append(ipaddress.ip_network(text, strict=False))
        except ValueError:
            continue
    for network in networks:
        inner = [
            n for n in networks if n.version == network.version and n.prefixlen > network.prefixlen
        ]
        edges = [network[0], network[-1]]
        edges += [n[-1] + 1 for n in inner if n[-1] != network[-1] and n[-1] in network]
        edges += [n[0] - 1 for n in inner if n[0] != network[0] and n[0] in network]
        free = [a for a in edges if a in network and not any(a in n for n in inner)]
        yield str((free or edges)[0])
    for text in _OTHER_ADDRESSES:
        address = ipaddress.ip_address(text)
        if not any(address.version == n.version and address in n for n in networks):
            yield text
            break


def _is_narrower(one: _Network, other: _Network) -> bool:
    return one.version == other.version and one.prefixlen > other.prefixlen


def _grant_operations(values: Iterable[Value]) -> list[Value]:
    """Only grantable operations can be asked for: those of the policies, and one more."""
    listed = [value for value in values if value in _GRANT_OPERATIONS or isinstance(value, Text)]
    other = [name for name in _GRANT_OPERATIONS if name not in listed]
    return [*listed, *other]
