"""Run the command line as `python -m ifmatch`, where the script is not on the path."""

from __future__ import annotations

from ifmatch.cli import main

main()
