"""A simulated world of clients, intermediaries and origins that makes labelled conditional traffic.

Everything is seeded: no sockets, no wall clock. The label of a case comes from how the world was built.
"""
