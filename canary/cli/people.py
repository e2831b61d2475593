"""Commands about people: recipients, contacts, record kinds, previews of personas."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from canary.cli.options import DryRun, Force, Home, Json, NoHome
from canary.cli.say import clean, emit, opened, table, tell

recipient = typer.Typer(help="Recipients: who may be named.", no_args_is_help=True, rich_markup_mode=None)
contact = typer.Typer(
    help="Contacts: the numbers and mail domains we own.", no_args_is_help=True, rich_markup_mode=None
)
kind = typer.Typer(
    help="Record kinds: what a persona is written into.", no_args_is_help=True, rich_markup_mode=None
)

KINDS = "partner, account, insider or system"


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(recipient, name="recipient")
    app.add_typer(contact, name="contact")
    app.add_typer(kind, name="kind")
    app.command()(generate)


@recipient.command("add")
def recipient_add(
    id: Annotated[str, typer.Argument(metavar="ID", help="letters, digits, '.', '_', '-'")],
    kind: Annotated[str, typer.Option(help=KINDS)],
    name: Annotated[str, typer.Option(help="how a person calls it")] = "",
    parent: Annotated[str | None, typer.Option(metavar="ID", help="the recipient it belongs to")] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Add a recipient.

    Example: canary recipient add acme --kind partner --name "Acme Logistics"
    """
    from canary.steps import recipients

    wanted = recipients.checked(id, kind, name, parent)
    with opened(home) as tools:
        recipients.add(tools, wanted)
    if json:
        emit({"id": id, "kind": kind, "name": name, "parent": parent})
    else:
        print(f"added {kind} {id}")


@recipient.command("import")
def recipient_import(
    file: Annotated[Path, typer.Argument(help="CSV or JSONL with columns id, kind, name, parent")],
    home: Home = None,
    json: Json = False,
) -> None:
    """Add many recipients at once.

    Example: canary recipient import partners.csv
    """
    from canary.steps import recipients

    with opened(home) as tools:
        count = recipients.import_file(tools, file)
    if json:
        emit({"imported": count})
    else:
        print(f"added {count} recipients")


@recipient.command("list")
def recipient_list(home: Home = None, json: Json = False) -> None:
    """List the recipients.

    Example: canary recipient list
    """
    from canary.store import recipients

    with opened(home) as tools, tools.registry.read() as tx:
        found = list(recipients.list_all(tx))
    rows = [{"id": one.id, "kind": one.kind.value, "name": one.name, "parent": one.parent} for one in found]
    if json:
        emit(rows)
    else:
        table(["id", "kind", "name", "parent"], [list(row.values()) for row in rows])


@recipient.command("show")
def recipient_show(
    id: Annotated[str, typer.Argument(metavar="ID")], home: Home = None, json: Json = False
) -> None:
    """Show a recipient, where it stands in the tree, and what it was given.

    Example: canary recipient show acme
    """
    from canary.steps import shown

    with opened(home) as tools:
        answer = shown.recipient(tools, id)
    if json:
        emit(answer)
        return
    for key, value in answer.items():
        print(f"{key:10} {clean(', '.join(map(str, value)) if isinstance(value, list) else value or '')}")


contact_add = typer.Typer(help="Add a contact that is ours.", no_args_is_help=True, rich_markup_mode=None)
contact.add_typer(contact_add, name="add")
Control = Annotated[bool, typer.Option("--control", help="keep it as a control: never issued, only watched")]


def _add_contact(kind: str, value: str, control: bool, provider: str, home: Path | None, json: bool) -> None:
    from canary.steps import contacts

    wanted = contacts.checked(kind, value, control=control, provider=provider)
    with opened(home) as tools:
        contacts.add_many(tools, [wanted])
    if json:
        emit(
            {
                "kind": kind,
                "value": wanted.value,
                "control": control,
                "inert": wanted.inert,
                "provider": provider,
            }
        )
        return
    print(f"added {kind} {clean(wanted.value)}{' as a control' if control else ''}")
    if wanted.inert:
        tell("this number can never ring: it is inert, found by scans alone")


@contact_add.command("email-domain")
def contact_add_domain(
    domain: Annotated[str, typer.Argument(metavar="DOMAIN", help="a mail domain that you own")],
    control: Control = False,
    provider: Annotated[str, typer.Option(help="who runs it for you")] = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Add a mail domain for aliases.

    Example: canary contact add email-domain mail.example.org
    """
    _add_contact("email-domain", domain, control, provider, home, json)


@contact_add.command("phone")
def contact_add_phone(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="national or with +country code")],
    control: Control = False,
    provider: Annotated[str, typer.Option(help="who runs it for you")] = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Add a phone number that reaches you.

    Example: canary contact add phone 14012345678
    """
    _add_contact("phone", number, control, provider, home, json)


@contact.command("import")
def contact_import(
    file: Annotated[Path, typer.Argument(help="CSV or JSONL with columns kind, value, control, provider")],
    home: Home = None,
    json: Json = False,
) -> None:
    """Add many contacts at once.

    Example: canary contact import phones.csv
    """
    from canary.steps import contacts

    with opened(home) as tools:
        count = contacts.import_file(tools, file)
    if json:
        emit({"imported": count})
    else:
        print(f"added {count} contacts")


@contact.command("list")
def contact_list(home: Home = None, json: Json = False) -> None:
    """List the contacts: which are free, in use, spent (public, and left alone for a while) or controls.

    Example: canary contact list
    """
    from canary.steps import contacts

    with opened(home) as tools:
        rows = contacts.list_all(tools)
    if json:
        emit(rows)
    else:
        headings = ["kind", "value", "state", "uses", "inert", "provider"]
        table(headings, [[row[name] for name in headings] for row in rows])


@kind.command("list")
def kind_list(_home: NoHome = None, json: Json = False) -> None:
    """List the record kinds.

    Example: canary kind list
    """
    from canary.generators import kinds

    found = [kinds.load_kind(name) for name in kinds.kind_names()]
    if json:
        emit([{"name": one.name, "summary": one.summary} for one in found])
    else:
        table(["name", "summary"], [(one.name, one.summary) for one in found])


@kind.command("show")
def kind_show(
    name: Annotated[str, typer.Argument(metavar="KIND")], _home: NoHome = None, json: Json = False
) -> None:
    """Show the columns of a record kind.

    Example: canary kind show waybill
    """
    from canary.generators import kinds

    found = kinds.load_kind(name)
    if json:
        emit(found)
        return
    print(clean(f"{found.name}: {found.summary}"))
    rows = [
        (one.name, one.role, one.headings.get("zh", ""), one.headings.get("en", "")) for one in found.columns
    ]
    table(["column", "role", "zh", "en"], rows)


def generate(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="a record kind; see canary kind list")],
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="how many records")] = 10,
    locale: Annotated[str, typer.Option(help="zh_CN, en_US or another Faker locale")] = "zh_CN",
    output: Annotated[
        str,
        typer.Option(
            "--output", "-o", help="a file; its format by its extension; - is CSV on standard output"
        ),
    ] = "-",
    require_contacts: Annotated[
        bool, typer.Option("--require-contacts", help="refuse instead of using inert phones")
    ] = False,
    seed: Annotated[int | None, typer.Option(help="draw the same records again")] = None,
    mail_domain: Annotated[
        str | None,
        typer.Option(metavar="DOMAIN", help="mails on this domain: ours, or one reserved for examples"),
    ] = None,
    force: Force = False,
    dry_run: DryRun = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """Preview fake records; they are issued to nobody and stored nowhere.

    Example: canary generate persona --count 3
    """
    from canary.steps import generate as step

    wanted = step.Preview(kind, count, locale, require_contacts, seed, mail_domain)
    with opened(home) as tools:
        drawn = step.preview(tools, wanted)
    for warning in drawn.warnings:
        tell(f"warning: {warning}")
    if json and output == "-":
        emit(list(drawn.rows))
        return
    written = 0 if dry_run else step.write(drawn, output, force=force)
    if json:
        emit({"output": output, "rows": written})
    elif output != "-":
        print(f"wrote {written} records to {clean(output)}")
