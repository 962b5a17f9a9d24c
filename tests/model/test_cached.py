from ifmatch.model.cached import cached_property
from ifmatch.model.message import Fields


class Counted:
    """Counts how often its value is worked out."""

    made = 0

    @cached_property
    def value(self):
        """Return a number."""
        self.made += 1
        return self.made


def test_a_value_is_kept_until_it_is_dropped():
    one, two = Counted(), Counted()
    assert (one.value, one.value, two.value) == (1, 1, 1)
    del one.__dict__["value"]
    assert (one.value, two.value) == (2, 1)


def test_the_class_shows_the_property_itself():
    assert Counted.value.__doc__ == "Return a number."


def test_fields_tell_whether_any_name_is_there():
    fields = Fields([("X-Cache", "HIT"), ("Age", "")])
    assert fields.has_any(frozenset({"age", "via"}))
    assert fields.has_any(frozenset({"x-cache"}))
    assert not fields.has_any(frozenset({"via", "x-served-by"}))
    assert not Fields().has_any(frozenset({"age"}))
