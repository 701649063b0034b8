"""The policy *migration network*: a guest's memory travels on the network kept for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from migrate_plugins import Kind, MigrationURI, Reason, Setting, hookimpl

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from migrate_plugins import Plan, Request, Settings

__all__ = ["MigrationNetwork"]


class MigrationNetwork:
    """Writes the migration URI on the destination's address in a network, where none was given.

    The addresses are those of the hosts in config.toml; planning looks nothing up.
    """

    MIGRATE_PLUGINS_API: ClassVar = 1
    SETTINGS: ClassVar = (
        Setting("networks", Kind.NAMES, "networks as CIDR, the most wanted first", default=()),
        Setting(
            "strict",
            Kind.FLAG,
            "whether a plan is refused that sends memory elsewhere",
            default=True,
        ),
    )

    def __init__(self, settings: Settings) -> None:
        from migrate_plugins.policies.networks import lies_in, read_networks  # noqa: PLC0415 - off

        self._networks = read_networks(settings.values["networks"])
        self._strict = settings.values["strict"]
        if not self._networks:
            raise ValueError('networks is empty; give one, such as networks = ["10.0.0.0/24"]')
        self._addresses: dict[str, str] = {}
        seen: set[str] = set()
        shared: set[str] = set()
        for host in settings.hosts.values():
            address = next(
                (
                    address
                    for network in self._networks
                    for address in host.addresses
                    if lies_in([network], address)
                ),
                None,
            )
            names = host.names | {uri for uri in (host.uri, host.peer_uri) if uri}
            # What two hosts go by (one address, two ports) says of neither which it is.
            shared |= names & seen
            seen |= names
            if address is not None:
                self._addresses |= dict.fromkeys(names, address)
        for name in shared:
            self._addresses.pop(name, None)

    @hookimpl(wrapper=True)
    def migrate_uri(
        self, request: Request, host: str, port: int | None, scheme: str | None
    ) -> Generator[None, MigrationURI | None, MigrationURI | None]:
        """Send the memory to the address that the network has for the host."""
        uri = yield
        address = self._address(request, host)
        if scheme is None or address is None:
            return uri
        if uri is None:
            return MigrationURI(scheme, host=address, port=port)
        return uri._replace(host=address)

    @hookimpl
    def migrate_refuse(self, plan: Plan) -> Sequence[Reason]:
        """Refuse a plan that sends memory elsewhere."""
        from migrate_plugins.policies.networks import lies_in, listing  # noqa: PLC0415 - as above

        elsewhere = plan.memory_crosses_network and not lies_in(self._networks, plan.receiver)
        if not (self._strict and elsewhere):
            return []
        networks = listing(self._networks)
        instead = f"give a migration URI with its address in {networks}"
        if plan.uris.migration.value is None and self._address(plan.request, plan.receiver):
            instead = (
                f"{plan.scenario_id} takes no migration URI in revision {plan.request.revision}:"
                " use managed direct"
            )
        elif plan.uris.migration.value is None:
            instead += ", or its addresses in config.toml: [hosts.NAME] addresses = [...]"
        text = (
            "policy migration-network: the guest's memory would arrive at"
            f" {plan.receiver or 'a host that no URI names'}, which is no known address in"
            f" {networks}"
        )
        return [Reason("migration-network-missed", text, instead)]

    def _address(self, request: Request, host: str | None) -> str | None:
        """Find the address of a host: by the URI that was asked for, its name, or its own."""
        from migrate_plugins.policies.networks import lies_in  # noqa: PLC0415 - as above

        by_uri = self._addresses.get(request.destination or "")
        by_name = by_uri or self._addresses.get((host or "").lower())
        return by_name or (host if lies_in(self._networks, host) else None)
