"""The policy *require encryption*: a guest's memory crosses no network in plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from migrate_plugins import Kind, Reason, Setting, hookimpl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate_plugins import Plan, Settings

__all__ = ["RequireEncryption"]


class RequireEncryption:
    """Refuses plans whose memory could be read on the way."""

    MIGRATE_PLUGINS_API: ClassVar = 1
    SETTINGS: ClassVar = (
        Setting(
            "mode",
            Kind.TEXT,
            "where memory must be encrypted: always, except on some networks, or never",
            default="always",
            choices=("always", "except", "never"),
        ),
        Setting(
            "networks", Kind.NAMES, "with mode except: networks that need none, as CIDR", default=()
        ),
    )

    def __init__(self, settings: Settings) -> None:
        from migrate_plugins.policies.networks import read_networks  # noqa: PLC0415 - while it is off

        self._mode = settings.values["mode"]
        self._networks = read_networks(settings.values["networks"])
        if (self._mode == "except") != bool(self._networks):
            raise ValueError(
                "networks belong to mode 'except', and it needs them;"
                f" mode is {self._mode!r}, networks are {list(settings.values['networks'])}"
            )

    @hookimpl
    def migrate_refuse(self, plan: Plan) -> Sequence[Reason]:
        """Refuse a plan whose memory could be read on the way."""
        data = plan.data
        if self._mode == "never" or not plan.memory_in_the_open:
            return []
        known = "is not encrypted" if data.encrypted is False else "may not be encrypted"
        text = f"policy require-encryption: the guest's memory {known} ({data.protocol})"
        if self._mode == "except":
            from migrate_plugins.policies.networks import lies_in, listing  # noqa: PLC0415 - as above

            trusted = lies_in(self._networks, plan.receiver)
            if trusted:
                return []
            where = (
                "where it arrives is not known while planning"
                if plan.receiver is None
                else f"{plan.receiver} is a name, whose network is not known while planning"
                if trusted is None
                else f"{plan.receiver} is on none of the networks that need none"
            )
            text += f", and {where} ({listing(self._networks)})"
        remedies = [each.remedy for each in plan.findings if each.id == "data-plain-text"]
        instead = next(filter(None, remedies), f"see to its encryption there: {data.because}")
        return [Reason("encryption-required", text, instead)]
