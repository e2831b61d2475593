"""The acts a story is made of, by name; each drives the public commands or plays the leaker."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from canary.scenarios import leaks
from canary.scenarios.quarry import Quarry
from canary.scenarios.world import World
from canary.steps.tagging import DEFAULT_CANARIES

Parameters = Mapping[str, Any]
FIRST_DAY = datetime(2020, 7, 1)


def contacts(world: World, act: Parameters) -> str:
    """Add the mail domains and phones that are ours."""
    for domain in act.get("domains", ()):
        world.command("contact", "add", "email-domain", domain)
    roster = world.folder / "phones.csv"
    phones = [f"140{world.rng.randrange(10**8):08d}" for _ in range(act.get("phones", 0))]
    roster.write_text("kind,value\n" + "".join(f"phone,{phone}\n" for phone in sorted(set(phones))), "utf-8")
    if phones:
        world.command("contact", "import", roster)
    return f"{len(act.get('domains', ()))} mail domains and {len(phones)} phones are ours"


def recipients(world: World, act: Parameters) -> str:
    """Register who may be named: a pattern with a number, or a list of lines `id kind parent`."""
    roster = world.folder / "recipients.csv"
    lines = [
        f"{act['pattern'].format(number)},{act['kind']},,{act.get('parent', '')}"
        for number in range(1, act.get("count", 0) + 1)
    ]
    lines += [
        f"{one['id']},{one['kind']},{one.get('name', '')},{one.get('parent', '')}"
        for one in act.get("list", ())
    ]
    roster.write_text("id,kind,name,parent\n" + "\n".join(lines) + "\n", "utf-8")
    done = world.command("recipient", "import", roster)
    return f"{done['imported']} recipients are registered"


def rent(world: World, act: Parameters) -> str:
    """Rent out some accounts for one to seven days each: the truth of the story, told to nobody."""
    accounts = [act["pattern"].format(number) for number in range(1, act["count"] + 1)]
    rented = world.rng.sample(accounts, act["rented"])
    spans = world.rng.sample(range(1, act["days"] + 1), len(rented))
    for account, span in zip(rented, spans, strict=True):
        first = world.rng.randint(1, act["days"] - span + 1)
        world.plans[account] = range(first, first + span)
    world.truth.guilty.update(rented)
    return f"somewhere among {len(accounts)} accounts, some are rented out"


def _numbered(act: Parameters) -> list[str]:
    """Give the ids of a pattern, from one up."""
    return [act["pattern"].format(number) for number in range(1, act["count"] + 1)]


def _roster(world: World, ids: Sequence[str]) -> Path:
    roster = world.folder / "to.csv"
    roster.write_text("id\n" + "\n".join(ids) + "\n", "utf-8")
    return roster


def _as_many(act: Parameters, rows: int) -> list[str]:
    """Ask for as many canaries as the telling at full size has, so that a smaller one has the same odds."""
    return ["--canaries", str(max(1, round(act.get("canaries", DEFAULT_CANARIES) * rows)))]


@dataclass(frozen=True, slots=True)
class Export:
    """What one account takes out on one day: so many rows at full size, made at `made`, tagged to `copy`."""

    account: str
    day: int
    rows: int
    made: Path
    copy: Path


def exports(world: World, act: Parameters) -> str:
    """Let every account export its waybills day by day; a rented one takes all that it can."""
    accounts = _numbered(act)
    large = round(act["leaked_rows"] / sum(len(days) for days in world.plans.values()))
    stock = _host(world, act["kind"], world.rows(act["people"]), "stock", "csv")
    quarry = Quarry(stock, act["key"], act["time"], world.rng)
    planned = [
        _planned(world, account, day, large if _rented(world, account, day) else act["usual_rows"])
        for day in range(1, act["days"] + 1)
        for account in accounts
    ]
    told = world.together(_tagging(world, act, quarry, planned))
    total = sum(_handed_out(world, one, *answer) for one, answer in zip(planned, told, strict=True))
    return f"{len(accounts)} accounts made {len(planned)} exports, {total} waybills in all"


def _rented(world: World, account: str, day: int) -> bool:
    return day in world.plans.get(account, ())


def _planned(world: World, account: str, day: int, rows: int) -> Export:
    made = world.folder / f"day{day}-{account}.csv"
    return Export(account, day, rows, made, world.folder / "copies" / account / made.name)


def _tagging(
    world: World, act: Parameters, quarry: Quarry, planned: Sequence[Export]
) -> Iterator[list[str | Path]]:
    """Make each export, and give the call that tags it."""
    for one in planned:
        quarry.cut(world.rows(one.rows), FIRST_DAY + timedelta(days=one.day), one.made)
        one.copy.parent.mkdir(parents=True, exist_ok=True)
        options = ["--dataset", act["dataset"], *_as_many(act, one.rows)]
        yield ["tag", one.made, "--recipient", one.account, "--output", one.copy, *options]


def _handed_out(world: World, one: Export, told: Mapping[str, Any]) -> int:
    """Note a copy that was handed out; gives its rows."""
    one.made.unlink()
    world.copies.setdefault(one.account, []).append(one.copy)
    if _rented(world, one.account, one.day):
        world.leaked.append(one.copy)
        world.truth.releases.add(told["release"])
    return int(told["rows_in"])


def _host(world: World, kind: str, rows: int, name: str, suffix: str) -> Path:
    path = world.folder / f"{name}.{suffix}"
    seed = world.rng.randrange(2**32)
    world.command(
        "generate",
        kind,
        "--count",
        rows,
        "--seed",
        seed,
        "--mail-domain",
        "people.example",
        "--output",
        path,
        home=world.stage,
    )
    return path


def share(world: World, act: Parameters) -> str:
    """Hand one export to several recipients, each a copy of its own."""
    made = _host(world, act["kind"], world.rows(act["rows"]), act["dataset"], act.get("format", "csv"))
    ids = _numbered(act) if "pattern" in act else act["to"]
    _tag_for(world, act, made, ids, act["rows"])
    return f"{len(ids)} recipients each got a copy of {world.rows(act['rows'])} rows"


def _tag_for(world: World, act: Parameters, made: Path, ids: Sequence[str], rows: int) -> None:
    folder = world.folder / "copies" / made.stem
    options = ["--dataset", act["dataset"], *_as_many(act, rows)]
    told = world.command("tag", made, "--recipients", _roster(world, ids), "--output", folder, *options)
    made.unlink()
    for one in told:
        world.copies.setdefault(one["recipient"], []).append(Path(one["output"]))


def interface(world: World, act: Parameters) -> str:
    """Serve small daily batches of orders to the clients of a data interface, each batch tagged on its way."""
    ids, rows = _numbered(act), round(act["rows"] / act["days"])
    stock = _host(world, act["kind"], world.rows(act["people"]), "stock", "csv")
    quarry = Quarry(stock, act["key"], act["time"], world.rng)
    for day in range(1, act["days"] + 1):
        made = world.folder / f"batch{day:03d}.jsonl"
        quarry.cut(world.rows(rows), FIRST_DAY + timedelta(days=day), made)
        _tag_for(world, act, made, ids, rows)
    return f"{act['days']} daily batches went to {len(ids)} clients"


def pass_on(world: World, act: Parameters) -> str:
    """Let a recipient hand its copy on to another, tagged from that copy."""
    for source in world.copies[act["from"]]:
        copy = world.folder / "copies" / act["to"] / source.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        options = ["--dataset", act["dataset"], *_as_many(act, act["rows"])]
        world.command("tag", source, "--recipient", act["to"], "--output", copy, *options)
        world.copies.setdefault(act["to"], []).append(copy)
    return f"{act['from']} passed its data on to {act['to']}"


def leak(world: World, act: Parameters) -> str:
    """Leak: some recipients' copies are cleaned, merged, cut to packs and written in another form."""
    if not world.leaked:
        guilty = act.get("who") or world.rng.sample(sorted(world.copies), act.get("guilty", 1))
        world.truth.guilty.update(guilty)
        world.leaked.extend(copy for one in guilty for copy in world.copies[one])
    rows = leaks.merge([leaks.read_rows(copy) for copy in world.leaked], world.rng)
    kept = leaks.without(leaks.survive(rows, act.get("survive", 1.0), world.rng), act.get("drop", ()))
    piles = leaks.packs(kept, world.rows(act["pack"])) if "pack" in act else [kept]
    whole = piles[:-1] or piles
    chosen = world.rng.sample(whole, min(act.get("packs", 1), len(whole)))
    for number, pile in enumerate(chosen, 1):
        form = act["forms"][(number - 1) % len(act["forms"])]
        world.leaks.append(_write(world, pile, form, number, act))
    return f"{len(rows)} rows left, {len(kept)} survived the cleaning, {len(chosen)} file(s) are for sale"


def _write(world: World, rows: Sequence[leaks.Row], form: str, number: int, act: Parameters) -> Path:
    path = world.folder / f"leak-{number}.{'txt' if form == 'chat' else form}"
    if form == "chat":
        return leaks.to_chat(rows, path, act["columns"], world.rng)
    return {"csv": leaks.to_csv, "jsonl": leaks.to_jsonl, "xlsx": leaks.to_xlsx}[form](rows, path)


def purchase(world: World, act: Parameters) -> str:
    """Buy reports on bait people: a broker looks each one up in the copies that it holds."""
    baits = [_name(row, act) for one in sorted(world.copies) for row in _baits(world, one, act["baits"])]
    world.rng.shuffle(baits)
    guilty = world.rng.sample(sorted(world.copies), act["sources"])
    world.truth.guilty.update(guilty)
    held = [
        (f"{number}号来源", row)
        for number, one in enumerate(guilty, 1)
        for copy in world.copies[one]
        for row in leaks.read_rows(copy)
    ]
    found = {bait: [fact for fact in held if _name(fact[1], act) == bait][:3] for bait in baits}
    world.leaks.append(leaks.to_prose(found, world.folder / "report.txt"))
    answered = sum(bool(facts) for facts in found.values())
    return f"{len(baits)} reports were ordered, the broker knew something about {answered}"


def _name(row: Mapping[str, str], act: Parameters) -> str:
    return next(row[heading] for heading in act["names"] if row.get(heading))


def _baits(world: World, recipient: str, count: int) -> list[Mapping[str, str]]:
    release = world.command("release", "list", "--recipient", recipient)[0]["release"]
    rows = world.command("release", "show", release, "--canaries")["canary_rows"]
    return world.rng.sample(rows, min(count, len(rows)))


def surface(world: World, act: Parameters) -> str:
    """Let the leak surface on a paste site and a buyer write to some of its addresses, while the watch runs."""
    from canary.scenarios.watching import watched

    sold = [row for path in world.leaks for row in leaks.read_rows(path)]
    mails = [row[act["email"]] for row in sold if row[act["email"]].endswith(tuple(act["domains"]))]
    sent = mails[: act["mails"]]
    told = watched(world, world.leaks[0].read_bytes(), sent)
    world.incidents.extend(told)
    return f"the watch saw the paste and {len(sent)} mails, and opened {len(told)} incident(s)"


def trace(world: World, _act: Parameters) -> str:
    """Ask who leaked this: of each incident if the watch made one, else of each leaked file."""
    asked = world.incidents or [str(path) for path in world.leaks]
    world.answers.extend(world.command("trace", one) for one in asked)
    return "; ".join(_told(answer) for answer in world.answers)


def _told(answer: Mapping[str, Any]) -> str:
    named = [
        f"{one['recipient']} (false accusation at most {one['false_accusation']:.0e})"
        for one in answer["suspects"]
        if one["status"] == "named"
    ]
    return f"{answer['outcome']}: {', '.join(named) or 'nobody'}"


def verify(world: World, _act: Parameters) -> str:
    """Check that the ledger of all this is whole."""
    checked = world.command("ledger", "verify")
    return f"the ledger of {checked['entries']} entries is {'whole' if checked['ok'] else 'broken'}"


def clean_up(world: World) -> None:
    """Take the world away."""
    shutil.rmtree(world.folder, ignore_errors=True)


ACTS: Mapping[str, Callable[[World, Parameters], str]] = {
    act.__name__: act
    for act in (
        contacts,
        recipients,
        rent,
        exports,
        share,
        interface,
        pass_on,
        leak,
        purchase,
        surface,
        trace,
        verify,
    )
}
