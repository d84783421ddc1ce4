"""The resources of a Pulumi stack -> Inventory."""

from __future__ import annotations

from collections.abc import Sequence

from kms_access.inventory.model import Inventory
from kms_access.sources.pulumi.coverage import find_gaps
from kms_access.sources.pulumi.definition import define
from kms_access.sources.pulumi.identities import read_identities
from kms_access.sources.pulumi.keys import read_keys
from kms_access.sources.pulumi.links import Links
from kms_access.sources.pulumi.names import GeneratedNames
from kms_access.sources.pulumi.places import Places
from kms_access.sources.pulumi.resource import StackResource
from kms_access.sources.pulumi.tokens import READ


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
    places = Places(ordered, account)
    names = GeneratedNames(ordered if preview else ())
    everything = [define(r, places.of(r), names, preview=preview) for r in ordered]
    definitions = [d for d in everything if d.type in READ and not d.is_left_out]
    links = Links(definitions, frozenset(d.urn for d in everything if d.created_later))
    keys, grants, loose_keys = read_keys(definitions, links, partial=partial)
    identities, loose_identities = read_identities(definitions, links)
    return Inventory(
        keys=keys,
        identities=identities,
        grants=grants,
        not_covered=(*loose_keys, *loose_identities, *find_gaps(everything)),
    )
