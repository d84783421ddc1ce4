"""What a caller could do with a key if policies, grants or condition keys were others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from kms_access.decisions.alike import alike
from kms_access.decisions.decision import Decision, Verdict
from kms_access.decisions.detour import Means, means_of
from kms_access.decisions.evaluator import Evaluator
from kms_access.decisions.request import ApplicablePolicies, Request, facts_of, request_context
from kms_access.decisions.resolution import AccessState, Resolution, resolve
from kms_access.decisions.static_facts import (
    Organization,
    key_facts,
    open_request,
    session_facts,
)
from kms_access.decisions.subjects import Caller
from kms_access.inventory.model import Grant, Key, Policy
from kms_access.policies.answers import Reason, ReasonKind, Truth
from kms_access.policies.context import KeyState
from kms_access.policies.document import Effect, PolicyDocument
from kms_access.policies.overlap import same


class KeyCalls:
    """Asks questions about kms actions on keys that are not as the definitions say."""

    def __init__(self, evaluator: Evaluator, organization: Organization) -> None:
        self._evaluator = evaluator
        self._inventory = evaluator.inventory
        self._organization = organization
        self._denies: dict[int, tuple[PolicyDocument, bool]] = {}

    def ask(
        self,
        caller: Caller,
        key: Key,
        actions: Iterable[str],
        *,
        further_grant: Grant | None = None,
        identity_assumed: bool = False,
        boundary: bool = True,
        facts: Mapping[str, KeyState] | None = None,
        grants: bool = True,
    ) -> dict[str, Means]:
        """Those of the actions that the caller can carry out on `key`, with what gives them.

        The key may differ from that of the inventory. `further_grant` comes to the grants of the
        inventory, which without `grants` do not count. With `identity_assumed` an identity policy
        allows all, without `boundary` the caller's is left out. `facts` are condition keys that
        are other than the definitions say.
        """
        granted = self._evaluator.grants_on(key) if grants else ()
        policies = self._policies(
            caller,
            key,
            granted if further_grant is None else (*granted, further_grant),
            identity_assumed=identity_assumed,
            boundary=boundary,
        )
        found: dict[str, Means] = {}
        for group in alike(sorted(actions), policies, caller.principal, key):
            request = self._request(caller, key, group[0], facts or {})
            means = means_of(_resolved(request, policies, key))
            if means is not None:
                found |= dict.fromkeys(group, means)
        return found

    def alike_with_grant(
        self, caller: Caller, key: Key, actions: Iterable[str], grant: Grant
    ) -> list[list[str]]:
        """Actions in groups: with a grant like `grant` that lists one of them, all have one answer.

        `grant` lists none of them.
        """
        granted = (*self._evaluator.grants_on(key), grant)
        policies = self._policies(caller, key, granted, identity_assumed=False, boundary=True)
        return alike(sorted(actions), policies, caller.principal, key)

    def _policies(
        self,
        caller: Caller,
        key: Key,
        grants: tuple[Grant, ...],
        *,
        identity_assumed: bool,
        boundary: bool,
    ) -> ApplicablePolicies:
        is_inside = same(caller.principal.account, key.account).truth is Truth.TRUE
        return ApplicablePolicies(
            key.policies,
            caller.identity,
            caller.boundary if boundary else (),
            (),
            self._inventory.service_control if is_inside else (),
            self._inventory.resource_control,
            grants,
            None if identity_assumed else caller.incomplete,
            identity_assumed or caller.assumed_allowed,
        )

    def _request(
        self, caller: Caller, key: Key, action: str, facts: Mapping[str, KeyState]
    ) -> Request:
        principal = caller.principal
        known = facts_of(principal, action, key.arn, key.account) | key_facts(key)
        known |= self._organization.facts(principal) | session_facts(principal)
        known |= dict(caller.facts)
        otherwise = open_request(principal, key, action, tags_known=caller.incomplete is None)
        context = request_context(known, facts, otherwise)
        return Request(principal, action, key.arn, key.account, context)

    def has_grants(self, key: Key) -> bool:
        """Whether the inventory has a grant that is on the key or may be."""
        return bool(self._evaluator.grants_on(key))

    def is_unlimited(self, caller: Caller, *resource: Policy) -> bool:
        """Whether nothing can stand against an Allow: no Deny and no ceiling."""
        if self._inventory.service_control or self._inventory.resource_control or caller.boundary:
            return False
        return not any(self._denies_something(policy) for policy in (*caller.identity, *resource))

    def _denies_something(self, policy: Policy) -> bool:
        document = policy.document
        if id(document) not in self._denies:
            # The document is kept beside the result, so that its id is never reused.
            self._denies[id(document)] = (document, _may_deny(document))
        return self._denies[id(document)][1]


def _may_deny(document: PolicyDocument) -> bool:
    return document.unreadable is not None or any(
        Effect.DENY in statement.effects and not statement.inert
        for statement in document.statements
    )


def _resolved(request: Request, policies: ApplicablePolicies, key: Key) -> Resolution:
    if len(key.policies) < 2:
        return resolve(request, policies)
    found = [resolve(request, replace(policies, resource=(policy,))) for policy in key.policies]
    if len({resolution.state for resolution in found}) == 1:
        return found[-1]
    if all(resolution.state.is_denied for resolution in found):
        return Resolution(AccessState.IMPLICITLY_DENIED, Decision(Verdict.IMPLICITLY_DENIED))
    text = f"which of {len(found)} definitions of the key policy of {key.label} is in force"
    reason = Reason(text, ReasonKind.UNREADABLE, "K194")
    hits = tuple(hit for resolution in found for hit in resolution.decision.responsible)
    return Resolution(AccessState.UNDECIDED, Decision(Verdict.DEPENDS, hits, (reason,)))
