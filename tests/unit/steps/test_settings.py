import tomllib

import pytest

from canary import settings
from canary.errors import OutsideError, UsageError


def written(tmp_path, text):
    path = tmp_path / "config.toml"
    path.write_text(text, "utf-8")
    return path


def test_the_default_file_holds_exactly_the_defaults(tmp_path):
    assert settings.load(written(tmp_path, settings.default_text())) == settings.Settings()


def test_nothing_listens_or_polls_by_default():
    assert "monitors" not in tomllib.loads(settings.default_text())


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[net]\ntimeout = 0", "net.timeout"),
        ("[net]\nspeed = 1", "net.speed"),
        ("[wrong]\nx = 1", "wrong"),
        ("[verdict]\nlimit = 2", "verdict.limit"),
        ("[alerts]\nquiet_hours = 'night'", "alerts.quiet_hours"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path, text, place):
    with pytest.raises(UsageError, match=place):
        settings.load(written(tmp_path, text))


def test_broken_toml_and_no_file_are_told(tmp_path):
    with pytest.raises(OutsideError, match="not valid TOML"):
        settings.load(written(tmp_path, "[net"))
    with pytest.raises(OutsideError, match="cannot read"):
        settings.load(tmp_path / "none.toml")


def test_secrets_come_from_the_environment_and_from_files(tmp_path, monkeypatch):
    monkeypatch.setenv("CANARY_TEST_SECRET", "s3")
    (tmp_path / "secret").write_text("s4\n")
    tables = {"a": "env:CANARY_TEST_SECRET", "b": ["file:secret", 1], "c": {"d": "plain"}}
    assert settings.resolved(tables, tmp_path) == {"a": "s3", "b": ["s4", 1], "c": {"d": "plain"}}


def test_a_missing_secret_is_named_without_its_value(tmp_path, monkeypatch):
    monkeypatch.delenv("CANARY_TEST_SECRET", raising=False)
    with pytest.raises(UsageError, match="CANARY_TEST_SECRET"):
        settings.secret("env:CANARY_TEST_SECRET", tmp_path)
    with pytest.raises(OutsideError, match="cannot read the secret file"):
        settings.secret("file:none", tmp_path)
