"""What a statement says and what gives nothing: parts that any policy can have."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from kms_access.decisions.request import ENCRYPTION_CONTEXT, MULTIVALUED_KEYS
from kms_access.inventory.actions import closest_action, find_action
from kms_access.inventory.model import Policy
from kms_access.policies.answers import Truth
from kms_access.policies.conditions import Condition, Quantifier
from kms_access.policies.context import ABSENT, RequestContext
from kms_access.policies.document import Effect, PolicyDocument, Problem, Statement
from kms_access.policies.wildcards import fold_case

_PREFIX = "kms:"
_WILDCARDS = frozenset("*?")
_LISTS_OF_PATHS = "orgpaths"
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class InertPart:
    """A part of an Allow statement that gives nothing.

    `says` ends the sentence "statement 1 of the key policy …", `claim` says the same of the policy
    in few words; `rule` is the K rule behind it.
    """

    statement: Statement
    rule: str
    says: str
    claim: str
    fix: str

    @property
    def fact(self) -> str:
        """What tells the part from others, however its actions are written (K19)."""
        return fold_case(f"{self.rule} {self.says}")


def allows_of(policy: Policy) -> Iterator[Statement]:
    """The statements that surely allow and can be read: what is not is an invalid policy."""
    for statement in policy.document.statements:
        readable = statement.uncertain is None and not statement.inert
        if statement.effects == {Effect.ALLOW} and readable:
            yield statement


def literal_actions(statement: Statement) -> tuple[str, ...]:
    """The actions that a statement names without a wildcard, as written."""
    element = statement.action
    if element is None or element.negated:
        return ()
    written = (pattern.source for pattern in element.patterns)
    return tuple(w for w in written if isinstance(w, str) and _WILDCARDS.isdisjoint(w))


def is_about_kms(statement: Statement) -> bool:
    """Whether a statement names an action of KMS."""
    patterns = statement.action.patterns if statement.action is not None else ()
    return any(fold_case(str(pattern.source)).startswith(_PREFIX) for pattern in patterns)


def unknown_actions(statement: Statement) -> Iterator[InertPart]:
    """Actions of KMS that do not exist, as far as is known (K20)."""
    for written in literal_actions(statement):
        if fold_case(written).startswith(_PREFIX) and find_action(written) is None:
            close = closest_action(written)
            yield InertPart(
                statement,
                "K20",
                f'gives nothing by "{written}": no such action is known',
                f'allows "{written}" without effect',
                f"write {close}" if close else "write an action of KMS",
            )


def plain_variables(document: PolicyDocument, statement: Statement) -> Iterator[InertPart]:
    """Policy variables in a version of the language that has none (K31)."""
    for problem in document.problems:
        if problem.rule == "K31" and _stands_in(problem, statement):
            yield InertPart(
                statement,
                "K31",
                f"has no policy variable: {problem.message}",
                "takes a policy variable for plain text",
                'write "Version": "2012-10-17"',
            )


def _stands_in(problem: Problem, statement: Statement) -> bool:
    path = problem.path
    index = path[1] if len(path) > 1 and isinstance(path[1], int) else 0
    return path[:1] == ("Statement",) and index == statement.index


def set_operators(statement: Statement) -> Iterator[InertPart]:
    """Set operators on single values, and lists without them (K129, K130)."""
    for condition in statement.conditions:
        key = fold_case(condition.key)
        if not key.startswith(("aws:", _PREFIX)) or condition.operator is None:
            continue
        if condition.uncertain is not None or condition.refused is not None:
            continue
        is_list = key in MULTIVALUED_KEYS or key.endswith(_LISTS_OF_PATHS)
        if is_list and condition.quantifier is Quantifier.SINGLE:
            yield InertPart(
                statement,
                "K129",
                f'asks for the list "{condition.key}" with "{condition.operator.name}", and AWS '
                "does not say what that gives",
                f'tests "{condition.key}" as one value',
                "write ForAllValues or ForAnyValue before the operator",
            )
        elif not is_list and condition.quantifier is not Quantifier.SINGLE:
            operator = condition.quantifier.value
            yield InertPart(
                statement,
                "K130",
                f'asks for the single value "{condition.key}" with "{operator}"'
                + (", which any request without it fulfils" if operator == "ForAllValues" else ""),
                f'tests "{condition.key}" as a list',
                f"write the operator without {operator}",
            )


def without_encryption_context(
    statement: Statement, takes: Callable[[str], bool]
) -> Iterator[InertPart]:
    """Actions that take no encryption context under a condition that asks for one (K138).

    Only actions that are named one by one count: a wildcard is meant for those that take it.
    """
    asked = [c.key for c in statement.conditions if _asks_for_encryption_context(c)]
    infos = (find_action(written) for written in literal_actions(statement))
    names = sorted(info.name for info in infos if info is not None and not takes(info.name))
    if asked and names:
        whom = "it" if len(names) == 1 else "them"
        yield InertPart(
            statement,
            "K138",
            f'gives nothing by {listed(names)}: requests for {whom} do not have "{asked[0]}"',
            f"allows {counted(names)} without effect",
            f"allow {listed(names)} in a statement without this condition",
        )


def _asks_for_encryption_context(condition: Condition) -> bool:
    key = fold_case(condition.key)
    if not key.startswith(ENCRYPTION_CONTEXT) and key != "kms:encryptioncontextkeys":
        return False
    return condition.holds(RequestContext({key: ABSENT})).truth is Truth.FALSE


def counted(names: Sequence[str]) -> str:
    """The only name, or how many there are."""
    return names[0] if len(names) == 1 else f"{len(names)} actions"


def listed(names: Iterable[str]) -> str:
    """The first names, and how many more there are."""
    every = list(names)
    more = len(every) - _SHOWN
    return ", ".join(every[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
