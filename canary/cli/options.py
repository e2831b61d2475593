"""Options that many commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Home = Annotated[
    Path | None,
    typer.Option("--home", metavar="DIR", help="the home (else CANARY_HOME, else the user's data folder)"),
]
NoHome = Annotated[
    Path | None,
    typer.Option(
        "--home", metavar="DIR", help="taken as everywhere, and not needed here", expose_value=False
    ),
]
Json = Annotated[bool, typer.Option("--json", help="write JSON on standard output and nothing else")]
Force = Annotated[bool, typer.Option("--force", help="replace an existing output")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="show what would be done, and do nothing")]
