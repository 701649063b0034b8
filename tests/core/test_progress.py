from __future__ import annotations

import pytest

from migrate_plugins import Statistics

# fmt: off
ETAS = [
    # statistics                                                      seconds to go
    (Statistics(),                                                    None),
    (Statistics(remaining=100),                                       None),
    (Statistics(rate=10),                                             None),
    (Statistics(remaining=100, rate=0),                               None),
    (Statistics(remaining=100, rate=10),                              10.0),
    (Statistics(remaining=100, rate=10, dirty_rate=5),                20.0),
    (Statistics(remaining=100, rate=10, dirty_rate=10),               None),
    (Statistics(remaining=100, rate=10, dirty_rate=99),               None),
    (Statistics(remaining=100, rate=10, dirty_rate=99, postcopy=True), 10.0),
    (Statistics(remaining=0, rate=10),                                0.0),
]
# fmt: on


@pytest.mark.parametrize(("statistics", "seconds"), ETAS)
def test_eta_only_where_there_is_an_honest_one(
    statistics: Statistics, seconds: float | None
) -> None:
    assert statistics.eta == seconds
