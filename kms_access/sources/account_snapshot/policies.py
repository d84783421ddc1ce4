"""Policy documents of a snapshot, and managed policies by their ARN (K65)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kms_access.inventory.managed_policies import managed_policy
from kms_access.inventory.model import ManagedPolicy, Policy
from kms_access.inventory.origin import Origin
from kms_access.policies.answers import Reason, ReasonKind
from kms_access.policies.document import PolicyDocument
from kms_access.policies.grammar import IDENTITY_POLICY, PolicyGrammar
from kms_access.policies.parsing import parse_policy, unreadable_policy
from kms_access.sources.account_snapshot.responses import Node, Response

_ENCODED = re.compile(rb"%([0-9A-Fa-f]{2})")
_DOCUMENT = "Document"
_OF_AWS = re.compile(r"arn:[a-z-]+:iam::aws:policy/.+")


def read_document(node: Node, field: str, grammar: PolicyGrammar) -> PolicyDocument:
    """The policy in a field: an object, or text that IAM's API encodes with percent signs.

    AWS has accepted the policy: what the parser does not understand keeps its answers open, and is
    no problem to report.
    """
    source = node.raw(field)
    text = source if isinstance(source, Mapping) else _decoded(node.text(field))
    document = parse_policy(text, grammar)
    return replace(document, problems=()) if document.problems else document


def _decoded(text: str) -> str:
    if not text.startswith("%"):
        return text
    plain = _ENCODED.sub(lambda match: bytes([int(match.group(1), 16)]), text.encode())
    return plain.decode("utf-8", "replace")


class ManagedPolicies:
    """The managed policies of GetAccountAuthorizationDetails, by ARN, with the default version."""

    def __init__(self, details: Response, lines: Mapping[str, int]) -> None:
        self._nodes = {node.text("Arn"): node for node in details.objects("Policies")}
        self._lines = lines
        self._file = details.shown
        self._read: dict[tuple[str, str], Policy] = {}

    def all(self) -> tuple[ManagedPolicy, ...]:
        """Every policy, attached or not, by ARN."""
        return tuple(
            ManagedPolicy(arn, self.by_arn(arn, IDENTITY_POLICY)) for arn in sorted(self._nodes)
        )

    def by_arn(self, arn: str, grammar: PolicyGrammar) -> Policy:
        """The policy with that ARN; its content is not known where the snapshot lacks it, as when
        a filter left it out, and it is none of the AWS managed policies that we know."""
        key = (arn, grammar.title)
        if key not in self._read:
            kind = "managed policy" if grammar is IDENTITY_POLICY else grammar.title
            name = arn.rpartition("/")[2]
            origin = Origin(arn, name, file=self._file, line=self._lines.get(arn))
            node = self._nodes.get(arn)
            version = _default_version(node) if node is not None else None
            document = self._document(arn, grammar, version)
            places = version.places(_DOCUMENT) if version is not None else None
            self._read[key] = Policy(f"{kind} {name}", document, origin, places)
        return self._read[key]

    def _document(self, arn: str, grammar: PolicyGrammar, version: Node | None) -> PolicyDocument:
        if version is not None:
            # AWS's own policies may be larger than the quota of its customers.
            limits: dict[str, Any] = {"maximum_characters": 0} if _OF_AWS.fullmatch(arn) else {}
            document = read_document(version, _DOCUMENT, replace(grammar, **limits))
            return replace(document, grammar=grammar)
        known = managed_policy(arn, grammar)
        if known is not None:
            return known
        text = f"the content of managed policy {arn}, which the snapshot lacks"
        return unreadable_policy(grammar, Reason(text, ReasonKind.UNREADABLE, "K65"))


def _default_version(node: Node) -> Node:
    wanted = node.text("DefaultVersionId")
    for version in node.objects("PolicyVersionList"):
        if version.text("VersionId") == wanted:
            return version
    raise node.fail(f'"PolicyVersionList" lacks the default version "{wanted}"')
