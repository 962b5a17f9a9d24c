"""The command line: one module a verb, exit statuses, and what was meant when no verb was given."""

from __future__ import annotations

import gc
import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line of this process and exit with its status."""
    try:
        from ifmatch.cli.program import program
    except KeyboardInterrupt:
        sys.exit(130)
    try:
        program.main(prog_name="ifmatch")
    finally:
        # The process ends here; its last search for cycles would go through every record of a big capture.
        gc.freeze()
