"""One request, and the condition keys that follow from who asks for what (K134)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from kms_access.inventory.model import Grant, Policy
from kms_access.policies.answers import Reason, ReasonKind
from kms_access.policies.arns import arn_segments
from kms_access.policies.context import (
    ABSENT,
    KeyState,
    Open,
    Present,
    RequestContext,
    absent_otherwise,
)
from kms_access.policies.principals import Principal, PrincipalKind
from kms_access.policies.quick_init import quick_init
from kms_access.policies.text import Value
from kms_access.policies.wildcards import fold_case

MULTIVALUED_KEYS = frozenset(
    {
        "kms:encryptioncontextkeys",
        "kms:grantoperations",
        "kms:resourcealiases",
        "aws:tagkeys",
        "aws:calledvia",
        "aws:principalorgpaths",
        "aws:principalservicenameslist",
        "aws:resourceorgpaths",
    }
)
"""Keys that hold a list even when it has one item (K129)."""

ENCRYPTION_CONTEXT = "kms:encryptioncontext:"

_PRINCIPAL_TYPES = {
    PrincipalKind.ROOT: Present(("Account",)),
    PrincipalKind.USER: Present(("User",)),
    PrincipalKind.ROLE: Present(("AssumedRole",)),
    PrincipalKind.FEDERATED_USER: Present(("FederatedUser",)),
}
_NO_SERVICE = Present(("false",))
_USER_ID = Open(Reason('the unique id "aws:userid"', ReasonKind.UNKNOWN_VALUE, "K134"))
_SERVICE, _PROVIDER, _USER = PrincipalKind.SERVICE, PrincipalKind.PROVIDER, PrincipalKind.USER

_WITHOUT_IDENTITY: Mapping[str, KeyState] = {
    "aws:principalisawsservice": _NO_SERVICE,
    "aws:principalservicename": ABSENT,
    "kms:calleraccount": ABSENT,
    "aws:principalarn": ABSENT,
    "aws:principalaccount": ABSENT,
    "aws:principalorgpaths": ABSENT,
    "aws:principaltype": ABSENT,
    "aws:username": ABSENT,
    "aws:userid": ABSENT,
}


class ResourceTrust(Enum):
    """Whether access to a resource needs a statement of the resource's own policy."""

    EXPLICIT = "explicit"
    """KMS keys and role trust policies: the resource must let identity policies work."""
    IDENTITY_SUFFICES = "identity suffices"
    """Other resources: inside the account an identity policy alone allows."""


@quick_init
@dataclass(frozen=True, slots=True)
class Request:
    """A call: who, which action such as `kms:Decrypt`, on which resource of which account."""

    principal: Principal
    action: str
    resource: Value
    resource_account: Value
    context: RequestContext


@quick_init
@dataclass(frozen=True, slots=True)
class ApplicablePolicies:
    """Every policy that applies to a request, by its place in the procedure.

    `service_control` are levels, of each of which one policy must allow; empty means that none
    were supplied (K70). `identity_incomplete` says why the identity may have further policies.
    `identity_assumed` takes an identity Allow for granted: what any administrator could write.
    """

    resource: tuple[Policy, ...] = ()
    identity: tuple[Policy, ...] = ()
    boundary: tuple[Policy, ...] = ()
    session: tuple[Policy, ...] = ()
    service_control: tuple[tuple[Policy, ...], ...] = ()
    resource_control: tuple[tuple[Policy, ...], ...] = ()
    grants: tuple[Grant, ...] = field(default=())
    identity_incomplete: Reason | None = None
    identity_assumed: bool = False


def is_alias(resource: Value) -> bool:
    """Whether a resource is a KMS alias, which has no policy of its own."""
    if isinstance(resource, str) and ":alias/" not in resource:
        return False
    segments = arn_segments(resource)
    if segments is None or segments[2] != "kms":
        return False
    start = segments[5] if isinstance(segments[5], str) else segments[5].parts[0]
    return isinstance(start, str) and start.startswith("alias/")


def facts_of(
    principal: Principal, action: str, resource: Value, resource_account: Value
) -> dict[str, KeyState]:
    """The condition keys, in lower case, that follow from who asks for what."""
    facts: dict[str, KeyState] = {"aws:resourceaccount": Present((resource_account,))}
    segments = arn_segments(resource)
    if segments is not None and segments[3] != "":
        facts["aws:requestedregion"] = Present((segments[3],))
    if principal.kind is _SERVICE:
        facts["aws:principalisawsservice"] = Present(("true",))
        facts["aws:principalservicename"] = Present((principal.arn,))
        return {**_WITHOUT_IDENTITY, **facts}
    if principal.kind is _PROVIDER:
        facts["aws:federatedprovider"] = Present((principal.arn,))
        return {**_WITHOUT_IDENTITY, **facts}
    account = Present((principal.account,))
    if fold_case(action).startswith("kms:"):
        facts["kms:calleraccount"] = account
    facts["aws:principalisawsservice"] = _NO_SERVICE
    facts["aws:principalservicename"] = ABSENT
    facts["aws:principalarn"] = Present((principal.arn,))
    facts["aws:principalaccount"] = account
    facts["aws:principaltype"] = _PRINCIPAL_TYPES[principal.kind]
    facts["aws:username"] = Present((principal.name,)) if principal.kind is _USER else ABSENT
    facts["aws:userid"] = _USER_ID
    return facts


def request_context(
    facts: Mapping[str, KeyState],
    given: Mapping[str, KeyState],
    otherwise: Callable[[str], KeyState] = absent_otherwise,
) -> RequestContext:
    """`facts` and the keys `given` with the request, which win; names are folded (K41)."""
    folded = {fold_case(key): state for key, state in given.items()}
    return RequestContext({**facts, **folded}, otherwise)


def with_multivalued(key: str, state: KeyState) -> KeyState:
    """`state` marked as a list where the key always holds one (K129)."""
    if isinstance(state, Present) and fold_case(key) in MULTIVALUED_KEYS:
        return Present(state.values, multivalued=True)
    return state
