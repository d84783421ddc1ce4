"""Options may stand anywhere among the other arguments of a command."""

from __future__ import annotations

import argparse
from typing import Any


class IntermixedParser(argparse.ArgumentParser):
    """The parser of one command: `can alice kms:Decrypt alias/data --rules FILE cdk.out` is read.

    Left to itself argparse takes the list of paths to be over at the first option. After `--`
    nothing is an option, and then the options have to stand before the rest.
    """

    _is_inside = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse; it calls itself for the options, then for the rest."""
        if self._is_inside or (args is not None and "--" in args):
            return super().parse_known_args(args, namespace)
        self._is_inside = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._is_inside = False
