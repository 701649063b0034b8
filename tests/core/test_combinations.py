"""Options that exclude each other, by the manual page of virsh, whoever the driver is."""

from __future__ import annotations

from typing import Any

import pytest

from migrate_plugins.options import conflicts

EXCLUDES, NEEDS = "option-excludes", "option-needs"

# fmt: off
# Fields that are given, and the reasons: id, and words of the text.
COMBINATIONS: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    # What tunnelled memory excludes.
    ({"tunnelled": True, "tls": True},                  [(EXCLUDES, "--tls and")]),
    ({"tunnelled": True, "parallel": True},             [(EXCLUDES, "--parallel and")]),
    ({"tunnelled": True, "live": True, "postcopy": True}, [(EXCLUDES, "--postcopy and")]),
    ({"tunnelled": True, "copy_storage_all": True},     [(EXCLUDES, "--copy-storage-all")]),
    ({"tunnelled": True, "copy_storage_inc": True},     [(EXCLUDES, "--copy-storage-inc")]),
    ({"tunnelled": True, "migrate_disks": ("vda",)},    [(EXCLUDES, "--migrate-disks")]),
    ({"tunnelled": True, "listen_address": "10.0.0.1"}, [(EXCLUDES, "--listen-address")]),
    ({"tunnelled": True, "disks_port": 49300},          [(EXCLUDES, "--disks-port")]),
    ({"tunnelled": True, "compressed": True},           []),
    ({"tunnelled": True, "bandwidth": 1, "auto_converge": True}, []),
    # Compression beside parallel connections.
    ({"compressed": True},                                                    []),
    ({"compressed": True, "comp_methods": ("mt", "xbzrle")},                  []),
    ({"compressed": True, "comp_methods": ("zstd",)},
     [(NEEDS, "--comp-methods zstd was given without --parallel")]),
    ({"compressed": True, "parallel": True},
     [(NEEDS, "--compressed and --parallel were given without --comp-methods")]),
    ({"compressed": True, "parallel": True, "comp_methods": ("zlib",)},       []),
    ({"compressed": True, "parallel": True, "comp_methods": ("zlib", "zstd")},
     [(EXCLUDES, "--comp-methods zlib and zstd exclude each other")]),
    ({"compressed": True, "parallel": True, "comp_methods": ("xbzrle",)},
     [(EXCLUDES, "--comp-methods xbzrle and --parallel exclude each other")]),
    ({"comp_methods": ("zlib",)},
     [(NEEDS, "--comp-methods was given without --compressed")]),
    # The others of the manual page.
    ({"offline": True},                                 [(NEEDS, "--persistent")]),
    ({"offline": True, "persistent": True, "copy_storage_all": True},
     [(EXCLUDES, "--offline and --copy-storage-all")]),
    ({"copy_storage_all": True, "copy_storage_inc": True},
     [(EXCLUDES, "--copy-storage-all and --copy-storage-inc")]),
    ({"tls_destination": "beta"},                       [(NEEDS, "--tls")]),
    ({"parallel_connections": 4},                       [(NEEDS, "--parallel")]),
    ({"parallel": True, "parallel_connections": 256},   [("option-range", "256")]),
    ({"timeout": 5},                                    [(NEEDS, "--live")]),
    ({"live": True, "suspend": True, "postcopy": True}, [(EXCLUDES, "--suspend")]),
    ({"postcopy": True},                                [(NEEDS, "--live")]),
    ({"persistent_xml": "a"},                           [(NEEDS, "--persistent")]),
]
# fmt: on


@pytest.mark.parametrize(("given", "reasons"), COMBINATIONS)
def test_options_that_exclude_each_other_are_refused(
    given: dict[str, Any], reasons: list[tuple[str, str]]
) -> None:
    found = [*conflicts(given)]

    assert [reason.id for reason in found] == [id_ for id_, _ in reasons]
    assert all(words in each.text for each, (_, words) in zip(found, reasons, strict=True))
    assert all(reason.usage and reason.instead for reason in found)


# fmt: off
# Fields that are given, which of them the driver does not have, and the reasons that are left.
LACKING: list[tuple[dict[str, Any], set[str], list[str]]] = [
    ({"offline": True},                                 {"offline"},              []),
    ({"compressed": True, "parallel": True},            {"compressed"},           []),
    ({"compressed": True, "parallel": True},            {"parallel"},             []),
    ({"compressed": True, "comp_methods": ("zlib",)},   {"comp_methods"},         []),
    ({"timeout": 5},                                    {"timeout"},              []),
    ({"copy_storage_all": True, "copy_storage_inc": True},
     {"copy_storage_all", "copy_storage_inc"},                                    []),
    # What was given wrong stays wrong, and so does what the driver has.
    ({"tunnelled": True, "tls": True},                  {"tls"},                  [EXCLUDES]),
    ({"parallel_connections": 256},                     {"parallel_connections"}, ["option-range"]),
    ({"offline": True, "tls_destination": "beta"},      {"offline"},              [NEEDS]),
    ({"timeout": 5, "bandwidth": 1},                    {"bandwidth"},            [NEEDS]),
]
# fmt: on


@pytest.mark.parametrize(("given", "lacking", "reasons"), LACKING)
def test_option_that_the_driver_lacks_needs_nothing_else(
    given: dict[str, Any], lacking: set[str], reasons: list[str]
) -> None:
    assert [each.id for each in conflicts(given)] != []

    assert [each.id for each in conflicts(given, frozenset(lacking))] == reasons
