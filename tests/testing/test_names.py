"""What the package offers to whoever writes a plugin."""

from __future__ import annotations

import pytest

from migrate_plugins import testing


@pytest.mark.parametrize("name", testing.__all__)
def test_public_name_can_be_imported(name: str) -> None:
    assert getattr(testing, name) is not None


def test_public_names_are_sorted_and_no_others_are_there() -> None:
    constants = [name for name in testing.__all__ if name.isupper()]
    others = [name for name in testing.__all__ if not name.isupper()]

    assert testing.__all__ == [*sorted(constants), *sorted(others)]
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        testing.nothing  # noqa: B018 - reading it is the point
