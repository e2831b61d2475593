import csv
import io
import json

import pytest

OURS = "post.example.net"


def test_recipients_form_a_tree(canary):
    canary("recipient", "add", "company", "--kind", "partner", "--name", "顺达")
    canary("recipient", "add", "vendor", "--kind", "partner", "--parent", "company")
    canary("recipient", "add", "sub", "--kind", "account", "--parent", "vendor")
    shown = canary("recipient", "show", "vendor", "--json").json
    assert (shown["ancestors"], shown["children"]) == (["company"], ["sub"])
    assert [row["id"] for row in canary("recipient", "list", "--json").json] == ["company", "sub", "vendor"]
    assert "顺达" in canary("recipient", "list").out


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["add", "acme", "--kind", "partner"], "exists already"),
        (["add", "a b", "--kind", "partner"], "is not an id"),
        (["add", "x", "--kind", "friend"], "not a kind"),
        (["add", "x", "--kind", "partner", "--parent", "nobody"], "nobody"),
        (["show", "nobody"], "nobody"),
        (["import", "none.csv"], "cannot read"),
    ],
)
def test_wrong_recipients_are_refused_and_nothing_is_stored(canary, argv, told):
    canary("recipient", "add", "acme", "--kind", "partner")
    before = canary("ledger", "verify", "--json").json["root"]
    said = canary("recipient", *argv, status=3 if "import" in argv else 2)
    assert told in said.error
    assert canary("ledger", "verify", "--json").json["root"] == before


def test_recipients_are_imported_all_or_none(canary, tmp_path):
    roster = tmp_path / "r.csv"
    roster.write_text("id,kind,name,parent\nb,account,乙,a\na,partner,甲,\n", "utf-8")
    assert canary("recipient", "import", roster, "--json").json == {"imported": 2}
    roster.write_text("id,kind\nc,account\na,partner\n")
    canary("recipient", "import", roster, status=2)
    assert {row["id"] for row in canary("recipient", "list", "--json").json} == {"a", "b"}


def test_contacts_are_ours_alone(canary):
    assert (
        canary("contact", "add", "email-domain", "Post.Example.NET.", "--json").json["value"]
        == "post.example.net"
    )
    assert canary("contact", "add", "phone", "14012345678", "--json").json["inert"] is True
    assert canary("contact", "add", "phone", "+86 138-0013-8000", "--control", "--json").json == {
        "kind": "phone", "value": "13800138000", "control": True, "inert": False, "provider": "",
    }  # fmt: skip
    assert len(canary("contact", "list", "--json").json) == 3


@pytest.mark.parametrize(
    ("kind", "value", "status"),
    [
        ("email-domain", "gmail.com", 4),
        ("email-domain", "qq.com", 4),
        ("email-domain", "nodot", 2),
        ("email-domain", "a b.net", 2),
        ("phone", "12", 2),
        ("phone", "1234567890123456", 2),
        ("phone", "hello", 2),
    ],
)
def test_what_is_not_ours_or_no_contact_is_refused(canary, kind, value, status):
    assert canary("contact", "add", kind, value, status=status).error
    assert canary("contact", "list", "--json").json == []


def test_contacts_are_imported(canary, tmp_path):
    roster = tmp_path / "c.jsonl"
    rows = [{"kind": "phone", "value": f"1401234{n:04d}"} for n in range(50)]
    rows.append({"kind": "email-domain", "value": "post.example.net", "control": True, "provider": "ours"})
    roster.write_text("\n".join(json.dumps(row) for row in rows))
    assert canary("contact", "import", roster, "--json").json == {"imported": 51}
    assert canary("contact", "list", "--json").json[-1]["provider"] == "ours"


def test_kinds_are_listed_and_shown(canary, say):
    names = {row["name"] for row in canary("kind", "list", "--json").json}
    assert {"waybill", "order", "resume", "customer", "persona"} <= names
    assert canary("kind", "show", "waybill", "--json").json["name"] == "waybill"
    assert "waybill" in say("kind", "show", "nothing").err


def test_personas_have_the_columns_of_the_contract_and_safe_values(canary):
    canary("contact", "add", "email-domain", "post.example.net")
    rows = canary("generate", "persona", "--count", 50, "--json").json
    assert list(rows[0]) == [
        "name", "sex", "birth_date", "id_number", "province", "city", "district", "address", "postcode",
        "email", "phone",
    ]  # fmt: skip
    assert len({row["email"] for row in rows}) == 50
    assert all(row["email"].endswith("@post.example.net") for row in rows)
    assert all(row["phone"][:3] in {"140", "154"} for row in rows)
    assert all(row["id_number"] == "" for row in rows if "1981" <= row["birth_date"][:4] <= "1985")


def test_generate_writes_files_and_never_over_others(canary, tmp_path):
    canary("generate", "waybill", "--count", 20, "--seed", 1, "--output", "w.csv")
    first = (tmp_path / "w.csv").read_bytes()
    assert len(list(csv.reader(io.StringIO(first.decode("utf-8-sig"))))) == 21
    canary("generate", "waybill", "--count", 20, "--seed", 2, "--output", "w.csv", status=2)
    assert (tmp_path / "w.csv").read_bytes() == first
    canary("generate", "waybill", "--count", 20, "--seed", 2, "--output", "w.csv", "--force")
    assert (tmp_path / "w.csv").read_bytes() != first


def test_previews_are_issued_to_nobody(canary):
    canary("generate", "waybill", "--count", 5, "--json")
    assert canary("status", "--json").json["canaries"] == 0


def test_require_contacts_refuses_inert_phones(canary):
    assert (
        "phone" in canary("generate", "persona", "--count", 1, "--require-contacts", "--json", status=4).error
    )
