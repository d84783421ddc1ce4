"""The resources of a Pulumi stack -> Inventory."""

from __future__ import annotations

from collections.abc import Sequence

from kms_access.inventory.model import Inventory
from kms_access.sources.pulumi.composed import with_composed_documents, with_outlines
from kms_access.sources.pulumi.coverage import find_gaps
from kms_access.sources.pulumi.definition import Definition, as_replica_of, define
from kms_access.sources.pulumi.identities import read_identities, read_managed_policies
from kms_access.sources.pulumi.keys import read_keys
from kms_access.sources.pulumi.links import Links
from kms_access.sources.pulumi.names import GeneratedNames
from kms_access.sources.pulumi.organizations import with_organization_policies
from kms_access.sources.pulumi.places import Places
from kms_access.sources.pulumi.resource import StackResource
from kms_access.sources.pulumi.tokens import POLICY_DOCUMENT, READ, REFERRED_TO, REPLICAS


def read_stack(
    resources: Sequence[StackResource],
    *,
    account: str = "",
    preview: bool = True,
    partial: bool = False,
) -> Inventory:
    """The inventory of one stack; resources may come in any order, and of any type.

    `account` is the account id where neither the providers nor the resources tell it. With
    `preview` nothing is created by this operation, so that names which the engine generated for
    new resources are random text that the update will choose anew; without it they are final.
    `partial` says that more resources will follow.
    Raises `SourceError` for a resource whose URN is none.
    """
    ordered = sorted(resources, key=lambda resource: resource.urn)
    places = Places(with_outlines(ordered), account)
    names = GeneratedNames(ordered if preview else ())
    everything = [define(r, places.of(r), names, preview=preview) for r in ordered]
    definitions, links = _linked(everything, partial=partial)
    keys, grants, loose_keys = read_keys(definitions, links, partial=partial)
    identities, loose_identities = read_identities(definitions, links, partial=partial)
    inventory = Inventory(
        keys=keys,
        identities=identities,
        grants=grants,
        not_covered=(*loose_keys, *loose_identities, *find_gaps(everything)),
        managed_policies=read_managed_policies(definitions, links),
    )
    return with_organization_policies(inventory, definitions, links)


def _linked(everything: Sequence[Definition], *, partial: bool) -> tuple[list[Definition], Links]:
    """The definitions that matter; replicas get the key ids of their primary keys (K165)."""
    created_later = frozenset(
        # What a document is made of is a dependency of its own, beside the document.
        d.urn
        for d in everything
        if d.created_later and d.type != POLICY_DOCUMENT
    )
    matters = READ | REFERRED_TO
    definitions = [d for d in everything if d.type in matters and not d.is_left_out]
    if any(d.type in REPLICAS for d in definitions):
        links = Links(definitions, created_later)
        definitions = [
            as_replica_of(d, links.find_primary(d)) if d.type in REPLICAS else d
            for d in definitions
        ]
    # Documents name keys by their ARNs, which are settled now.
    definitions = with_composed_documents(definitions)
    return definitions, Links(definitions, created_later, partial=partial)
