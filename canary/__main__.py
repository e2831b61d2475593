"""`python -m canary` is the command `canary`."""

from canary.cli.main import entry

if __name__ == "__main__":
    entry()
