"""Four drivers that answer wrongly when they are asked who they are."""

from __future__ import annotations

from migrate_plugins import DriverInfo, hookimpl


class Nothing:
    @hookimpl
    def migrate_driver(self) -> None:
        return None


class Text:
    @hookimpl
    def migrate_driver(self) -> str:
        return "text"


class Schemes:
    @hookimpl
    def migrate_driver(self) -> DriverInfo:
        return DriverInfo("answers-schemes", "Schemes", None, (), {}, example="fake://beta/")  # type: ignore[arg-type]


class Raises:
    @hookimpl
    def migrate_driver(self) -> DriverInfo:
        raise ValueError("no licence\nfound")


nothing, text, schemes, raises = Nothing(), Text(), Schemes(), Raises()
