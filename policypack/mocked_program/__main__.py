"""Runs one program and writes down what it registered: `__main__.py REQUEST RESULT`, both JSON."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import runpy
import sys
import threading
import traceback
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NoReturn

_ROOT = Path(__file__).resolve().parents[2]
# At the end: modules of the program and of its environment come first.
sys.path.append(str(_ROOT))

try:
    import pulumi
    import pulumi.runtime
    from pulumi.runtime.mocks import set_mocks
    from pulumi.runtime.stack import run_pulumi_func

    from policypack.mocked_program.attributes import Attributes
    from policypack.mocked_program.invokes import ANSWERS
    from policypack.mocked_program.made_up import MadeUp
    from policypack.mocked_program.monitor import Failure, Monitor
    from policypack.mocked_program.places import Places
except ModuleNotFoundError as missing:
    if missing.name not in ("pulumi", "grpc", "google"):
        raise
    # The process that started this one tells the user.
    sys.exit(f"NO-PULUMI {missing.name}")


class _AnswerNotKnown(Exception):
    """The program asks the cloud and goes on with the answer at once."""


def main() -> int:
    request = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    answer = Path(sys.argv[2])
    made_up = MadeUp()
    config = {**request["config"], **{key: made_up.secret(key) for key in request["encrypted"]}}
    places = Places(made_up, request["account"], request["region"], config)

    def write(error: Mapping[str, Any] | None) -> None:
        result = {
            "error": error,
            "resources": monitor.registered,
            "providers": places.settings,
            "madeUp": made_up.meanings(),
        }
        # A file that is there is complete.
        part = answer.with_suffix(".part")
        part.write_text(json.dumps(result), encoding="utf-8")
        part.rename(answer)

    def stop(failure: Failure) -> NoReturn:
        place = {} if failure.is_ours else _place_of_main_thread(request)
        write({"message": str(failure), "help": failure.help, "isOurs": failure.is_ours, **place})
        os._exit(0)

    attributes = Attributes(made_up, _autonaming(config))
    monitor = Monitor(request["project"], request["stack"], places, attributes, stop)
    write(_execute(request, config, monitor))
    return 0


def _autonaming(config: Mapping[str, str]) -> str:
    setting = config.get("pulumi:autonaming", "")
    if not setting or '"default"' in setting:
        return ""
    return "verbatim" if setting.replace(" ", "") == '{"mode":"verbatim"}' else "unknown"


def _execute(
    request: Mapping[str, Any], config: Mapping[str, str], monitor: Monitor
) -> dict[str, Any] | None:
    program = Path(request["entry"])
    sys.argv = [str(program)]
    sys.path.insert(0, str(program.parent))
    os.chdir(request["folder"])
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    executor = ThreadPoolExecutor(max_workers=16)
    loop.set_default_executor(executor)
    # A failed program leaves futures behind that nobody awaits; the reason is told below.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    set_mocks(
        None,  # type: ignore[arg-type]  # the monitor answers everything itself
        project=request["project"],
        stack=request["stack"],
        preview=True,
        monitor=monitor,
        organization="organization",
    )
    pulumi.runtime.set_all_config(dict(config), list(request["encrypted"]))
    _refuse_questions_to_the_cloud()

    def run() -> None:
        runpy.run_path(str(program), run_name="__main__")

    try:
        loop.run_until_complete(run_pulumi_func(run))
    except SystemExit as end:
        return None if end.code in (None, 0) else _described(end, request)
    except BaseException as error:
        return _described(error, request)
    finally:
        executor.shutdown(wait=True)
        loop.close()
    return None


def _refuse_questions_to_the_cloud() -> None:
    """Functions in the form that answers at once are refused where the program calls them.

    In the form that gives an output the answer is unknown, like at a preview.
    """
    for name in ("invoke", "invoke_single"):
        original = getattr(pulumi.runtime, name)

        def asked(tok: str, *args: Any, original: Any = original, **options: Any) -> Any:
            if tok not in ANSWERS:
                raise _AnswerNotKnown(tok)
            return original(tok, *args, **options)

        setattr(pulumi.runtime, name, asked)


def _described(error: BaseException, request: Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(error, _AnswerNotKnown):
        token = str(error)
        function = token.rpartition(":")[2]
        message = f'the answer of the function "{token}" is only known with the cloud'
        help_ = f'call it in the form that gives an output, "{_python_name(function)}_output"'
        return {"message": message, "help": help_, "isOurs": False, **_place(error, request)}
    if isinstance(error, SystemExit):
        message = f"it ended itself with code {error.code}"
        return {"message": message, "help": "", "isOurs": False, **_place(error, request)}
    text = " ".join(str(error).split())
    if isinstance(error, SyntaxError):
        place = {"file": error.filename or "", "line": error.lineno}
        return {"message": f"SyntaxError: {error.msg}", "help": "", "isOurs": False, **place}
    name = type(error).__name__
    message = f"{name}: {text}" if text else name
    missing = isinstance(error, ModuleNotFoundError)
    help_ = "run kms-access with the interpreter that runs the program" if missing else ""
    return {"message": message, "help": help_, "isOurs": False, **_place(error, request)}


def _place(error: BaseException, request: Mapping[str, Any]) -> dict[str, Any]:
    """The last line of the program's own files that the error came through."""
    current: BaseException | None = error
    while current is not None:
        place = _last_own_line(traceback.extract_tb(current.__traceback__), request)
        if place:
            return place
        current = current.__cause__ or current.__context__
    return {}


def _place_of_main_thread(request: Mapping[str, Any]) -> dict[str, Any]:
    """The line at which the program waits for an answer, if it does."""
    frame = sys._current_frames().get(threading.main_thread().ident or 0)
    return _last_own_line(traceback.extract_stack(frame), request) if frame else {}


def _last_own_line(frames: traceback.StackSummary, request: Mapping[str, Any]) -> dict[str, Any]:
    folder = Path(request["folder"])
    for frame in reversed(frames):
        path = Path(frame.filename)
        if path.is_relative_to(folder) and "site-packages" not in path.parts:
            return {"file": str(path), "line": frame.lineno}
    return {}


def _python_name(function: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in function)


if __name__ == "__main__":
    sys.exit(main())
