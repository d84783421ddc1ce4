"""Identities and managed policies that the stack refers to and does not define (K65, K66)."""

from __future__ import annotations

from kms_access.inventory.arns import iam_arn
from kms_access.inventory.managed_policies import managed_policy
from kms_access.inventory.model import Policy
from kms_access.inventory.origin import Origin
from kms_access.policies.answers import Reason, ReasonKind
from kms_access.policies.grammar import PolicyGrammar
from kms_access.policies.parsing import unreadable_policy
from kms_access.policies.principals import Principal, PrincipalKind
from kms_access.policies.text import PATH_CHARACTER, Text, Unknown, Value, concat
from kms_access.sources.pulumi.definition import Definition


def outside_policy(arn: Value, grammar: PolicyGrammar) -> Policy:
    """A managed policy that the stack does not define: AWS's, or its content is unknown (K65)."""
    document = managed_policy(arn, grammar)
    if document is None:
        reason = Reason(
            f'the content of the managed policy "{arn}", which is not part of the definitions',
            ReasonKind.UNREADABLE,
            "K65",
        )
        document = unreadable_policy(grammar, reason)
    text = str(arn)
    name = text.rpartition("/")[2]
    return Policy(f"managed policy {name}", document, Origin(text, name))


def outside_principal(kind: str, name: Value, account: Value, partition: Value) -> Principal:
    """A user or role of which the stack knows only the name, not the path."""
    path = Text((Unknown(f"the path of {kind} {name}", PATH_CHARACTER),))
    arn = iam_arn(partition, account, kind, concat(("/", path)), name)
    if kind == "role":
        short = concat(("/", name))
        return Principal(PrincipalKind.ROLE, arn, account, partition, short, path_known=False)
    return Principal(PrincipalKind.USER, arn, account, partition, concat(("/", path, name)))


def outside_origin(kind: str, name: Value, source: Definition) -> Origin:
    """Stands for an identity that is defined elsewhere."""
    return Origin(f"{kind} {name}", str(name), source.resource.stack)
