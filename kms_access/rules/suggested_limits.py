"""The limits of a permission that say what an access hangs on."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kms_access.decisions.terms import Asked, Every, Some, Term, Unless, Unsettled
from kms_access.policies.wildcards import fold_case
from kms_access.rules.model import Limit

_VIA_SERVICE = "kms:viaservice"
_IF_EXISTS = "IfExists"
_OPPOSITES = {
    **{f"String{name}": f"StringNot{name}" for name in ("Equals", "Like", "EqualsIgnoreCase")},
    **{f"Arn{name}": f"ArnNot{name}" for name in ("Equals", "Like")},
    "NumericEquals": "NumericNotEquals",
    "DateEquals": "DateNotEquals",
    "IpAddress": "NotIpAddress",
}
_NEGATIONS = {**_OPPOSITES, **{value: name for name, value in _OPPOSITES.items()}}
_BOTH = ("true", "false")


@dataclass(frozen=True, slots=True)
class Suggested:
    """The limits that together let the access through, none for free; and what they leave out.

    `left_out` are parts of the condition that no limit can say: the permission is wider by them.
    """

    limits: tuple[Limit, ...]
    left_out: tuple[Term, ...] = ()

    def joined(self, other: Suggested) -> Suggested:
        """What lets either access through."""
        limits = () if not (self.limits and other.limits) else (*self.limits, *other.limits)
        each = {repr(limit): limit for limit in limits}
        left_out = tuple(dict.fromkeys((*self.left_out, *other.left_out)))
        return Suggested(tuple(each[name] for name in sorted(each)), left_out)


FREE = Suggested(())


def limits_of(term: Term) -> Suggested:
    """The limits for an access that hangs on a term."""
    ways = term.parts if isinstance(term, Some) else frozenset({term})
    limits: list[Limit] = []
    left_out: list[Term] = []
    for way in sorted(ways, key=repr):
        limit, unsaid = _limit(way)
        left_out += unsaid
        if limit is None:
            return Suggested((), tuple(left_out))
        limits.append(limit)
    return Suggested(tuple(limits), tuple(left_out))


def _limit(term: Term) -> tuple[Limit | None, list[Term]]:
    parts = term.parts if isinstance(term, Every) else frozenset({term})
    block: dict[str, dict[str, tuple[str, ...]]] = {}
    via: tuple[str, ...] = ()
    left_out: list[Term] = []
    for part in sorted(parts, key=repr):
        if isinstance(part, Unsettled):
            continue
        test = _test(part)
        if test is None or test.shown in block.get(test.operator, {}):
            left_out.append(part)
        elif test.key == _VIA_SERVICE and test.operator == "StringEquals" and not via:
            via = tuple(sorted(test.values))
        else:
            block.setdefault(test.operator, {})[test.shown] = tuple(sorted(test.values))
    if via and _via_again(block):
        # "via" does not stand beside a condition on the same key.
        block.setdefault("StringEquals", {})["kms:ViaService"] = via
        via = ()
    return (Limit(via, block) if via or block else None), left_out


def _via_again(block: dict[str, dict[str, tuple[str, ...]]]) -> bool:
    return any(fold_case(key) == _VIA_SERVICE for tests in block.values() for key in tests)


def _test(term: Term) -> Asked | None:
    """The term as one line of a condition block, None if it is none."""
    if isinstance(term, Asked):
        is_written = term.operator.rpartition(":")[2][:1].isupper() and term.values
        has_unknown = any("<" in value for value in term.values)
        return term if is_written and not has_unknown else None
    if not isinstance(term, Unless) or not isinstance(term.part, Asked):
        return None
    asked = term.part
    if ":" in asked.operator or asked.operator.endswith(_IF_EXISTS):
        return None
    if asked.operator in ("Null", "Bool") and len(asked.values) == 1:
        (value,) = asked.values
        if value not in _BOTH:
            return None
        other = frozenset(_BOTH) - {value}
        # An absent key is not true: the opposite holds for it as well.
        operator = "Null" if asked.operator == "Null" else f"Bool{_IF_EXISTS}"
        return _test(replace(asked, operator=operator, values=other))
    opposite = _NEGATIONS.get(asked.operator)
    return _test(replace(asked, operator=opposite)) if opposite else None
