"""A CloudFormation template: its sections, checked for shape, and where its resources stand."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from functools import cached_property
from typing import Any

from kms_access.policies.json_text import Position, offset_of, position_at
from kms_access.sources.cloudformation.files import MAXIMUM_TEMPLATE_BYTES, SourceFile
from kms_access.sources.cloudformation.json_reading import (
    read_json_file,
    resource_lines,
    resource_offsets,
)
from kms_access.sources.cloudformation.node_paths import node_at, path_to
from kms_access.sources.cloudformation.yaml_reading import YamlPlaces, read_yaml_file
from kms_access.sources.interface import SourceError

MAXIMUM_RESOURCES = 5_000
"""CloudFormation takes 500; more would make hostile templates slow."""

MAXIMUM_CHARACTERS = 1 << 20
"""CloudFormation takes a body of 1 MiB, white space included: what deploys it may take that away.

Source: "Understand CloudFormation quotas", template body size in an S3 object.
"""

_SECTIONS = ("Parameters", "Mappings", "Conditions", "Resources", "Outputs")
_HELP = "give a CloudFormation template or the folder that cdk synth writes"
_YAML_SUFFIXES = (".yaml", ".yml")


class Template:
    """One template. `text` is what the file holds."""

    def __init__(self, file: SourceFile, text: str, *, may_be_empty: bool = False) -> None:
        self.file = file
        self.text = text
        if len(text) > MAXIMUM_CHARACTERS:
            self._refuse_oversize()
        self._yaml: YamlPlaces | None = None
        document = self._parse()
        if not isinstance(document, dict):
            raise self._no_template("the file holds no object")
        if "Resources" not in document and not may_be_empty:
            raise self._no_template('there is no "Resources" object')
        for section in _SECTIONS:
            if not isinstance(document.get(section, {}), Mapping):
                raise self._no_template(f'"{section}" is no object')
        self.resources: Mapping[str, Any] = document.get("Resources", {})
        self._written = self.resources
        if len(self.resources) > MAXIMUM_RESOURCES:
            found = len(self.resources)
            raise self._no_template(
                f"there are {found} resources, at most {MAXIMUM_RESOURCES} are accepted"
            )
        self.parameters: Mapping[str, Any] = document.get("Parameters", {})
        self.mappings: Mapping[str, Any] = document.get("Mappings", {})
        self.conditions: Mapping[str, Any] = document.get("Conditions", {})
        self.outputs: Mapping[str, Any] = document.get("Outputs", {})
        self.root_functions = [key for key in document if key.startswith("Fn::")]
        transform = document.get("Transform", [])
        self.transforms: list[Any] = transform if isinstance(transform, list) else [transform]

    def with_sections(
        self,
        *,
        resources: Mapping[str, Any],
        outputs: Mapping[str, Any],
        conditions: Mapping[str, Any],
        lines: Mapping[str, int],
    ) -> Template:
        """The same template with other resources, outputs and conditions."""
        other = copy(self)
        other.resources, other.outputs, other.conditions = resources, outputs, conditions
        other.__dict__["lines"] = lines
        return other

    def _parse(self) -> Any:
        path = self.file.path
        is_yaml = path.suffix.lower() in _YAML_SUFFIXES
        if self.text.lstrip()[:1] in ("{", "["):
            try:
                return read_json_file(self.text, str(path))
            except SourceError:
                if not is_yaml:
                    raise
        if not self.text.strip():
            raise self._no_template("the file is empty")
        document, self._yaml = read_yaml_file(self.text, str(path))
        return document

    def _refuse_oversize(self) -> None:
        size = len(self.text) - sum(map(self.text.count, " \t\r\n"))
        if size > MAXIMUM_CHARACTERS:
            raise self._no_template(
                f"there are {size} characters without white space, CloudFormation accepts "
                f"{MAXIMUM_CHARACTERS}"
            )

    def _no_template(self, message: str) -> SourceError:
        return SourceError(f"no template: {message}", file=str(self.file.path), help=_HELP)

    @cached_property
    def may_hold_transforms(self) -> bool:
        """Whether a name of a function that macros carry out can stand in the text, a quick look.

        An escape may spell any name.
        """
        return any(mark in self.text for mark in ("Transform", "ForEach", "\\"))

    @cached_property
    def lines(self) -> Mapping[str, int]:
        """The line of each resource."""
        return resource_lines(self.text) if self._yaml is None else self._yaml.lines

    def position(self, logical_id: str, node: object) -> Position | None:
        """Where a part of a resource's definition begins; None for what is not written there.

        `node` is an object, a list or a string of the definition itself, not one like it: equal
        statements are told apart by this.
        """
        path = path_to(node, self.resources.get(logical_id))
        if path is None:
            return None
        if self._yaml is not None:
            # Loops that were carried out leave copies of what was written.
            return self._yaml.position(node_at(self._written.get(logical_id), path))
        start = self._offsets.get(logical_id)
        offset = None if start is None else offset_of(self.text, path, start)
        return None if offset is None else position_at(self.text, offset)

    @cached_property
    def _offsets(self) -> Mapping[str, int]:
        return resource_offsets(self.text)


def read_template(file: SourceFile, *, may_be_empty: bool = False) -> Template:
    """The template in a JSON or YAML file. Raises SourceError if it is none.

    `may_be_empty` takes one without resources, as CDK writes it for a stack that has none.
    """
    return Template(file, file.read(MAXIMUM_TEMPLATE_BYTES), may_be_empty=may_be_empty)
