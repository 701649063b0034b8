"""One call of the command line: which plugins take part in it, and who watches them."""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from migrate_plugins import Config, ConfigError, UsageError, disabled_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from migrate_plugins import Migrator, Switches
    from migrate_plugins.cli.output import Output

__all__ = ["Invocation"]


class Invocation:
    """What a command needs to know of the call as a whole; everything is read on first use.

    Attributes:
        no_plugins: Whether to load only what comes with migrate-plugins.
        trace: Whether to tell what each plugin is asked and answers.
        driver: Name of the driver to use, or None.
    """

    def __init__(self, output: Output) -> None:
        self._output = output
        self.no_plugins = False
        self.trace = False
        self.driver: str | None = None

    def take_flags(self, argv: Sequence[str]) -> list[str]:
        """Take the flags that may stand anywhere on the line out of *argv*.

        Raises:
            UsageError: ``--driver`` names none.
        """
        rest = []
        words = iter(argv)
        for word in words:
            if word == "--":
                rest += [word, *words]
            elif word == "--no-plugins":
                self.no_plugins = True
            elif word == "--trace-plugins":
                self.trace = True
            elif word == "--driver" or word.startswith("--driver="):
                name = word.partition("=")[2] or next(words, "")
                if not name or name.startswith("-"):
                    raise UsageError("--driver names no driver; give one, such as --driver memory")
                self.driver = name
            else:
                rest.append(word)
        return rest

    @cached_property
    def config(self) -> Config:
        """What config.toml says; raises ConfigError where it is wrong."""
        return Config.load()

    @cached_property
    def switches(self) -> Switches:
        """What is switched off; known without loading any plugin."""
        from migrate_plugins import Switches  # noqa: PLC0415 - most commands load plugins

        return Switches.read(self.config, strangers_off=self.no_plugins, driver=self.driver)

    @cached_property
    def migrator(self) -> Migrator:
        """Every installed plugin that is not switched off."""
        from migrate_plugins import Migrator  # noqa: PLC0415 - some commands load no plugin

        return Migrator.installed(
            self.config,
            no_plugins=self.no_plugins,
            driver=self.driver,
            tracer=self._output.step if self.trace else None,
            ask=self._ask if sys.stdin is not None and sys.stdin.isatty() else None,
        )

    def close(self) -> None:
        """Leave the terminal as it was found."""
        prompt = vars(self).get("_prompt")
        if prompt is not None:
            prompt.close()

    def _ask(self, question: str, *, secret: bool) -> str:
        from migrate_plugins.cli.prompt import Prompt  # noqa: PLC0415 - most calls ask nothing

        # Both hosts may ask at once: whoever is first makes it.
        prompt: Prompt = vars(self).setdefault("_prompt", Prompt())
        return prompt(question, secret=secret)

    def forgive(self) -> None:
        """Go on without a config.toml that is wrong, and say so: for commands that only look."""
        try:
            _ = self.config
        except ConfigError as error:
            self._output.warn(error)
            disabled: Iterable[str] = ()
            with suppress(ConfigError):
                disabled = disabled_in(error.path)
            self.config = Config(error.path, disabled=tuple(disabled))
