"""Start-up, completion, schema: what a shell and a script rely on."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import jsonschema
import pytest

from tests.cli.running import run, run_process
from tests.pace import ratio_to


def test_help_loads_no_verb_and_no_heavy_module() -> None:
    program = (
        "import sys\nfrom ifmatch.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print([name for name in sys.modules if name.startswith(('ifmatch.diagnosis', 'ifmatch.capture', "
        "'ifmatch.report', 'ifmatch.cli.diagnose', 'jinja2', 'msgspec'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "--help"], capture_output=True, text=True, check=True
    )
    assert done.stdout.rstrip().endswith("[]")


def test_help_is_quick() -> None:
    """It costs about what these two modules do; benchmarks/bench_startup.py has the time.

    A verb loaded at start (with msgspec, jinja2 and the catalogue) makes it twice as much.
    """
    known = ("-c", "import asyncio, http.client")
    assert ratio_to(known, "-m", "ifmatch.cli", "--help") < 1.2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_of_that_shell(shell) -> None:
    ran = run("completion", shell)
    assert ran.status == 0
    assert "_IFMATCH_COMPLETE" in ran.out
    if shutil.which(shell):
        subprocess.run([shutil.which(shell), "-n"], input=ran.out, text=True, check=True)


def test_completion_offers_the_verbs() -> None:
    ran = run_process(_IFMATCH_COMPLETE="bash_complete", COMP_WORDS="ifmatch diag", COMP_CWORD="1")
    assert "diagnose" in ran.out


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(run("schema", "diagnosis").out))
    assert run("schema", "nothing").status == 2


def test_a_verb_without_its_part_shows_its_help_as_it_is() -> None:
    ran = run("dialect")
    assert ran.status == 2
    assert ran.err.startswith("Usage: ifmatch dialect")
    assert "\n  ifmatch dialect list\n" in ran.err


def test_choices_are_told_in_one_line() -> None:
    ran = run("schema")
    assert ran.status == 2
    assert ran.err.strip() == "ifmatch: Missing argument 'REPORT'. Choose from: diagnosis"
