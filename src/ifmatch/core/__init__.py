"""Apply the rules of RFC 9110 on validators and preconditions: standard library only, no I/O.

One clock is read, at one place, for one rare thing: see `conditional_fields.present`.
"""
