"""Policy documents of resources, with reason and remedy where one is not known yet (K83)."""

from __future__ import annotations

from kms_access.inventory.model import Policy
from kms_access.policies.answers import Reason, ReasonKind
from kms_access.policies.document import PolicyDocument
from kms_access.policies.grammar import PolicyGrammar
from kms_access.policies.parsing import unreadable_policy
from kms_access.policies.text import Text
from kms_access.sources.pulumi.definition import Definition
from kms_access.sources.pulumi.links import Links
from kms_access.sources.pulumi.policy_text import parse, parse_data
from kms_access.sources.pulumi.wire import UNKNOWN

_MOST_NAMED = 5
_OR_WITH_HELPER = ", or write it with policypack.documents"
_NAMED_IN_DOCUMENTS = ("role", "user", "oidc-provider", "saml-provider")
"""What a document names by an ARN that follows from account and name."""


def read_policy(
    definition: Definition, key: str, grammar: PolicyGrammar, label: str, links: Links
) -> Policy | None:
    """The policy in the property `key`; None if it is absent, which an empty text means as well."""
    value = definition.value(key)
    if value is None or value == "":
        return None
    return Policy(label, _document(definition, key, value, grammar, links), definition.origin)


def read_element(
    definition: Definition, key: str, value: object, grammar: PolicyGrammar, links: Links
) -> PolicyDocument:
    """A document that stands inside the property `key`, for example in a list."""
    return _document(definition, key, value, grammar, links)


def _document(
    definition: Definition, key: str, value: object, grammar: PolicyGrammar, links: Links
) -> PolicyDocument:
    if value is UNKNOWN:
        text = explain_unknown(definition, key, links)
        return unreadable_policy(grammar, Reason(text, ReasonKind.UNKNOWN_VALUE, "K83"))
    if isinstance(value, (str, Text)):
        return parse(value, grammar)
    return parse_data(value, grammar, f"the {definition.property_name(key)} of {definition.call}")


def explain_unknown(definition: Definition, key: str, links: Links) -> str:
    """Why a document is not known before the deployment, and what to write instead."""
    what = f"the {definition.property_name(key)} of {definition.call}"
    sources = {urn: links.definition(urn) for urn in sorted(definition.dependencies(key))}
    if not sources:
        return (
            f"{what} is not known before the deployment and Pulumi does not say what it depends "
            "on, as with get_policy_document_output; build the document from literal ARNs"
            f"{_OR_WITH_HELPER}"
        )
    calls = [
        source.call if source else f'"{urn.split("::", 3)[-1]}"' for urn, source in sources.items()
    ]
    more = f" and {len(calls) - _MOST_NAMED} more" if len(calls) > _MOST_NAMED else ""
    listed = ", ".join(calls[:_MOST_NAMED]) + more
    created = "is" if len(calls) == 1 else "are"
    known = [source for source in sources.values() if source is not None]
    return (
        f"{what} depends on {listed}, which {created} created in this deployment; {_remedy(known)}"
        f"{_OR_WITH_HELPER}"
    )


def _remedy(sources: list[Definition]) -> str:
    principals = [source for source in sources if source.entity in _NAMED_IN_DOCUMENTS]
    if principals:
        first = principals[0]
        if isinstance(first.arn, str):
            return f'build the document from "{first.arn}" instead of the arn attribute'
        naming = ""
        if not isinstance(first.name, str) and first.entity in ("role", "user"):
            naming = f" and give the {first.kind} an explicit name"
        return f'build the document from "arn:aws:iam::ACCOUNT:{first.entity}/NAME"{naming}'
    if any(source.entity == "key" for source in sources):
        return (
            "give the access in the policy of the key, or limit the statement by the condition "
            'key "kms:ResourceAliases" instead of the ARN of the key'
        )
    if any(source.entity == "policy" for source in sources):
        return "build the document from literal ARNs instead of attributes of the policy"
    return "build the document from values that are known before the deployment"
