"""A parsed policy: statements ready to be matched, and everything that was wrong with its text."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Final, TypeAlias

from kms_access.policies.answers import (
    FALSE,
    NO,
    TRUE,
    UNKNOWN,
    YES,
    Answer,
    Reason,
    ReasonKind,
    any_of,
    hangs_on_request,
)
from kms_access.policies.arns import ArnPattern
from kms_access.policies.conditions import Condition, all_hold
from kms_access.policies.context import RequestContext
from kms_access.policies.formula import Test
from kms_access.policies.grammar import PolicyGrammar
from kms_access.policies.json_text import Path, Position, position_of
from kms_access.policies.name_index import WORTH_AN_INDEX, NameIndex
from kms_access.policies.overlap import ANY_SEQUENCE
from kms_access.policies.principal_element import PrincipalElement
from kms_access.policies.principals import Principal
from kms_access.policies.quick_init import quick_init
from kms_access.policies.text import Value
from kms_access.policies.variables import NoValue, Template, keys_of, substitute
from kms_access.policies.wildcards import Pattern, fold_case, has_wildcards


class Effect(Enum):
    """What a statement does to the requests that it matches."""

    ALLOW = "Allow"
    DENY = "Deny"


ALLOW: Final = Effect.ALLOW
DENY: Final = Effect.DENY


class Severity(Enum):
    """How bad a problem of a policy is: an error is refused by AWS or has no defined meaning."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a policy: the rule that says so, what was found, and where."""

    rule: str
    message: str
    path: Path = ()
    severity: Severity = Severity.ERROR
    position: Position | None = None

    @property
    def place(self) -> str:
        """The path in the document, like `Statement[0].Condition`."""
        text = ""
        for step in self.path:
            text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
        return text


_OWN_ARN = Reason(
    'whether a Resource other than "*" stands for the key itself', ReasonKind.NOT_ESTABLISHED, "K16"
)


@dataclass(frozen=True, slots=True)
class ActionElement:
    """An Action or, with `negated`, a NotAction element; patterns are in lower case (K19, K21)."""

    patterns: tuple[Pattern, ...]
    negated: bool = False
    _names: frozenset[str] = field(init=False, repr=False, compare=False)
    _beginnings: tuple[str, ...] = field(init=False, repr=False, compare=False)
    _others: tuple[Pattern, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        names, beginnings, others = [], [], []
        for pattern in self.patterns:
            compiled = pattern.compiled
            if not isinstance(compiled, str) or has_wildcards(compiled.removesuffix(ANY_SEQUENCE)):
                others.append(pattern)
            elif compiled.endswith(ANY_SEQUENCE):
                beginnings.append(compiled[:-1])
            else:
                names.append(compiled)
        object.__setattr__(self, "_names", frozenset(names))
        object.__setattr__(self, "_beginnings", tuple(beginnings))
        object.__setattr__(self, "_others", tuple(others))

    def matches(self, action: str) -> Answer:
        """Whether the element covers an action such as `kms:Decrypt`."""
        return self.matches_folded(fold_case(action))

    def matches_folded(self, folded: str) -> Answer:
        """Whether the element covers an action in lower case."""
        if folded in self._names or folded.startswith(self._beginnings):
            return NO if self.negated else YES
        if not self._others:
            return YES if self.negated else NO
        answer = any_of(pattern.matches(folded) for pattern in self._others)
        return ~answer if self.negated else answer


@quick_init
@dataclass(frozen=True, slots=True)
class ResourceElement:
    """A Resource or, with `negated`, a NotResource element (K22, K25)."""

    patterns: tuple[ArnPattern, ...]
    templates: tuple[tuple[Value, Template], ...] = ()
    negated: bool = False
    self_only: bool = False
    """Only `*` is accepted and means the resource that carries the policy (K15, K16)."""

    def matches(self, arn: Value, context: RequestContext) -> Answer:
        """Whether the element covers the resource `arn` in a request with this context."""
        if self.self_only:
            for pattern in self.patterns:
                if pattern.whole == ANY_SEQUENCE:
                    return NO if self.negated else YES
        answer = self._matches(arn, context)
        if self.templates and answer.truth is UNKNOWN and hangs_on_request(answer):
            answer = Answer(UNKNOWN, answer.reasons, Test(Covers(self, arn)))
        return answer.capped(_OWN_ARN) if self.self_only else answer

    def _matches(self, arn: Value, context: RequestContext) -> Answer:
        if len(self.patterns) == 1:
            answer = self.patterns[0].matches(arn)
        else:
            answer = any_of(pattern.matches(arn) for pattern in self.patterns)
        for source, template in self.templates:
            if answer.truth is TRUE:
                break
            value = substitute(template, context, wildcards=True)
            if isinstance(value, Reason):
                answer = answer | Answer(UNKNOWN, (value,))
            elif not isinstance(value, NoValue):
                answer = answer | ArnPattern.of(source, value).matches(arn)
        return ~answer if self.negated else answer


@dataclass(frozen=True, slots=True)
class Covers:
    """Whether a Resource element with policy variables covers a resource."""

    element: ResourceElement
    arn: Value

    @property
    def keys(self) -> tuple[str, ...]:
        """The condition keys of its policy variables, in lower case."""
        return tuple(
            dict.fromkeys(
                key for _, template in self.element.templates for key in keys_of(template)
            )
        )

    def holds(self, context: RequestContext) -> Answer:
        """Whether it does in a request with this context."""
        return self.element.matches(self.arn, context)


@quick_init
@dataclass(frozen=True, slots=True)
class Statement:
    """One statement.

    `effects` holds both where the effect cannot be read. An element that is None does not limit
    the statement: it is missing where it may be, or unreadable with `uncertain` set. `uncertain`
    says why a match is never certain; `inert` that the statement counts for nothing (K14, K17).
    """

    index: int
    sid: str
    effects: frozenset[Effect]
    principal: PrincipalElement | None = None
    action: ActionElement | None = None
    resource: ResourceElement | None = None
    conditions: tuple[Condition, ...] = ()
    uncertain: Reason | None = None
    inert: bool = False

    def covers(self, action: str, arn: Value, context: RequestContext) -> Answer:
        """Whether action, resource and conditions match; the principal is asked for apart."""
        answer = self.reaches(action)
        return answer if answer.truth is FALSE else answer & self.applies(arn, context)

    def reaches(self, action: str) -> Answer:
        """Whether the statement is about an action."""
        return self.reaches_folded(fold_case(action))

    def reaches_folded(self, folded: str) -> Answer:
        """Whether the statement is about an action in lower case."""
        if self.inert:
            return NO
        return self.action.matches_folded(folded) if self.action is not None else YES

    def applies(self, arn: Value, context: RequestContext) -> Answer:
        """Whether resource and conditions match."""
        answer = YES if self.resource is None else self.resource.matches(arn, context)
        if answer.truth is FALSE:
            return NO
        if self.conditions:
            answer = answer & all_hold(self.conditions, context)
        return answer.capped(self.uncertain) if self.uncertain else answer

    def tests(self, key: str) -> bool:
        """Whether the Condition block asks for this key."""
        folded = fold_case(key)
        return any(fold_case(condition.key) == folded for condition in self.conditions)


_REMEMBERED_ACTIONS = 1_000


Reached: TypeAlias = tuple[Statement, Answer]
"""A statement that an action reaches, with how surely."""


@quick_init
@dataclass(frozen=True, slots=True)
class Reaching:
    """The statements of a document that one action reaches, by effect."""

    allows: tuple[Reached, ...]
    denies: tuple[Reached, ...]
    _index: dict[Effect, NameIndex[Reached]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def candidates(self, effect: Effect, caller: Principal) -> tuple[Reached, ...]:
        """The statements of an effect, without those that surely do not name `caller`."""
        reached = self.allows if effect is ALLOW else self.denies
        if len(reached) < WORTH_AN_INDEX:
            return reached
        index = self._index.get(effect)
        if index is None:
            index = self._index[effect] = NameIndex(reached, _names_of)
        return index.candidates(caller)


def _names_of(reached: Reached) -> frozenset[str] | None:
    element = reached[0].principal
    return None if element is None else element.names


@quick_init
@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """A parsed policy document.

    `unreadable` is set where the document as a whole has no known meaning: then it makes both
    its Allow and its Deny side unknown (K83). `version` is the language version in force (K31).
    """

    grammar: PolicyGrammar
    version: str
    statements: tuple[Statement, ...]
    problems: tuple[Problem, ...] = ()
    unreadable: Reason | None = None
    text: str | None = field(default=None, repr=False, compare=False)
    _by_action: dict[str, Reaching] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def reaching(self, action: str) -> Reaching:
        """The statements that are about an action, or may be, in their order; remembered."""
        found = self._by_action.get(action)
        if found is None:
            if len(self._by_action) > _REMEMBERED_ACTIONS:
                self._by_action.clear()
            found = self._by_action[action] = self._find_reaching(action)
        return found

    def _find_reaching(self, action: str) -> Reaching:
        allows: list[tuple[Statement, Answer]] = []
        denies: list[tuple[Statement, Answer]] = []
        folded = fold_case(action)
        for statement in self.statements:
            answer = statement.reaches_folded(folded)
            if answer.truth is not FALSE:
                for effect in statement.effects:
                    (allows if effect is ALLOW else denies).append((statement, answer))
        return Reaching(tuple(allows), tuple(denies))

    def position(self, path: Path) -> Position | None:
        """Line and column of an element in the JSON text, if the policy was given as text."""
        return position_of(self.text, path) if self.text is not None else None

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that AWS would refuse or that leave the meaning open."""
        return tuple(p for p in self.problems if p.severity is Severity.ERROR)
