"""A small Pulumi engine for tests: real program, real SDK and real policy pack, stand-in cloud.

It runs an unmodified Pulumi Python program in a process of its own against a stand-in for the AWS
provider, and drives a policy pack process over the Analyzer protocol in the order of the real
engine. It exists because the machine that runs the tests may have no `pulumi` command.
"""

from __future__ import annotations

from .engine import Engine
from .model import Diagnostic, Outcome

__all__ = ["Diagnostic", "Engine", "Outcome"]
