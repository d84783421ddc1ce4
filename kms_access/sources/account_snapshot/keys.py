"""ListKeys, ListAliases, DescribeKey, GetKeyPolicy, ListGrants, ListResourceTags: deployed keys."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from kms_access.inventory.actions import KEY_USAGES
from kms_access.inventory.grants import read_grant
from kms_access.inventory.key_policies import KEY_POLICY
from kms_access.inventory.model import Grant, Key, Policy
from kms_access.inventory.origin import NotCovered, Origin
from kms_access.policies.answers import Reason, ReasonKind
from kms_access.policies.arns import arn_segments
from kms_access.policies.document import PolicyDocument
from kms_access.policies.parsing import unreadable_policy
from kms_access.policies.text import Value, unknown_text
from kms_access.sources.account_snapshot import layout
from kms_access.sources.account_snapshot.identities import read_tags
from kms_access.sources.account_snapshot.layout import AccountFolder
from kms_access.sources.account_snapshot.policies import read_document
from kms_access.sources.account_snapshot.responses import Node, Response

_POLICY = "Policy"
_GONE = "NotFoundException"
_MULTI_REGION = "mrk-"
_KEY_ID = re.compile(r"[A-Za-z0-9-]+", re.ASCII)
_OF_AWS = "alias/aws/"
_OPERATIONS_UNKNOWN = "any operation of a grant"


class RegionReader:
    """The keys and grants of one account in one Region.

    An API that refused to answer leaves what it would have told open, never empty: `keys`,
    `grants` and `not_covered` say so. Raises `SourceError` for missing files and for responses of
    another form or about another account or Region.
    """

    def __init__(self, folder: AccountFolder, region: str) -> None:
        self._folder = folder
        self._region = region
        self.keys: list[Key] = []
        self.grants: list[Grant] = []
        self.not_covered: list[NotCovered] = []
        listed = Response(folder.in_region(region, layout.KEYS))
        aliases = Response(folder.in_region(region, layout.ALIASES))
        if listed.error:
            what = f"the keys of account {folder.account} in {region}"
            origin = Origin(f"{folder.account}/{region}", region, file=listed.shown)
            self._refused(origin, what, "ListKeys", listed.error)
            return
        names = self._names(aliases)
        for node in listed.objects("Keys"):
            self._read_key(node, aliases, names.pop(node.text("KeyId"), []))
        self._without_key(aliases, names)

    def _names(self, aliases: Response) -> defaultdict[str, list[str]]:
        names: defaultdict[str, list[str]] = defaultdict(list)
        for node in aliases.objects("Aliases") if not aliases.error else ():
            # An alias that AWS reserved for a service stands for no key before it is used.
            if "TargetKeyId" in node:
                names[node.text("TargetKeyId")].append(node.text("AliasName"))
        return names

    def _without_key(self, aliases: Response, names: Mapping[str, list[str]]) -> None:
        for key_id, listed in names.items():
            for name in listed:
                if not name.startswith(_OF_AWS):
                    origin = Origin(f"{self._folder.account}/{self._region}/{name}", name)
                    reason = f'{aliases.shown} ties it to key "{key_id}", which ListKeys lacks'
                    self.not_covered.append(NotCovered(origin, reason, True))

    def _read_key(self, node: Node, aliases: Response, names: list[str]) -> None:
        key_id, arn = node.text("KeyId"), node.text("KeyArn")
        segments = arn_segments(arn)
        place = (self._region, self._folder.account, f"key/{key_id}")
        if segments is None or tuple(segments[3:]) != place or not _KEY_ID.fullmatch(key_id):
            message = f'"{arn}" is not the ARN of key "{key_id}" of {place[1]} in {place[0]}'
            raise node.fail(message, "KeyArn")
        described = self._response(key_id, layout.KEY)
        origin = Origin(arn, key_id, file=described.shown)
        if described.error == _GONE:
            self.not_covered.append(NotCovered(origin, "the key is gone: it was listed before"))
            return
        facts = None if described.error else described.object("KeyMetadata")
        if facts is None:
            what = f"spec, usage and manager of key {key_id}"
            self._refused(origin, what, "DescribeKey", described.error)
        known_aliases: tuple[Value, ...] = tuple(sorted(names))
        if aliases.error:
            what = f"the aliases of key {key_id}, which ListAliases refused: {aliases.error}"
            known_aliases = (unknown_text(what),)
        self.keys.append(
            Key(
                origin,
                arn,
                self._folder.account,
                self._region,
                segments[1],
                (self._key_policy(key_id, origin),),
                known_aliases,
                self._tags(key_id, origin),
                (facts.optional_text("Description") or "") if facts else "",
                *(_facts(facts) if facts else (None, None, None)),
                multi_region=key_id.startswith(_MULTI_REGION),
                further_aliases=bool(aliases.error),
                manager=facts.optional_text("KeyManager") if facts else None,
                state=facts.optional_text("KeyState") if facts else None,
            )
        )
        self.grants.extend(self._grants(key_id, arn))

    def _response(self, key_id: str, name: str) -> Response:
        return Response(self._folder.of_key(self._region, key_id, name))

    def _refused(self, origin: Origin, what: str, call: str, error: str) -> None:
        reason = f"{what} are not known: {call} answered {error}"
        self.not_covered.append(NotCovered(origin, reason, may_change_key_access=True))

    def _key_policy(self, key_id: str, origin: Origin) -> Policy:
        response = self._response(key_id, layout.KEY_POLICY)
        place = Origin(origin.identity, origin.label, file=response.shown)
        places = response.places(_POLICY)
        return Policy("key policy", self._document(response, key_id), place, places)

    def _document(self, response: Response, key_id: str) -> PolicyDocument:
        if response.error:
            text = f"the key policy of key {key_id}: GetKeyPolicy answered {response.error}"
            return unreadable_policy(KEY_POLICY, Reason(text, ReasonKind.UNREADABLE, "K2"))
        return read_document(response, _POLICY, KEY_POLICY)

    def _tags(self, key_id: str, origin: Origin) -> Mapping[str, Value]:
        response = self._response(key_id, layout.TAGS)
        if response.error:
            what = f"the tags of key {key_id}"
            self._refused(origin, what, "ListResourceTags", response.error)
            return MappingProxyType({})
        return read_tags(response, key="TagKey")

    def _grants(self, key_id: str, arn: str) -> Iterator[Grant]:
        response = self._response(key_id, layout.GRANTS)
        if response.error:
            yield _unknown_grant(response, key_id, arn)
            return
        for number, node in enumerate(response.objects("Grants"), start=1):
            name = node.optional_text("Name") or node.optional_text("GrantId") or str(number)
            fields = {field: node.raw(field) for field in node}
            identity = f"{arn}/grant/{node.optional_text('GrantId') or number}"
            origin = Origin(identity, name, file=response.shown)
            # KMS has accepted the grant; its grantee may be gone since, and is then a bare id.
            yield replace(read_grant(fields, f"grant {name}", origin, arn), problems=())


def _facts(metadata: Node) -> tuple[Value | None, Value | None, Value | None]:
    """Spec, usage and origin; a usage that is not known limits nothing."""
    usage = metadata.optional_text("KeyUsage")
    return (
        metadata.optional_text("KeySpec") or metadata.optional_text("CustomerMasterKeySpec"),
        usage if usage in KEY_USAGES else None,
        metadata.optional_text("Origin"),
    )


def _unknown_grant(response: Response, key_id: str, arn: str) -> Grant:
    """Stands for the grants of a key that nobody told: they may give anybody anything (K107)."""
    text = f"the grants of key {key_id}: ListGrants answered {response.error}"
    return Grant(
        f"grants of key {key_id}",
        Origin(f"{arn}/grants", "grants", file=response.shown),
        arn,
        unknown_text(f"whom {text} names"),
        (unknown_text(_OPERATIONS_UNKNOWN),),
        uncertain=Reason(text, ReasonKind.UNREADABLE, "K107"),
    )
