"""What a caller may do with identities and compute: the actions of `detour_actions`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from kms_access.decisions.request import (
    ApplicablePolicies,
    Request,
    ResourceTrust,
    facts_of,
    request_context,
)
from kms_access.decisions.resolution import Resolution, resolve
from kms_access.decisions.static_facts import Organization, session_facts
from kms_access.decisions.subjects import Caller, Subject
from kms_access.inventory.model import Inventory, Policy
from kms_access.policies.answers import Reason, ReasonKind, Truth
from kms_access.policies.context import ABSENT, KeyState, Open, Present, open_otherwise
from kms_access.policies.document import Effect, PolicyDocument, Statement
from kms_access.policies.overlap import ANY_ONE, ANY_SEQUENCE, same
from kms_access.policies.principals import PrincipalKind
from kms_access.policies.text import Value, concat, unknown_text
from kms_access.policies.wildcards import fold_case

_RESOURCE_TAGS = ("aws:resourcetag/", "iam:resourcetag/")
_BOUNDARY = "iam:permissionsboundary"
_ABSENT_FOR_PEOPLE = ("aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths")


class IdentityCalls:
    """Asks single questions about sts, iam and compute actions over one inventory."""

    def __init__(self, inventory: Inventory, organization: Organization) -> None:
        self._inventory = inventory
        self._organization = organization
        self._accounts = tuple(
            dict.fromkeys(
                (
                    *(key.account for key in inventory.keys),
                    *(i.principal.account for i in inventory.identities if i.complete),
                )
            )
        )
        self._services: dict[int, tuple[PolicyDocument, frozenset[str] | None]] = {}
        self._matching: dict[tuple[int, str], tuple[PolicyDocument, tuple[Statement, ...]]] = {}
        self._allowing: dict[tuple[int, int], tuple[PolicyDocument, Sequence[str], bool]] = {}
        self._inside: dict[Value, bool] = {}

    def may(self, caller: Caller, action: str, effect: Effect = Effect.ALLOW) -> bool:
        """Whether a statement of the caller's policies may allow (or deny) the action at all.

        A policy that cannot be read has no statements.
        """
        folded = fold_case(action)
        return any(
            effect in statement.effects
            for policy in caller.identity
            for statement in self._of_document(policy.document, folded)
        )

    def may_any(self, caller: Caller, actions: Sequence[str]) -> bool:
        """Whether a statement of the caller's policies may allow one of the actions at all."""
        return any(self._allows_any(policy.document, actions) for policy in caller.identity)

    def _allows_any(self, document: PolicyDocument, actions: Sequence[str]) -> bool:
        key = (id(document), id(actions))
        found = self._allowing.get(key)
        if found is None:
            allows = any(
                Effect.ALLOW in statement.effects
                for action in actions
                for statement in self._of_document(document, fold_case(action))
            )
            # Both are kept beside the result, so that their ids are never reused.
            found = self._allowing[key] = (document, actions, allows)
        return found[2]

    def is_hindered(self, caller: Caller, action: str) -> bool:
        """Whether a Deny or a ceiling may stand against an Allow for the action."""
        inventory = self._inventory
        if caller.boundary or inventory.service_control or inventory.resource_control:
            return True
        return self.has_unreadable(caller) or self.may(caller, action, Effect.DENY)

    def has_unreadable(self, caller: Caller) -> bool:
        """Whether an identity policy of the caller cannot be read and may say anything."""
        return any(policy.document.unreadable is not None for policy in caller.identity)

    def ask(
        self,
        caller: Caller,
        action: str,
        resource: Value,
        account: Value,
        *,
        trust: Sequence[Policy] = (),
        facts: Mapping[str, KeyState] | None = None,
        about: Subject | None = None,
        boundary: bool = True,
        outside: bool = False,
    ) -> Resolution:
        """Whether the caller may call `action` on a resource of `account`.

        `trust` is the resource's own policy, `facts` are condition keys of the call, `about` is
        the identity that the resource is. Without `boundary` the caller's is left out. With
        `outside` identity policies outside the definitions count, as far as they may exist (K66).
        """
        principal = caller.principal
        known = facts_of(principal, action, resource, account)
        known |= self._organization.facts(principal) | session_facts(principal)
        known |= dict(caller.facts)
        if about is not None:
            known |= _facts_about(about)
        context = request_context(known, facts or {}, _open_call(caller, about))
        request = Request(principal, action, resource, account, context)
        policies = ApplicablePolicies(
            tuple(trust),
            caller.identity,
            caller.boundary if boundary else (),
            (),
            self._inventory.service_control if self._is_inside(principal.account) else (),
            self._inventory.resource_control if trust and self._is_inside(account) else (),
            (),
            caller.incomplete if outside else None,
            caller.assumed_allowed and outside,
        )
        # A role is open to nobody whom its trust policy does not let in.
        needs_statement = ResourceTrust.EXPLICIT if trust else None
        return resolve(request, policies, needs_statement)

    def resources(self, caller: Caller, action: str) -> Iterator[Value]:
        """A resource for each pattern on which a statement of the caller may allow the action."""
        found: dict[Value, None] = {}
        for statement in self._statements(caller.identity, action):
            element = statement.resource
            if Effect.ALLOW not in statement.effects:
                continue
            if element is None or element.negated:
                found[instance_of(ANY_SEQUENCE)] = None
                continue
            found |= dict.fromkeys(instance_of(pattern.whole) for pattern in element.patterns)
            if element.templates:
                found[unknown_text(f"on what {caller.principal.arn} may call {action}")] = None
        return iter(found)

    def is_same_for_all(self, caller: Caller, action: str) -> bool:
        """Whether no statement of the caller tells one resource of the action from another."""
        levels = (policy for level in self._inventory.service_control for policy in level)
        policies = (*caller.identity, *caller.boundary, *levels)
        return all(_covers_everything(s) for s in self._statements(policies, action))

    def may_cover(self, caller: Caller, action: str, resource: Value) -> bool:
        """Whether an Allow for the action may be for the resource: a quick look, before `ask`."""
        for statement in self._statements(caller.identity, action):
            element = statement.resource
            if Effect.ALLOW not in statement.effects:
                continue
            if element is None or element.negated or element.templates:
                return True
            if any(p.matches(resource).truth is not Truth.FALSE for p in element.patterns):
                return True
        return False

    def _statements(self, policies: Iterable[Policy], action: str) -> Iterator[Statement]:
        folded = fold_case(action)
        for policy in policies:
            yield from self._of_document(policy.document, folded)

    def _of_document(self, document: PolicyDocument, action: str) -> tuple[Statement, ...]:
        services = self._services_of(document)
        if services is not None and action.partition(":")[0] not in services:
            return ()
        key = (id(document), action)
        if key not in self._matching:
            # The document is kept beside the result, so that its id is never reused.
            self._matching[key] = (document, tuple(_matching(document, action)))
        return self._matching[key][1]

    def _services_of(self, document: PolicyDocument) -> frozenset[str] | None:
        """The services whose actions the document names; None if it may name any."""
        if id(document) not in self._services:
            self._services[id(document)] = (document, _services(document))
        return self._services[id(document)][1]

    def _is_inside(self, account: Value) -> bool:
        """Whether it is an account of the definitions, which the ceilings bind (K70, K71)."""
        if account not in self._inside:
            self._inside[account] = any(
                same(account, own).truth is Truth.TRUE for own in self._accounts
            )
        return self._inside[account]


def _matching(document: PolicyDocument, action: str) -> Iterator[Statement]:
    for statement in document.statements:
        if statement.inert:
            continue
        if statement.action is None or statement.action.matches(action).truth is not Truth.FALSE:
            yield statement


def _services(document: PolicyDocument) -> frozenset[str] | None:
    services: set[str] = set()
    for statement in document.statements:
        if statement.action is None or statement.action.negated:
            return None
        for pattern in statement.action.patterns:
            if not isinstance(pattern.compiled, str):
                return None
            service, colon, _ = pattern.compiled.partition(":")
            if not colon or ANY_SEQUENCE in service or ANY_ONE in service:
                return None
            services.add(service)
    return frozenset(services)


def instance_of(pattern: Value) -> Value:
    """A string that a compiled pattern covers."""
    parts = (pattern,) if isinstance(pattern, str) else pattern.parts
    return concat(
        part.replace(ANY_SEQUENCE, "any").replace(ANY_ONE, "x") if isinstance(part, str) else part
        for part in parts
    )


def _covers_everything(statement: Statement) -> bool:
    element = statement.resource
    if element is not None and (
        element.negated or all(pattern.whole != ANY_SEQUENCE for pattern in element.patterns)
    ):
        return False
    keys = [key for condition in statement.conditions for key in condition.keys]
    return not any(key == _BOUNDARY or key.startswith(_RESOURCE_TAGS) for key in keys)


def _facts_about(identity: Subject) -> dict[str, KeyState]:
    """What is known of the identity that a call is about."""
    facts: dict[str, KeyState] = {}
    for name, value in identity.tags.items():
        for prefix in _RESOURCE_TAGS:
            facts[prefix + fold_case(name)] = Present((value,))
    if identity.callers[0].boundary:
        facts[_BOUNDARY] = _unknown(f"which permissions boundary {identity.label} has")
    return facts


def _open_call(caller: Caller, about: Subject | None) -> Callable[[str], KeyState]:
    is_service = caller.principal.kind is PrincipalKind.SERVICE
    tags_known = caller.principal.kind is PrincipalKind.USER and caller.incomplete is None

    def otherwise(name: str) -> KeyState:
        folded = fold_case(name)
        if about is not None and (folded.startswith(_RESOURCE_TAGS) or folded == _BOUNDARY):
            if about.callers[0].incomplete is None:
                return ABSENT
            return _unknown(f'"{name}" of {about.label}')
        if folded.startswith("aws:principaltag/") and tags_known:
            return ABSENT
        if folded in _ABSENT_FOR_PEOPLE and not is_service:
            return ABSENT
        return open_otherwise(name)

    return otherwise


def _unknown(what: str) -> KeyState:
    return Open(Reason(what, ReasonKind.UNKNOWN_VALUE, "K134"))
