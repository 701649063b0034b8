from __future__ import annotations

import pytest
from lxml import etree

from migrate_plugins_lab.errors import ArgumentError
from migrate_plugins_lab.xen.domain import MEMORY_MAX, OVERHEAD, Domain

UUID = "5e4c7a10-0c0f-4a6e-9c1e-aaaabbbb0001"

# fmt: off
BAD = [
    # values                                    why
    ({"name": "web 1", "memory": 96},           "other characters than letters"),
    ({"name": "web1", "memory": 96, "off": -1}, "one is below nothing"),
    ({"name": "web1", "memory": 96, "disk": 1}, "guests of Xen hosts have none"),
    ({"name": "web1", "memory": OVERHEAD - 1},  "from 96 to 384 works on a Xen host"),
    ({"name": "web1", "memory": MEMORY_MAX + 1}, "from 96 to 384 works on a Xen host"),
    ({"name": "web1", "memory": 100, "dirty": 8}, "from 104 to 384 works on a Xen host"),
]
# fmt: on


@pytest.mark.parametrize(("values", "why"), BAD)
def test_a_guest_that_cannot_be_is_refused(values: dict[str, object], why: str) -> None:
    with pytest.raises(ArgumentError, match=why):
        Domain(uuid=UUID, **values)  # type: ignore[arg-type]


def test_a_guest_is_pvh_and_knows_what_to_call_itself() -> None:
    xml = etree.fromstring(Domain("web1", UUID, memory=112, dirty=16, off=9).xml())

    assert xml.findtext("os/type") == "xenpvh"
    assert xml.findtext("memory") == "112"
    words = (xml.findtext("os/cmdline") or "").split()
    assert {"lab.guest=web1.5e4c7a10", "lab.dirty=16", "lab.off=9"} <= set(words)
    assert {"earlyprintk=xen,keep", "console=hvc0"} <= set(words)
