#!/bin/sh
# Recompile the hashed requirement files from their .in files.
set -eu
cd "$(dirname "$0")/.."
for name in demo test bench components peers; do
  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
    "$@" "requirements/$name.in" -o "requirements/$name.txt"
done
