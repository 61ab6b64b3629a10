"""The command line: start, migrate, look after, and mend. Each verb is a module, imported when it is used."""

import getpass
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from chassis import settings
from chassis.actor import Actor, acting
from pratique.errors import DomainError

#: verb -> module and attribute, in the order of ``pratique --help``
VERBS = {
    "up": "operations.run:up",
    "run": "operations.run:run",
    "ready": "operations.run:ready",
    "migrate": "operations.stores:migrate",
    "sample": "operations.stores:sample",
    "token": "operations.token:token",
    "session": "operations.session:session",
    "integrator": "operations.integrator:integrator",
    "dead": "operations.dead:dead",
    "republish": "operations.republish:republish",
    "audit": "operations.audit:audit",
    "doctor": "operations.doctor:doctor",
}
#: Former names of verbs, kept for one release; no list of verbs shows them.
FORMER = {"again": "operations.republish:again"}


class Refusal(click.ClickException):
    """An error told in one sentence on standard error; the exit code is 1."""

    def show(self, file: Any = None) -> None:
        """Print the sentence, without a prefix."""
        click.echo(self.format_message(), file=file or sys.stderr)


class Unset(Refusal):
    """A setting is missing; the exit code is 2."""

    exit_code = 2


class Verbs(click.Group):
    """Finds each verb in ``VERBS``, and makes sentences of the errors that an operator can act on."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All verbs, in our order."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb, imported now; None if there is no such."""
        place = VERBS.get(cmd_name) or FORMER.get(cmd_name)
        if place is None:
            return None
        module, _, attribute = place.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb.

        Raises:
            Unset: a setting is missing.
            Refusal: a store is away, or the domain says no.
        """
        try:
            return super().invoke(ctx)
        except settings.Missing as error:
            raise Unset(str(error)) from error
        except _store_away() as error:
            raise Refusal(f"{str(error).capitalize()}. Is it running? `pratique doctor` tells more.") from error
        except DomainError as error:
            raise Refusal(error.message) from error


def _store_away() -> tuple[type[Exception], ...]:
    """StoreAway, if this call has to do with stores: `pratique ready`, asked every few seconds, has not."""
    store = sys.modules.get("chassis.storage.store")
    return (store.StoreAway,) if store else ()


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="pratique")
@click.option("--embedded", is_flag=True, help="Work on the stores of `pratique up`, not on those of the environment.")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("var"),
    show_default=True,
    help="Where the embedded mode keeps its stores and mails.",
)
@click.pass_context
def cli(ctx: click.Context, embedded: bool, data: Path) -> None:
    """Pratique: networks of communities of practice.

    \b
    Try it on this machine:   pratique up
    In earnest:               pratique migrate && pratique run meetings
    Is all well?              pratique doctor

    Settings come from the environment (PRATIQUE_…, see docs/operate.md).
    """
    ctx.obj = {"embedded": embedded, "data": data}
    ctx.with_resource(acting(Actor.network(f"operator {whoami()}")))
    ctx.with_resource(closed_to_others())
    home = str(settings.home().resolve())
    if home not in sys.path:
        sys.path.insert(0, home)


@contextmanager
def closed_to_others() -> Iterator[None]:
    """Within the block new files are this user's alone: stores, mails and keys are of no concern to others."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def whoami() -> str:
    """Return the user at this command line: LOGNAME or USER, else who the system says; in a container just a number."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as containers have
        return f"uid {os.getuid()}"


def settings_of(ctx: click.Context) -> settings.Settings:
    """The settings that this call is about: the environment's, or the embedded mode's if ``--embedded`` says so.

    Raises:
        Missing: the environment lacks one.
    """
    if ctx.obj["embedded"]:
        return settings.embedded(settings.home(), ctx.obj["data"])
    return settings.load()


def main() -> None:
    """Run the verb that the command line names."""
    # It concerns us, who know (docs/decisions/0001), and no operator.
    warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
    cli(prog_name="pratique")
