"""The decision procedure of K74 to K81, to be held against the pseudocode of the reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kms_access.decisions.decision import Decision, Residual, Verdict
from kms_access.decisions.grants import RETIRE, grant_hit
from kms_access.decisions.matching import Hit, combined, identity_hits, resource_hits
from kms_access.decisions.request import ApplicablePolicies, Request, ResourceTrust, is_alias
from kms_access.inventory.actions import find_action
from kms_access.inventory.model import Policy
from kms_access.policies.answers import (
    FALSE,
    NO,
    TRUE,
    UNKNOWN,
    YES,
    Answer,
    Reason,
    ReasonKind,
    all_of,
    any_of,
)
from kms_access.policies.conditions import Quantifier
from kms_access.policies.document import ALLOW, DENY
from kms_access.policies.overlap import same
from kms_access.policies.principals import WITHOUT_IDENTITY, Naming, PrincipalKind
from kms_access.policies.quick_init import quick_init
from kms_access.policies.text import Value
from kms_access.policies.wildcards import fold_case

_CEILING_OVER_STAR = Reason(
    'whether boundary and session policy limit a statement for "*"',
    ReasonKind.NOT_ESTABLISHED,
    "K77",
)
_CEILING_OVER_GRANT = Reason(
    "whether a missing Allow in a boundary, session policy or service control policy takes away "
    "a grant",
    ReasonKind.NOT_ESTABLISHED,
    "K91",
)


_ACCOUNT = Naming.ACCOUNT
_NEW_ACTION = Reason(
    "whether an action that no list knows works across accounts",
    ReasonKind.NOT_ESTABLISHED,
    "K120",
)

_DENIED = {Verdict.EXPLICITLY_DENIED, Verdict.IMPLICITLY_DENIED}


def trust_of(action: str, resource: Value) -> ResourceTrust:
    """KMS keys and roles need an explicit statement of their own policy, other resources not.

    An alias has no policy of its own: on its part of an alias operation IAM decides (K113).
    """
    folded = fold_case(action)
    explicit = folded.startswith(("kms:", "sts:assumerole")) and not is_alias(resource)
    return ResourceTrust.EXPLICIT if explicit else ResourceTrust.IDENTITY_SUFFICES


def authorize(
    request: Request, policies: ApplicablePolicies, trust: ResourceTrust | None = None
) -> Decision:
    """Decide one request under the policies that apply to it (K74-K85).

    `trust` is taken from the action if not given. Pure; never raises for policies that could not
    be read: they make the answer `DEPENDS`.
    """
    trust = trust or trust_of(request.action, request.resource)
    same_account = same(request.principal.account, request.resource_account)
    if request.principal.kind in WITHOUT_IDENTITY:
        same_account = YES
    if same_account.truth is UNKNOWN:
        return _either(
            Procedure(request, policies, trust, cross_account=False).decide(),
            Procedure(request, policies, trust, cross_account=True).decide(),
            same_account,
        )
    cross_account = same_account.truth is FALSE
    return Procedure(request, policies, trust, cross_account=cross_account).decide()


def _either(inside: Decision, across: Decision, same_account: Answer) -> Decision:
    if inside.verdict is across.verdict and inside.verdict is not Verdict.DEPENDS:
        return inside
    if {inside.verdict, across.verdict} == _DENIED:
        return Decision(Verdict.IMPLICITLY_DENIED)
    reasons = dict.fromkeys((*inside.reasons, *across.reasons, *same_account.reasons))
    responsible = inside.responsible or across.responsible
    return Decision(Verdict.DEPENDS, responsible, tuple(reasons))


@quick_init
@dataclass(frozen=True, slots=True)
class _Ceiling:
    """Policies that limit without giving: `allows` is true where there is none."""

    allows: Answer

    def soft(self, reason: Reason) -> Answer:
        """`soft` of the pseudocode: certain only where the ceiling allows or is absent."""
        return YES if self.allows.truth is TRUE else Answer(UNKNOWN, (reason,))


_NO_CEILING = _Ceiling(YES)


class Procedure:
    """One decision in its parts, in the words of the pseudocode (K78-K81)."""

    def __init__(
        self,
        request: Request,
        policies: ApplicablePolicies,
        trust: ResourceTrust,
        *,
        cross_account: bool,
    ) -> None:
        self.request = request
        self.policies = policies
        self.trust = trust
        self.cross_account = cross_account
        self.caller = request.principal
        self.has_identity = self.caller.kind not in WITHOUT_IDENTITY
        self.info = find_action(request.action)
        self.is_retire = fold_case(request.action) == RETIRE
        self.without_key = self.info is not None and not self.info.needs_key

    def decide(self) -> Decision:
        if self.cross_account and self.info and not self.info.cross_account:
            return Decision(Verdict.IMPLICITLY_DENIED)
        denies = self.denies()
        certain = [hit for hit in denies if hit.answer.truth is TRUE]
        if certain:
            return Decision(Verdict.EXPLICITLY_DENIED, tuple(certain))
        self.find_ceilings()
        self.find_identity_side()
        key_side = self.resource_allows()
        grants = self.grants()
        policy_part, policy_hits = self._policy_part(key_side)
        grant_part = combined(grants)
        if grants:
            grant_part = grant_part & (
                self.boundary.soft(_CEILING_OVER_GRANT)
                & self.session.soft(_CEILING_OVER_GRANT)
                & self.organization.soft(_CEILING_OVER_GRANT)
            )
        allows = policy_part | grant_part
        if any(hit.naming is _ACCOUNT for hit in grants):
            grants = [*grants, *(hit for hit in self.identity_hits if hit not in policy_hits)]
        hits = policy_hits if policy_part.truth is allows.truth else []
        if grant_part.truth is allows.truth:
            hits = [*hits, *grants]
        return self._verdict(allows, combined(denies), hits, denies)

    def _verdict(
        self, allows: Answer, denied: Answer, hits: list[Hit], denies: list[Hit]
    ) -> Decision:
        if allows.truth is FALSE:
            return Decision(Verdict.IMPLICITLY_DENIED)
        if allows.truth is TRUE and denied.truth is FALSE:
            return Decision(
                Verdict.ALLOWED, tuple([hit for hit in hits if hit.answer.truth is TRUE])
            )
        reasons = tuple(dict.fromkeys((*allows.reasons, *denied.reasons)))
        residual = Residual(allows, denied)
        return Decision(Verdict.DEPENDS, (*hits, *denies), reasons, residual)

    def denies(self) -> list[Hit]:
        """The statements that deny, or may, on every side."""
        request, policies = self.request, self.policies
        hits: list[Hit] = []
        if not self.without_key and not self.is_retire:
            boundary = bool(policies.boundary)
            hits += resource_hits(policies.resource, request, DENY, has_boundary=boundary)
        if self.has_identity:
            for group in filter(None, (policies.identity, policies.boundary, policies.session)):
                hits += identity_hits(group, request, DENY)
        ceilings = policies.service_control or policies.resource_control
        if not ceilings or self.caller.is_service_linked:
            return hits
        if self.has_identity:
            for level in policies.service_control:
                hits += identity_hits(level, request, DENY)
        if not self.is_retire:
            for level in policies.resource_control:
                hits += resource_hits(level, request, DENY, has_boundary=False)
        return hits

    def _allowed_by(self, policies: Sequence[Policy]) -> Answer:
        return combined(identity_hits(policies, self.request, ALLOW))

    def find_ceilings(self) -> None:
        """Sets what organization, boundary and session allow at most."""
        policies = self.policies
        self.organization = self.boundary = self.session = _NO_CEILING
        levels = policies.service_control
        if levels and self.has_identity and not self.caller.is_service_linked:
            self.organization = _Ceiling(all_of(self._allowed_by(level) for level in levels))
        if policies.boundary:
            self.boundary = _Ceiling(all_of(self._allowed_by((p,)) for p in policies.boundary))
        if policies.session:
            self.session = _Ceiling(self._allowed_by(policies.session))

    def find_identity_side(self) -> None:
        """Sets `ident` of the pseudocode, with the statements that it rests on."""
        self.identity_hits: list[Hit] = []
        if not self.has_identity:
            self.ident = NO
            return
        if self.caller.kind is PrincipalKind.ROOT:
            self.ident = YES
            return
        if self.policies.identity_assumed:
            self.ident = self.boundary.allows & self.session.allows
            return
        self.identity_hits = identity_hits(self.policies.identity, self.request, ALLOW)
        allows = combined(self.identity_hits)
        if allows.truth is not TRUE and self.policies.identity_incomplete is not None:
            allows = allows | Answer(UNKNOWN, (self.policies.identity_incomplete,))
        federated = self.caller.kind is PrincipalKind.FEDERATED_USER
        if federated and not self.policies.session:
            self.ident = NO
        else:
            self.ident = allows & self.boundary.allows & self.session.allows

    def resource_allows(self) -> list[Hit]:
        """The statements of the resource's policies that allow, or may."""
        if self.without_key or self.is_retire:
            return []
        boundary = bool(self.policies.boundary)
        return resource_hits(self.policies.resource, self.request, ALLOW, has_boundary=boundary)

    def grants(self) -> list[Hit]:
        """The grants that allow, or may; after `find_identity_side`."""
        found = [grant_hit(grant, self.request, self.ident) for grant in self.policies.grants]
        return [hit for hit in found if hit is not None]

    def _policy_part(self, key_side: list[Hit]) -> tuple[Answer, list[Hit]]:
        if self.is_retire:
            return NO, []
        if self.without_key:
            return self.ident & self.organization.allows, self.identity_hits
        if self.cross_account:
            both = combined(key_side) & self.ident & self.organization.allows
            if self.info is None and fold_case(self.request.action).startswith("kms:"):
                both = both.capped(_NEW_ACTION)
            return both, [*key_side, *self.identity_hits] if both.truth is not FALSE else []
        direct = [(hit, self._direct(hit)) for hit in key_side]
        base = any_of(answer for _, answer in direct)
        hits = [hit for hit, answer in direct if answer.truth is base.truth]
        if self.trust is ResourceTrust.IDENTITY_SUFFICES:
            base = base | self.ident
            hits += self.identity_hits
        elif any(hit.naming is _ACCOUNT for hit in hits):
            hits += self.identity_hits
        return base & self.organization.allows, hits

    def _direct(self, hit: Hit) -> Answer:
        """What one statement of the resource policy gives inside the account (K76)."""
        if hit.naming is _ACCOUNT:
            return hit.answer & self.ident
        match hit.naming:
            case Naming.ROLE | Naming.USER_OF_FEDERATED | Naming.FEDERATED_PROVIDER:
                return hit.answer & self.boundary.allows & self.session.allows
            case Naming.EVERYONE if self.has_identity and not _tests_principal_arn(hit):
                soft = self.boundary.soft(_CEILING_OVER_STAR)
                return hit.answer & soft & self.session.soft(_CEILING_OVER_STAR)
            case _:
                return hit.answer


def _tests_principal_arn(hit: Hit) -> bool:
    """Whether a condition fixes the caller's ARN, so that the statement names it (K76)."""
    return hit.statement is not None and any(
        fold_case(condition.key) == "aws:principalarn"
        and condition.operator is not None
        and not condition.operator.negated
        and not condition.if_exists
        and condition.quantifier is Quantifier.SINGLE
        for condition in hit.statement.conditions
    )
