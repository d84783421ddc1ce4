"""Asks a policy pack about one stack, in a process of its own: `python -m benchmarks.pack_on SIZE`.

The pack is called as the server of its process is, without the transport, which costs every pack
the same. Like a pack under the engine, it sees its stack for the first time.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pulumi_policy import EnforcementLevel, Policy, StackValidationPolicy
from pulumi_policy.policy import _PolicyAnalyzerServicer

from benchmarks.stacks import RULES, registration, stack, whole_stack
from policypack import _evaluation
from policypack.policies import policies

_RUN = {"ORGANIZATION": "benchmarks", "PROJECT": "shop", "STACK": "dev", "DRY_RUN": "true"}


def server(every: list[Policy]) -> Any:
    """The SDK's server of a pack with these policies."""
    make: Any = _PolicyAnalyzerServicer
    return make("kms-access", "0.1.0", every, EnforcementLevel.MANDATORY)


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds and the result, without the garbage of what was timed before."""
    gc.collect()
    start = time.process_time()
    result = function()
    return time.process_time() - start, result


def main() -> None:
    """Print the CPU seconds that one and two empty stack policies and kms-access take."""
    resources = stack(int(sys.argv[1]))
    os.environ.update({f"PULUMI_{name}": value for name, value in _RUN.items()})
    rules = Path(tempfile.mkdtemp()) / "access-rules.yaml"
    rules.write_text(RULES, encoding="utf-8")
    os.environ["KMS_ACCESS_RULES"] = str(rules)

    requests = [registration(resource) for resource in resources]
    request = whole_stack(resources)
    nothing = [
        StackValidationPolicy(name, "Nothing.", lambda args, report: None)
        for name in ("empty", "empty-too")
    ]
    packs = {"empty": server([nothing[0]]), "two": server([*nothing]), "ours": server(policies())}
    of_evaluation = []

    def judge(*args: Any, **named: Any) -> Any:
        start = time.process_time()
        judgement = original(*args, **named)
        of_evaluation.append(time.process_time() - start)
        return judgement

    original, _evaluation.judge_stack = _evaluation.judge_stack, judge
    result = {}
    with contextlib.redirect_stdout(io.StringIO()):
        for name, pack in packs.items():
            result[name], _ = timed(lambda pack=pack: [pack.Analyze(r, None) for r in requests])
            result[f"{name} at the end"], response = timed(
                lambda pack=pack: pack.AnalyzeStack(request, None)
            )
            assert not response.diagnostics, response.diagnostics[0].message
    result["evaluation"] = of_evaluation[0]
    print(json.dumps(result))


if __name__ == "__main__":
    main()
