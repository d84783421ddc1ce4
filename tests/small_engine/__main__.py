"""The command `python -m tests.small_engine {preview,up}`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .display import policies_block
from .engine import Engine


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.small_engine", description=__doc__)
    parser.add_argument("operation", choices=("preview", "up"))
    parser.add_argument("--program", type=Path, required=True, help="folder of the program")
    parser.add_argument("--policy-pack", type=Path, help="folder or executable of the policy pack")
    parser.add_argument("--policy-pack-config", type=Path, help="JSON file of levels and settings")
    parser.add_argument("--config", action="append", default=[], metavar="ns:key=value")
    parser.add_argument("--stack", default="dev")
    parser.add_argument("--skip-preview", action="store_true", help="update without a preview")
    parser.add_argument("--state", type=Path, help="earlier state, as exported")
    parser.add_argument("--export", type=Path, help="where to write the state")
    parser.add_argument("--shuffle-seed", type=int, default=0)
    args = parser.parse_args(arguments)
    config = dict(_pair(parser, item) for item in args.config)

    engine = Engine(
        program=args.program,
        policy_pack=args.policy_pack,
        stack=args.stack,
        config=config,
        policy_config=_read_json(parser, args.policy_pack_config) or {},
        state=_read_json(parser, args.state),
        shuffle_seed=args.shuffle_seed,
    )
    if args.operation == "preview":
        outcome = engine.preview()
    else:
        outcome = engine.up(skip_preview=args.skip_preview)

    for message in engine.messages:
        print(message)
    if engine.pack_label:
        print(policies_block(engine.pack_label, outcome.diagnostics, engine.severities))
    if outcome.error:
        print(f"error: {outcome.error}", file=sys.stderr)
    print(f"{len(outcome.registered)} resources, created {len(outcome.created)}")
    if args.export:
        args.export.write_text(json.dumps(outcome.state, indent=2) + "\n", encoding="utf-8")
    return outcome.exit_code


def _pair(parser: argparse.ArgumentParser, item: str) -> tuple[str, str]:
    key, separator, value = item.partition("=")
    if not separator or ":" not in key:
        parser.error(f'--config takes ns:key=value, not "{item}"')
    return key, value


def _read_json(parser: argparse.ArgumentParser, path: Path | None) -> dict[str, Any] | None:
    if path is None:
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8") or "{}")
    except (OSError, ValueError) as error:
        parser.error(f'cannot read "{path}": {error}')
    if not isinstance(content, dict):
        parser.error(f'"{path}" does not hold a JSON object')
    return content


if __name__ == "__main__":
    sys.exit(main())
