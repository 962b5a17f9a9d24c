"""The built wheel works in a clean environment with whatever its dependencies are today."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import venv

import pytest

ROOT = pathlib.Path(__file__).parents[2]


def run(*command, **more):
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, **more
    )


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    built = run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT)
    assert built.returncode == 0, built.stderr
    wheel = next(folder.glob("*.whl"))
    venv.create(folder / "clean", with_pip=True)
    python = folder / "clean" / "bin" / "python"
    installed = run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel)
    if installed.returncode and os.environ.get("CI") != "true":
        pytest.skip(f"no package index reached: {installed.stderr[-200:]}")
    assert installed.returncode == 0, installed.stderr
    return folder / "clean" / "bin" / "ifmatch"


def test_the_wheel_diagnoses_a_recording(program, tmp_path) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "CI"))}
    done = run(program, "diagnose", ROOT / "cases" / "lab" / "c001.client.har", cwd=tmp_path, env=clean)
    assert done.returncode == 1, done.stderr
    assert "other-writer" in done.stdout
    assert run(program, "--version", cwd=tmp_path, env=clean).stdout.startswith("ifmatch")


@pytest.mark.parametrize("kind", ["html", "json", "markdown", "sarif", "junit"])
def test_the_wheel_carries_what_reports_need(program, kind, tmp_path) -> None:
    target = tmp_path / "report"
    case = ROOT / "cases" / "lab" / "c001.client.har"
    done = run(program, "diagnose", case, "--format", kind, "-o", target)
    assert done.returncode == 1, done.stderr
    assert "other-writer" in target.read_text("utf-8")
