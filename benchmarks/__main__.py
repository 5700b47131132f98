"""`python -m benchmarks`: the same as `edge-bench`."""

from benchmarks.cli import main

main(prog_name="edge-bench")
