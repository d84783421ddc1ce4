"""Child processes whose output is collected and which never outlive the operation."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path
from typing import IO

from .model import EngineError

GRACE_SECONDS = 2.0
TAIL_LINES = 40
_DIE_WITH_PARENT = Path(__file__).with_name("die_with_parent.py")


class ManagedProcess:
    def __init__(
        self, label: str, argv: Sequence[str], cwd: Path, environment: Mapping[str, str]
    ) -> None:
        self.label = label
        self.lines: list[str] = []
        self._first_line: Future[str] = Future()
        self._group_ended = False
        # An own group, so that whatever the child starts ends together with it.
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_DIE_WITH_PARENT), str(os.getpid()), *argv],
            cwd=cwd,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        streams = (self._process.stdout, self._process.stderr)
        self._pumps = [
            threading.Thread(target=self._pump, args=(stream, stream is streams[0]), daemon=True)
            for stream in streams
        ]
        for pump in self._pumps:
            pump.start()

    def _pump(self, stream: IO[str], is_stdout: bool) -> None:
        for line in stream:
            if is_stdout and not self._first_line.done():
                self._first_line.set_result(line.rstrip("\n"))
            else:
                self.lines.append(line.rstrip("\n"))
        if is_stdout and not self._first_line.done():
            self._first_line.set_exception(EOFError())

    def first_line(self, timeout: float) -> str:
        """The first line of standard output, by which a plugin announces its port."""
        try:
            return self._first_line.result(timeout)
        except FutureTimeout:
            raise EngineError(
                f"{self.label} printed nothing within {timeout:g} seconds{self.tail()}"
            ) from None
        except EOFError:
            code = self.wait(GRACE_SECONDS)
            ended = "closed its output" if code is None else f"ended with exit code {code}"
            raise EngineError(f"{self.label} {ended} before it was ready{self.tail()}") from None

    def wait(self, timeout: float) -> int | None:
        """The exit code, or None when the process still runs after the timeout."""
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None
        if not self._group_ended:
            # At once, while the number of the group cannot yet belong to anything else.
            self._group_ended = True
            self._signal(signal.SIGKILL)
        for pump in self._pumps:
            pump.join(GRACE_SECONDS)
        return code

    def output(self) -> list[str]:
        """All output so far, with the first line of standard output in front."""
        ready = self._first_line.done() and self._first_line.exception() is None
        return ([self._first_line.result()] if ready else []) + list(self.lines)

    def tail(self) -> str:
        """The last collected lines, ready to be appended to an error text."""
        return "".join(f"\n  {line}" for line in self.lines[-TAIL_LINES:])

    def close(self) -> None:
        """End the process and everything that it started."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.wait(0) is not None:
                break
            self._signal(number)
            self.wait(GRACE_SECONDS)
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None and not any(pump.is_alive() for pump in self._pumps):
                stream.close()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)
