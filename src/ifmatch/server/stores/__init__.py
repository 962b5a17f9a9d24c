"""Hold versioned content: one Protocol, one module for each kind of store.

Import what is needed from its own module, `ifmatch.server.stores.sqlite` and so on: each needs its own client
library.
"""
