"""Measurements beside the peers; `python -m benchmarks` runs them and writes down what they print."""
