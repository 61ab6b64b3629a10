"""Entry point of the command line: runs the operator's program where it is installed, and says so where it is not."""

import sys
from importlib.metadata import PackageNotFoundError, distribution

GROUP = "pratique.command"  #: of the entry point that names the operator's program
_ABSENT = (
    "This is what integrators install: the events of Pratique, and how to read them. The services and the command line "
    "run from a checkout of the repository; there, `make run` installs and starts everything."
)


def main() -> None:
    """Run the operator's program. Where it is not installed, say in one sentence what is, and exit with 1."""
    try:
        (found,) = distribution("pratique").entry_points.select(group=GROUP)
        command = found.load()
    except (PackageNotFoundError, ValueError):
        sys.exit(_ABSENT)
    except ModuleNotFoundError as error:
        if error.name == "operations":
            sys.exit(_ABSENT)
        sys.exit(f"The command line needs {error.name}, which is not installed; say `pip install -e '.[service]'`.")
    command()


if __name__ == "__main__":
    main()
