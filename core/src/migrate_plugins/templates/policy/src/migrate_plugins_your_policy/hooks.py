"""A policy: migrations use the ports that the firewall lets through, and no others.

It shows both things that a policy can do.  It *wraps* a hook that a driver answers, and may change
the answer; and it *answers* a hook that is asked of everyone.  Replace the two by what your site
needs: hooks that drivers answer can only be wrapped, the others can only be answered.

It is off until it has settings, in config.toml::

    [policies.your-policy]
    first = 49152
    last = 49159
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from migrate_plugins import ChosenBy, Kind, Reason, Setting, hookimpl

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from migrate_plugins import Plan, PortRule, Settings

NAME: Final = "your-policy"
FIRST: Final = 49152
LAST: Final = 49215


class YourPolicy:
    """The policy with its settings: one object for as long as migrate-plugins runs."""

    MIGRATE_PLUGINS_API: ClassVar = 1

    SETTINGS: ClassVar = (
        Setting("first", Kind.NUMBER, "lowest port that the firewall lets through", default=FIRST),
        Setting("last", Kind.NUMBER, "highest port that it lets through", default=LAST),
    )

    def __init__(self, settings: Settings) -> None:
        """Read *settings*: each has the kind that SETTINGS says, or its default.

        Raises:
            ValueError: The values do not fit together; its text is shown to whoever wrote them.
        """
        self._first: int = settings.values["first"]
        self._last: int = settings.values["last"]
        if self._first > self._last:
            raise ValueError(f"last is {self._last}, and lies below first, {self._first}")

    @hookimpl(wrapper=True)
    def migrate_port_rule(self) -> Generator[None, PortRule, PortRule]:
        """Narrow a driver's range where the choice is ours.

        A wrapper yields once, to get the driver's answer, and returns what becomes of it.
        """
        rule = yield
        first, last = max(rule.first, self._first), min(rule.last, self._last)
        if rule.chosen_by is not ChosenBy.US or first > last:
            return rule
        return rule._replace(first=first, last=last, because=f"policy {NAME}: the firewall")

    @hookimpl
    def migrate_refuse(self, plan: Plan) -> Sequence[Reason]:
        """Refuse a plan whose port the firewall may not let through; no reason lets it pass."""
        first, last = plan.port.first, plan.port.last
        if first is None or last is None or plan.request.offline:
            return []
        if self._first <= first <= last <= self._last:
            return []
        ports = f"{first}" if first == last else f"{first}-{last}"
        return [
            Reason(
                f"{NAME}-port",
                f"policy {NAME}: the guest's memory would arrive on port {ports}, chosen by:"
                f" {plan.port.chosen_by}; the firewall lets {self._first}-{self._last} through",
                "give a migration URI with one of these ports, or open the others",
            )
        ]
