"""Terms in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kms_access.decisions.terms import Asked, Every, Some, Term, Unless, Unsettled


def describe_term(term: Term) -> str:
    """A condition in the words of a policy, whole."""
    match term:
        case Asked(_, operator, values):
            return f"{term.shown} {operator} {', '.join(_quoted(sorted(values)))}"
        case Unsettled(_, text):
            return text
        case Every(parts):
            return " and ".join(sorted(map(_inner, parts))) or "always"
        case Some(parts):
            return " or ".join(sorted(map(_inner, parts)))
        case Unless(part):
            return f"not ({describe_term(part)})"


def _inner(term: Term) -> str:
    text = describe_term(term)
    return f"({text})" if isinstance(term, Every | Some) and term.parts else text


def _quoted(values: Iterable[str]) -> Iterator[str]:
    return (f'"{value}"' for value in values)
