"""A stack that a test deploys, in the same words whichever engine does it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tests.small_engine import Engine, Outcome
from tests.small_engine.pulumi_command import PulumiCommand, Ran

ROOT = Path(__file__).resolve().parents[2]
PACK = ROOT / "policypack"
RULES_FILE = "access-rules.yaml"


@dataclass(frozen=True)
class Told:
    """What the pack says about one resource, and whether that blocks."""

    level: str
    resource: str
    message: str


@dataclass(frozen=True)
class Ended:
    """How one operation ended. Resources are written `aws:kms/key:Key payments`."""

    exit_code: int
    told: tuple[Told, ...]
    steps: frozenset[tuple[str, str]]
    """What was done (in a preview: would be done) to the resources of the cloud."""
    exists: frozenset[str]
    """The resources of the cloud that the state holds afterwards."""
    output: str
    """Everything else that is shown to the user."""

    @property
    def text(self) -> str:
        return "\n".join(item.message for item in self.told)

    @property
    def blocked(self) -> list[str]:
        """The resources with something mandatory, each once."""
        return sorted({item.resource for item in self.told if item.level == "mandatory"})


class Stack(Protocol):
    """A Pulumi program in a folder of its own, and what has been deployed of it."""

    def preview(self) -> Ended: ...

    def up(self, *, skip_preview: bool = False) -> Ended: ...


StartStack = Callable[[Path, Path, Path, Mapping[str, object] | None], Stack]
"""Folder of the program, a new folder for the engine's own use, policy pack, and its config."""


class SmallEngineStack:
    def __init__(
        self, program: Path, own: Path, pack: Path, policy_config: Mapping[str, object] | None
    ) -> None:
        self._engine = Engine(
            program=program,
            policy_pack=pack,
            policy_config=policy_config or {},
            # The user calls the command in the folder of the project.
            environment={"PWD": str(program)},
        )

    def preview(self) -> Ended:
        return self._ended(self._engine.preview())

    def up(self, *, skip_preview: bool = False) -> Ended:
        return self._ended(self._engine.up(skip_preview=skip_preview))

    def _ended(self, outcome: Outcome) -> Ended:
        self._engine.state = outcome.state
        self._engine.shuffle_seed += 1
        return Ended(
            exit_code=outcome.exit_code,
            told=tuple(
                Told(item.level, short(item.urn), item.message) for item in outcome.diagnostics
            ),
            steps=frozenset(
                (step.operation, short(step.urn)) for step in outcome.steps if in_cloud(step.urn)
            ),
            exists=resources_in(outcome.state),
            output="\n".join([*self._engine.messages, outcome.error]),
        )


class PulumiStack:
    def __init__(
        self, program: Path, own: Path, pack: Path, policy_config: Mapping[str, object] | None
    ) -> None:
        self.command = PulumiCommand(program, own, pack, policy_config)

    def preview(self) -> Ended:
        return ended(self.command.preview())

    def up(self, *, skip_preview: bool = False) -> Ended:
        return ended(self.command.up(skip_preview=skip_preview))


def ended(ran: Ran) -> Ended:
    done = [event["metadata"] for event in ran.of("resOutputsEvent")]
    return Ended(
        exit_code=ran.exit_code,
        told=tuple(
            Told(event["enforcementLevel"], short(event["resourceUrn"]), event["message"])
            for event in ran.of("policyEvent")
        ),
        steps=frozenset((one["op"], short(one["urn"])) for one in done if in_cloud(one["urn"])),
        exists=resources_in(ran.state),
        output=ran.output,
    )


def short(urn: str) -> str:
    _, _, qualified, name = urn.split("::", 3)
    return f"{qualified.rpartition('$')[2]} {name}"


def in_cloud(urn: str) -> bool:
    return short(urn).startswith("aws:")


def resources_in(state: Mapping[str, Any]) -> frozenset[str]:
    """The resources of an exported state that are the stack's own."""
    listed: Iterable[Mapping[str, Any]] = state["deployment"].get("resources") or ()
    return frozenset(
        short(item["urn"]) for item in listed if in_cloud(item["urn"]) and not item.get("external")
    )
