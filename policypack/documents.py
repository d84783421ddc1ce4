"""Policy documents that can be judged at the first preview, for Pulumi programs in Python.

A document that is built from the ARN of a new resource is one unknown text at a preview: Pulumi
keeps nothing of its structure. `PolicyDocument` renders the same JSON, and shows the policy pack
the structure beside it, in a component resource of its own:

    from policypack.documents import PolicyDocument

    document = PolicyDocument("payments", {
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "Use", "Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*",
            "Principal": {"AWS": role.arn},
        }],
    })
    key = aws.kms.Key("payments", policy=document.json)

This module needs `pulumi` and nothing else of kms-access. Without the policy pack a program that
uses it does the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypedDict, TypeVar, cast

import pulumi

__all__ = ["Document", "Joined", "PolicyDocument", "Statement", "concat"]

TYPE = "kms-access:index:PolicyDocument"
REFERENCE = "kms-access:reference"
ATTRIBUTE = "kms-access:attribute"
JOINED = "kms-access:joined"

U = TypeVar("U")


@dataclass(frozen=True, slots=True)
class Joined:
    """Text with outputs in it, as `concat` makes it."""

    parts: tuple[str | pulumi.Output[Any], ...]


def concat(*parts: str | pulumi.Output[Any]) -> Joined:
    """Text with outputs in it, of which `PolicyDocument` still sees the parts.

    `Output.concat` gives the same text, but one unknown part makes its result unknown.
    """
    return Joined(parts)


Leaf: TypeAlias = str | int | bool | pulumi.Output[Any] | Joined
Values: TypeAlias = Leaf | Sequence[Leaf]
Principals: TypeAlias = Literal["*"] | Mapping[str, Values]


class Statement(TypedDict, total=False):
    """One statement, in the words of the IAM policy language."""

    Sid: Leaf
    Effect: Literal["Allow", "Deny"]
    Principal: Principals
    NotPrincipal: Principals
    Action: Values
    NotAction: Values
    Resource: Values
    NotResource: Values
    Condition: Mapping[str, Mapping[str, Values]]


class Document(TypedDict, total=False):
    """A policy document, in the words of the IAM policy language."""

    Version: Literal["2012-10-17", "2008-10-17"]
    Id: Leaf
    Statement: Statement | Sequence[Statement]


class PolicyDocument(pulumi.ComponentResource):
    """A policy document whose structure a preview shows, although parts of it are unknown.

    Give `json` itself to the property that takes the document. What is made of it with `apply`
    or `Output.concat` is another text, and at a preview as unknown as any other.
    """

    json: pulumi.Output[str]
    """The document as JSON."""

    def __init__(
        self,
        name: str,
        document: Document | Mapping[str, Any],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`document` is a policy of which any value may be an output, such as `role.arn`.

        An output in it can stand for one text or for a list of them. Outputs inside of a text are
        joined with `concat`. Raises `TypeError` for a value that no policy can hold.
        """
        references: list[pulumi.Output[Any]] = []
        tree = _tree(document, "the document", references)
        properties: dict[str, Any] = {
            f"ref{number}": reference for number, reference in enumerate(references)
        }
        properties["document"] = pulumi.Output.from_input(_with_attributes(tree, references))
        super().__init__(TYPE, name, properties, opts)
        rendered = pulumi.Output.all(*references).apply(lambda known: _render(tree, known))
        self.json = _Rendered(rendered, self.urn)
        self.register_outputs({})


class _Rendered(pulumi.Output[str]):
    """The text of a `PolicyDocument`, with a dependency on the component that shows it.

    The policy pack takes the dependency to mean that a property is this very text. Whatever is
    derived from the text therefore does not carry it on.
    """

    def __init__(self, rendered: pulumi.Output[str], urn: pulumi.Output[str]) -> None:
        self._rendered = rendered

        async def resources() -> set[pulumi.Resource]:
            found = set(await rendered.resources())
            component = await urn.future()
            if component:
                # A component itself would be replaced by its children, and it has none.
                found.add(pulumi.resource.DependencyResource(component))
            return found

        async def text() -> str:
            # None stands for an unknown text, which `is_known` tells apart.
            return cast(str, await rendered.future())

        super().__init__(resources(), text(), rendered.is_known(), rendered.is_secret())

    def apply(
        self, func: Callable[[str], pulumi.Input[U]], run_with_unknowns: bool = False
    ) -> pulumi.Output[U]:
        return self._rendered.apply(func, run_with_unknowns)


@dataclass(frozen=True, slots=True)
class _Reference:
    number: int


def _tree(node: object, place: str, references: list[pulumi.Output[Any]]) -> Any:
    """The document with numbers in place of the outputs, which are appended to `references`."""
    if isinstance(node, pulumi.Output):
        references.append(node)
        return _Reference(len(references) - 1)
    if isinstance(node, Joined):
        for part in node.parts:
            if not isinstance(part, (str, pulumi.Output)):
                raise TypeError(
                    f"a part of {place} is of the type {type(part).__name__}, accepted are text "
                    "and outputs"
                )
        return tuple(_tree(part, place, references) for part in node.parts)
    if isinstance(node, (str, bool, int, float)):
        return node
    if isinstance(node, Mapping):
        for key in node:
            if not isinstance(key, str) or key.startswith("kms-access:"):
                raise TypeError(f'{place} has the key "{key}", accepted are elements of policies')
        return {key: _tree(item, f"{key} of {place}", references) for key, item in node.items()}
    if isinstance(node, Sequence) and not isinstance(node, (bytes, bytearray)):
        return [_tree(item, f"a value of {place}", references) for item in node]
    found = type(node).__name__
    hint = "; give an attribute such as its arn" if isinstance(node, pulumi.Resource) else ""
    raise TypeError(
        f"{place} is of the type {found}, accepted are text, numbers, booleans, lists, mappings "
        f"and outputs{hint}"
    )


async def _with_attributes(tree: object, references: Sequence[pulumi.Output[Any]]) -> str:
    """The structure as JSON, each reference with the attribute that it is, if it is one."""
    attributes = [await _attribute(reference) for reference in references]

    def shown(node: object) -> object:
        if isinstance(node, _Reference):
            attribute = attributes[node.number]
            known = {ATTRIBUTE: attribute} if attribute else {}
            return {REFERENCE: f"ref{node.number}", **known}
        if isinstance(node, tuple):
            return {JOINED: [shown(part) for part in node]}
        if isinstance(node, dict):
            return {key: shown(item) for key, item in node.items()}
        return [shown(item) for item in node] if isinstance(node, list) else node

    return json.dumps(shown(tree), separators=(",", ":"))


async def _attribute(output: pulumi.Output[Any]) -> str:
    """The attribute of a resource that an output is, unchanged; else ""."""
    names = {
        name
        for resource in await output.resources()
        for name, value in vars(resource).items()
        if value is output
    }
    return names.pop() if len(names) == 1 else ""


def _render(tree: object, known: Sequence[object]) -> str:
    return json.dumps(_filled(tree, known), separators=(",", ":"))


def _filled(node: object, known: Sequence[object]) -> object:
    if isinstance(node, _Reference):
        return known[node.number]
    if isinstance(node, tuple):
        return "".join(_texts(node, known))
    if isinstance(node, dict):
        return {key: _filled(item, known) for key, item in node.items()}
    return [_filled(item, known) for item in node] if isinstance(node, list) else node


def _texts(parts: Sequence[object], known: Sequence[object]) -> Iterator[str]:
    for part in parts:
        value = _filled(part, known)
        if not isinstance(value, str):
            raise TypeError(f"concat takes text, not {type(value).__name__}")
        yield value
