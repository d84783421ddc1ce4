"""From the paths that a user names to the inventory of the deployment."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from kms_access.inventory.model import Inventory
from kms_access.inventory.origin import NotCovered
from kms_access.sources.cloudformation.assembly import MANIFEST, Assembly, read_assembly
from kms_access.sources.cloudformation.custom_access import read_custom_access
from kms_access.sources.cloudformation.deployment import Deployment
from kms_access.sources.cloudformation.environment import Environment, partition_of_literals
from kms_access.sources.cloudformation.files import source_file, unreadable
from kms_access.sources.cloudformation.given_parameters import give_parameters
from kms_access.sources.cloudformation.identities import read_identities
from kms_access.sources.cloudformation.keys import read_keys
from kms_access.sources.cloudformation.managed_policies import ManagedPolicies
from kms_access.sources.cloudformation.nested import NestedStacks
from kms_access.sources.cloudformation.not_covered import find_not_covered
from kms_access.sources.cloudformation.organization_policies import organization_policies
from kms_access.sources.cloudformation.parameters import defaults_of
from kms_access.sources.cloudformation.references import unknown_stack_name
from kms_access.sources.cloudformation.stacks import Stack
from kms_access.sources.cloudformation.template import read_template
from kms_access.sources.interface import SourceError

_NO_PARAMETERS: Mapping[str, str] = MappingProxyType({})


def load(
    paths: Sequence[Path],
    *,
    account: str = "",
    parameters: Mapping[str, str] = _NO_PARAMETERS,
    known_parameters: Mapping[str, str] = _NO_PARAMETERS,
) -> Inventory:
    """The inventory of a deployment.

    `paths` are folders that `cdk synth` wrote, or CloudFormation templates in JSON or YAML; all
    of them together are one deployment. `account` is the account of stacks that leave it open;
    empty if it is not known. `parameters` are the values that are supplied with this deployment,
    by `NAME` or `STACK.NAME`; `known_parameters` the ones that are deployed wherever a stack has
    such a parameter (the rules file). Raises SourceError, with file and if possible line and
    column, for what is no such thing, and for a parameter of `parameters` that no stack has. What
    the templates hold and the inventory does not stands in `Inventory.not_covered`.
    """
    if not paths:
        raise SourceError(
            "no path is given", help="give a folder that cdk synth writes, or templates"
        )
    stacks: list[Stack] = []
    not_covered: list[NotCovered] = []
    for path in dict.fromkeys(Path(path) for path in paths):
        assembly = _read(path)
        nested = NestedStacks(assembly.root, assembly.assets)
        for stack in assembly.stacks:
            stack.environment = stack.environment.with_account(account)
            stacks.extend(nested.inside(stack))
        not_covered.extend(assembly.not_covered)
    give_parameters(stacks, parameters, known=known_parameters)
    _make_identities_unique(stacks)
    not_covered.extend(_settle_partition(stacks))
    noted = list(not_covered)
    inventory = _inventory(Deployment(stacks), not_covered)
    return replace(inventory, with_defaults=_with_defaults(stacks, noted))


def _with_defaults(stacks: Sequence[Stack], not_covered: list[NotCovered]) -> Inventory | None:
    """The inventory if nobody supplies parameters; None if the templates have no defaults."""
    defaults = {stack: defaults_of(stack) for stack in stacks}
    if not any(defaults.values()):
        return None
    for stack, values in defaults.items():
        stack.given = {**values, **stack.given}
    return _inventory(Deployment(stacks), not_covered)


def _read(path: Path) -> Assembly:
    try:
        if path.is_dir():
            return read_assembly(path)
        if not os.path.lexists(path):
            raise SourceError(f'there is no file or folder "{path}"', file=str(path))
    except OSError as error:
        raise unreadable(path, error) from error
    except ValueError as error:
        raise SourceError(f"no path: {error}", file=str(path)) from error
    if path.name == MANIFEST:
        help = f'give the folder "{path.parent}"'
        raise SourceError("a manifest is no template", file=str(path), help=help)
    file = source_file(path, path)
    name = path.name.split(".")[0] or path.name
    stack = Stack(name, name, unknown_stack_name(name), read_template(file), Environment())
    return Assembly(path.parent, [stack])


def _make_identities_unique(stacks: Sequence[Stack]) -> None:
    """Stacks of one name, in several environments, are told apart by their template files."""
    names = Counter(stack.identity for stack in stacks if stack.parent is None)
    for stack in stacks:
        if stack.parent is not None:
            stack.identity = stack.parent.identity_of(stack.logical_id)
        elif names[stack.identity] > 1:
            stack.identity = f"{stack.identity} ({stack.template.file.shown})"
        if not isinstance(stack.name, str):
            stack.name = unknown_stack_name(stack.identity)


def _settle_partition(stacks: Sequence[Stack]) -> list[NotCovered]:
    """Without a Region, ARNs that templates spell out tell the partition, or the Regions of other
    stacks do: the credentials of one run are good in one partition."""
    agnostic = [stack for stack in stacks if not isinstance(stack.environment.region, str)]
    partition = partition_of_literals(stack.template.text for stack in agnostic)
    source = "as the ARNs in the templates say"
    if partition is None:
        others = {stack.environment.partition for stack in stacks if stack not in agnostic}
        known = others.pop() if len(others) == 1 else None
        if not isinstance(known, str):
            return []
        partition, source = known, "as that of the other stacks is"
    notes = []
    for stack in agnostic:
        stack.environment = stack.environment.in_partition(partition)
        if stack.parent is None:
            reason = f'no Region is known: the partition is taken to be "{partition}", {source}'
            notes.append(NotCovered(stack.origin, reason))
    return notes


def _inventory(deployment: Deployment, not_covered: list[NotCovered]) -> Inventory:
    keys = read_keys(deployment, not_covered)
    identities = read_identities(deployment, not_covered)
    custom = read_custom_access(deployment, keys)
    not_covered.extend(custom.not_covered)
    not_covered.extend(organization_policies(deployment, keys, identities))
    not_covered.extend(find_not_covered(deployment, has_keys=bool(keys)))
    return Inventory(
        keys=tuple(sorted(custom.applied_to(keys), key=lambda key: key.origin.identity)),
        identities=tuple(sorted(identities, key=lambda one: one.origin.identity)),
        grants=tuple(custom.grants),
        not_covered=tuple(sorted(dict.fromkeys(not_covered), key=_order)),
        managed_policies=ManagedPolicies(deployment).all(),
    )


def _order(entry: NotCovered) -> tuple[str, str, bool]:
    return entry.origin.identity, entry.reason, entry.may_change_key_access
