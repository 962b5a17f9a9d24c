"""How long a user waits before anything happens: `ifmatch --help` and `import ifmatch`, fresh processes."""

from __future__ import annotations

import statistics
import subprocess
import sys

from benchmarks.processes import environment, measure, program

RUNS = 20
MODULES = "import sys; before = set(sys.modules); import ifmatch; print(*sorted(set(sys.modules) - before))"
HELP_MODULES = (
    "import sys; before = set(sys.modules)\n"
    "from ifmatch.cli import main\n"
    "sys.argv = ['ifmatch', '--help']\n"
    "try: main()\n"
    "except SystemExit: pass\n"
    "print(*sorted(set(sys.modules) - before), file=sys.stderr)"
)
INSIDE = "import time; start = time.perf_counter(); import ifmatch; print(time.perf_counter() - start)"


def loaded(code: str, *, errors: bool) -> list[str]:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return (done.stderr if errors else done.stdout).split()


def spread(values: list[float]) -> str:
    return f"{statistics.median(values):.1f} | {min(values):.1f} | {max(values):.1f}"


def verdict(values: list[float], limit: float) -> str:
    return f"< {limit:.0f} | {'reached' if statistics.median(values) < limit else '**missed**'}"


def main() -> None:
    bare: list[float] = []
    helped: list[float] = []
    inside: list[float] = []
    measure([program("ifmatch"), "--help"])  # keeps byte code
    for _ in range(RUNS):
        bare.append(measure([sys.executable, "-c", "pass"]).wall * 1000)
        helped.append(measure([program("ifmatch"), "--help"]).wall * 1000)
        command = [sys.executable, "-c", INSIDE]
        done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True)
        inside.append(float(done.stdout) * 1000)
    print("# Start-up\n")
    print(f"Milliseconds of {RUNS} fresh processes, in turns, byte code kept from before.\n")
    print("| what | median | least | most | figure | |\n|---|---|---|---|---|---|")
    print(f"| `ifmatch --help`, the whole process | {spread(helped)} | {verdict(helped, 150)} |")
    print(f"| `import ifmatch`, in a running interpreter | {spread(inside)} | {verdict(inside, 30)} |")
    print(f"| for comparison: `python -c pass` | {spread(bare)} | | |\n")
    modules = loaded(MODULES, errors=False)
    own = [name for name in modules if name.partition(".")[0] == "ifmatch"]
    print(f"`import ifmatch` loads {len(modules)} modules, {len(own)} of them its own: {', '.join(own)}.")
    modules = loaded(HELP_MODULES, errors=True)
    own = [name for name in modules if name.partition(".")[0] == "ifmatch"]
    print(f"`ifmatch --help` loads {len(modules)} modules, {len(own)} of them its own: {', '.join(own)}.")


if __name__ == "__main__":
    main()
