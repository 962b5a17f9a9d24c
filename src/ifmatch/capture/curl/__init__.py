"""What curl prints of its transfers: `-v`, `--trace-ascii`, `--trace`."""
