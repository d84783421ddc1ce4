"""The hops that give or deny an access, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from kms_access.decisions.decision import Decision
from kms_access.decisions.matching import Hit
from kms_access.inventory.model import Grant, Policy
from kms_access.inventory.origin import Origin
from kms_access.policies.document import Effect, Statement
from kms_access.policies.overlap import as_written
from kms_access.policies.principal_element import PrincipalElement
from kms_access.policies.principals import Naming
from kms_access.policies.text import Value

_SHOWN_ITEMS = 3


@dataclass(frozen=True, slots=True)
class Hop:
    """One step of a proof: what it does, and the definition that it stands in.

    `policy` and `statement` are those that the step is about, if it is about one.
    """

    text: str
    definition: Origin
    policy: Policy | None = field(default=None, repr=False, compare=False)
    statement: Statement | None = field(default=None, repr=False, compare=False)

    @property
    def origin(self) -> Origin:
        """The place to show: that of the statement where it is known, else of the definition.

        It is found when it is asked for: many proofs are never shown.
        """
        if self.policy is None:
            return self.definition
        return self.policy.origin_of(self.statement)

    @classmethod
    def of_statement(cls, text: str, policy: Policy, statement: Statement | None) -> Hop:
        """A step by a statement of a policy, or by a policy whose content is not known."""
        return cls(text, policy.origin, policy, statement)


@dataclass(frozen=True, slots=True)
class Proof:
    """The ordered hops of one access: resource side first, then the identity side, then grants."""

    hops: tuple[Hop, ...]

    @classmethod
    def of(cls, decision: Decision) -> Proof:
        """The hops of a decision, Denies last; each statement once."""
        return cls(tuple(dict.fromkeys(_hops(decision.responsible))))


def _hops(hits: Iterable[Hit]) -> Iterator[Hop]:
    for hit in hits:
        if isinstance(hit.source, Grant):
            yield Hop(
                f"{hit.source.label} gives {_items(hit.source.operations)}", hit.source.origin
            )
        else:
            yield Hop.of_statement(_policy_text(hit.source, hit), hit.source, hit.statement)


def _policy_text(policy: Policy, hit: Hit) -> str:
    if hit.statement is None:
        return f"{policy.label}, whose content is not known"
    statement = hit.statement
    subject = f"{policy.label}, {statement_name(statement)},"
    what = _actions(statement)
    if hit.effect is Effect.DENY:
        return f"{subject} denies {what}{_to(statement.principal)}"
    if hit.naming is Naming.ACCOUNT:
        return f"{subject} lets {_accounts(statement.principal)} delegate {what}"
    if hit.naming is not None:
        return f"{subject} allows {what}{_to(statement.principal)}"
    return f"{subject} allows {what} on {_resources(statement)}"


def statement_name(statement: Statement) -> str:
    """How a person finds a statement: by its Sid, else by its place, counted from 1."""
    return f'statement "{statement.sid}"' if statement.sid else f"statement {statement.index + 1}"


def _actions(statement: Statement) -> str:
    if statement.action is None:
        return "actions that are not known"
    items = _items(pattern.source for pattern in statement.action.patterns)
    return f"everything but {items}" if statement.action.negated else items


def _resources(statement: Statement) -> str:
    element = statement.resource
    if element is None:
        return "resources that are not known"
    sources = [as_written(pattern.source) for pattern in element.patterns]
    items = _items(_short(text) for text in [*sources, *(str(s) for s, _ in element.templates)])
    return f"everything but {items}" if element.negated else items


def _to(element: PrincipalElement | None) -> str:
    if element is None:
        return ""
    sources = (entry.source for entry in element.entries)
    items = _items("everyone" if source == "*" else _short(source) for source in sources)
    return f" to everybody but {items}" if element.negated else f" to {items}"


def _accounts(element: PrincipalElement | None) -> str:
    entries = element.entries if element else ()
    accounts = dict.fromkeys(str(entry.account) for entry in entries if entry.account)
    return "account " + ", ".join(accounts)


def _short(source: Value) -> str:
    text = str(source)
    return text.split(":", 5)[5] if text.startswith("arn:") and text.count(":") >= 5 else text


def _items(values: Iterable[Value]) -> str:
    texts = [str(value) for value in values]
    shown = ", ".join(texts[:_SHOWN_ITEMS])
    more = len(texts) - _SHOWN_ITEMS
    return f"{shown} and {more} more" if more > 0 else shown
