"""K78 to K81 of the reference, written down as they stand, over JSON policies.

The second opinion for the evaluator: it shares no code with `kms_access`, was written without
reading it, and decides concrete requests alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.decisions.pseudocode_language import (
    ACCOUNT,
    FEDERATED,
    NEGATED,
    ROLE,
    SERVICE,
    SESSION,
    STAR,
    USER,
    USER_OF_FEDERATED,
    Caller,
    F,
    Json,
    T,
    U,
    action_matches,
    as_list,
    condition_holds,
    entries,
    how_named,
    key_resource_matches,
    not_principal_allows,
    not_principal_denies,
    read_caller,
    resource_matches,
)

NO_KEY = frozenset(  # K112
    "CreateKey GenerateRandom ListKeys ListAliases ListRetirableGrants CreateCustomKeyStore "
    "ConnectCustomKeyStore DisconnectCustomKeyStore DeleteCustomKeyStore DescribeCustomKeyStores "
    "UpdateCustomKeyStore".lower().split()
)
CROSS_ACCOUNT = frozenset(  # K120
    "Encrypt Decrypt ReEncryptFrom ReEncryptTo GenerateDataKey GenerateDataKeyWithoutPlaintext "
    "GenerateDataKeyPair GenerateDataKeyPairWithoutPlaintext GenerateMac VerifyMac Sign Verify "
    "DeriveSharedSecret Encapsulate Decapsulate DescribeKey GetPublicKey GetKeyRotationStatus "
    "CreateGrant ListGrants RetireGrant RevokeGrant".lower().split()
)
ONLY_INSIDE = frozenset(  # the rest of K111
    "CreateAlias UpdateAlias DeleteAlias PutKeyPolicy GetKeyPolicy ListKeyPolicies EnableKey "
    "DisableKey EnableKeyRotation DisableKeyRotation ListKeyRotations RotateKeyOnDemand "
    "GetKeyLastUsage ScheduleKeyDeletion CancelKeyDeletion TagResource UntagResource "
    "ListResourceTags UpdateKeyDescription GetParametersForImport ImportKeyMaterial "
    "DeleteImportedKeyMaterial ReplicateKey UpdatePrimaryRegion "
    "SynchronizeMultiRegionKey".lower().split()
)
ENCRYPTION_CONTEXT = "kms:encryptioncontext:"


def context_of(request: Json, caller: Caller) -> dict[str, Any]:
    """What follows from principal and resource, unless given; nothing else is there."""
    facts: dict[str, Any] = {"aws:resourceaccount": request["account"]}
    if request["resource"].count(":") >= 5:
        facts["aws:requestedregion"] = request["resource"].split(":")[3]
    if caller.kind == SERVICE:
        facts |= {"aws:principalisawsservice": "true", "aws:principalservicename": caller.arn}
    else:
        types = {ACCOUNT: "Account", USER: "User", FEDERATED: "FederatedUser"}
        facts |= {
            "aws:principalisawsservice": "false",
            "aws:principalarn": caller.role_arn or caller.arn,
            "aws:principalaccount": caller.account,
            "aws:principaltype": types.get(caller.kind, "AssumedRole"),
            "kms:calleraccount": caller.account,
        }
    if caller.kind == USER:
        facts["aws:username"] = caller.name
    for key, value in request.get("context", {}).items():
        truth = {True: "true", False: "false"}
        facts[key.lower()] = truth[value] if isinstance(value, bool) else value
    return facts


class Question:
    """One request with its policies, under the names of K78."""

    def __init__(self, request: Json) -> None:
        given = {key.lower(): value for key, value in request.get("context", {}).items()}
        self.caller = read_caller(request["principal"], given.get("aws:principalarn", ""))
        self.action = request["action"].removeprefix("kms:").lower()
        self.resource = request["resource"]
        self.account = request["account"]
        self.context = context_of(request, self.caller)
        self.key_policies = as_list(request.get("resourcePolicy", []))
        self.identity = request.get("identityPolicies", [])
        self.boundary = request.get("permissionsBoundaries", [])
        self.session = as_list(request.get("sessionPolicy", []))
        self.scp = request.get("serviceControlPolicies", [])
        self.rcp = [
            policy for level in request.get("resourceControlPolicies", []) for policy in level
        ]
        self.grants = request.get("grants", [])

    # what every statement asks

    def statements(self, policies: Any, effect: str) -> Iterator[tuple[Json, str]]:
        for policy in policies:
            for statement in as_list(policy["Statement"]):
                if statement["Effect"] == effect:
                    yield statement, policy.get("Version", "2008-10-17")

    def without_principal(self, statement: Json, version: str) -> int:
        return min(
            action_matches(statement, f"kms:{self.action}"),
            resource_matches(statement, self.resource),
            condition_holds(
                statement, version, self.context, in_iam_policy="Principal" not in statement
            ),
        )

    def on_key(self, statement: Json, version: str) -> int:
        return min(
            action_matches(statement, f"kms:{self.action}"),
            key_resource_matches(statement, self.resource),
            condition_holds(statement, version, self.context, in_iam_policy=False),
        )

    # deny

    def deny(self, policies: Any) -> int:
        found = self.statements(policies, "Deny")
        return max((self.without_principal(s, version) for s, version in found), default=F)

    def deny_of_key_policies(self) -> int:
        result = F
        for statement, version in self.statements(self.key_policies, "Deny"):
            if "Principal" in statement:
                element = statement["Principal"]
                named = max(how_named(*entry, self.caller)[1] for entry in entries(element))
            elif "NotPrincipal" in statement:
                element = statement["NotPrincipal"]
                named = not_principal_denies(element, self.caller, bool(self.boundary))
            else:
                continue  # K17
            result = max(result, min(named, self.on_key(statement, version)))
        return result

    def denied(self) -> int:
        caller = self.caller
        result = self.deny_of_key_policies() if self.action != "retiregrant" else F  # K102
        if caller.kind != SERVICE:  # K54, K81
            for policies in (self.identity, self.boundary, self.session):
                result = max(result, self.deny(policies))
            if not caller.is_service_linked:
                result = max(result, *(self.deny(level) for level in self.scp), F)
        if not caller.is_service_linked and self.action != "retiregrant":
            result = max(result, self.deny(self.rcp))
        return result

    # allow

    def allow(self, policies: Any) -> int:
        found = self.statements(policies, "Allow")
        return max((self.without_principal(s, version) for s, version in found), default=F)

    def allow_or_T(self, policies: Any) -> int:
        return self.allow(policies) if policies else T

    def soft(self, policies: Any) -> int:
        return max(U, self.allow_or_T(policies))

    def org(self) -> int:
        if self.caller.is_service_linked:
            return T
        return min((self.allow(level) for level in self.scp), default=T)

    def ident(self) -> int:
        if self.caller.kind == ACCOUNT:  # K84
            return T
        if self.caller.kind == FEDERATED and not self.session:  # K51
            return F
        limits = min(self.allow_or_T(self.boundary), self.allow_or_T(self.session))
        return min(self.allow(self.identity), limits)

    def allows_of_key_policies(self) -> Iterator[tuple[str, int, Json]]:
        """How each Allow statement names the caller, and whether it matches."""
        for statement, version in self.statements(self.key_policies, "Allow"):
            matches = self.on_key(statement, version)
            if "NotPrincipal" in statement:
                named = not_principal_allows(statement["NotPrincipal"], self.caller)
                yield STAR, min(named, matches), statement
            elif "Principal" in statement:
                for entry in entries(statement["Principal"]):
                    how, named = how_named(*entry, self.caller)
                    yield how, min(named, matches), statement

    def grant(self) -> int:
        found = max((self.match_grant(grant) for grant in self.grants), default=F)
        return min(found, self.soft(self.boundary), self.soft(self.session), max(U, self.org()))

    # grants (section 6)

    def match_grant(self, grant: Json) -> int:
        if self.action == "retiregrant":
            return self.may_retire(grant)
        if self.action not in [operation.lower() for operation in grant["Operations"]]:
            return F
        return min(self.is_grantee(grant), self.constraints_hold(grant.get("Constraints", {})))

    def is_grantee(self, grant: Json) -> int:  # K87, K88, K90
        return self.is_named(grant, "GranteePrincipal", "GranteeServicePrincipal")

    def is_named(self, grant: Json, field: str, service_field: str) -> int:
        if service_field in grant:
            return how_named("Service", grant[service_field], self.caller)[1]
        if field not in grant:
            return F
        how, named = how_named("AWS", grant[field], self.caller)
        if how == ACCOUNT and self.caller.kind != ACCOUNT:  # K90
            return min(named, max(U, self.ident()))
        return named

    def may_retire(self, grant: Json) -> int:  # K101, K102
        retiring = self.is_named(grant, "RetiringPrincipal", "RetiringServicePrincipal")
        may_as_grantee = "RetireGrant" in grant["Operations"]
        result = max(retiring, self.is_grantee(grant) if may_as_grantee else F)
        issuer = grant.get("IssuingAccount")
        if issuer is not None:
            issued = how_named("AWS", issuer, self.caller)[1]
            result = max(result, min(issued, self.ident()))
        return result

    def constraints_hold(self, constraints: Json) -> int:  # K97 to K100
        result = T
        given = {
            key.removeprefix(ENCRYPTION_CONTEXT): value
            for key, value in self.context.items()
            if key.startswith(ENCRYPTION_CONTEXT)
        }
        if self.action != "describekey":
            for name in ("EncryptionContextEquals", "EncryptionContextSubset"):
                if name not in constraints:
                    continue
                wanted = {key.lower(): value for key, value in constraints[name].items()}
                exact = given == wanted
                holds = exact if name.endswith("Equals") else wanted.items() <= given.items()
                result = min(result, T if holds else F)
        if "SourceArn" in constraints:
            source = self.context.get("aws:sourcearn")
            result = min(result, T if source == constraints["SourceArn"] else F)
        return result

    # the procedures (section 5)

    def decide(self) -> str:
        if self.caller.kind == SERVICE:
            return self.decide_service()
        if self.action in NO_KEY:
            return self.decide_without_key()
        if self.caller.account == self.account:
            return self.decide_same()
        return self.decide_cross()

    def decide_same(self) -> str:  # K78
        denied = self.denied()
        if denied == T:
            return "explicitly-denied"
        org = self.org()
        ident = self.ident()
        base = F
        for how, m, s in self.allows_of_key_policies():
            hard = min(self.allow_or_T(self.boundary), self.allow_or_T(self.session))
            soft = min(self.soft(self.boundary), self.soft(self.session))
            if how in {USER, SESSION, FEDERATED}:
                base = max(base, m)
            if how == STAR:
                base = max(base, m if tests_principal_arn(s) else min(m, soft))
            if how in {ROLE, USER_OF_FEDERATED}:
                base = max(base, min(m, hard))
            if how == ACCOUNT:
                base = max(base, min(m, ident))
        policy = min(base, org) if self.action != "retiregrant" else F
        return verdict(max(policy, self.grant()), denied)

    def decide_cross(self) -> str:  # K79
        if self.action in NO_KEY | ONLY_INSIDE:
            return "implicitly-denied"
        denied = self.denied()
        if denied == T:
            return "explicitly-denied"
        keyside = max((m for _, m, _ in self.allows_of_key_policies()), default=F)
        policy = min(keyside, self.ident(), self.org()) if self.action != "retiregrant" else F
        effective = T if self.action in CROSS_ACCOUNT else U  # an action that no list knows
        return verdict(min(effective, max(policy, self.grant())), denied)

    def decide_without_key(self) -> str:  # K80
        limits = [self.identity, self.boundary, self.session]
        denied = max(self.deny(policies) for policies in limits)
        if not self.caller.is_service_linked:
            denied = max(denied, *(self.deny(level) for level in self.scp), F)
        if denied == T:
            return "explicitly-denied"
        return verdict(min(self.ident(), self.org()), denied)

    def decide_service(self) -> str:  # K81, and K88 for a grant to a service
        denied = self.denied()
        if denied == T:
            return "explicitly-denied"
        allows = self.allows_of_key_policies()
        named = max((m for how, m, _ in allows if how in {SERVICE, STAR}), default=F)
        policy = named if self.action != "retiregrant" else F
        granted = max((self.match_grant(grant) for grant in self.grants), default=F)
        return verdict(max(policy, granted), denied)


def tests_principal_arn(statement: Json) -> bool:
    """Whether a condition fixes who calls: a negated or optional test names nobody (K58, K59)."""
    return any(
        key.lower() == "aws:principalarn"
        and operator not in NEGATED
        and not operator.endswith("IfExists")
        and ":" not in operator
        for operator, block in statement.get("Condition", {}).items()
        for key in block
    )


def verdict(allowed: int, denied: int) -> str:
    if allowed == F:
        return "implicitly-denied"
    if allowed == T and denied == F:
        return "allowed"
    return "depends"


def decide(request: Json) -> str:
    """The verdict on a request in the form of `kms-access authorize`, with JSON objects."""
    return Question(request).decide()
