"""Policy files as a person hands them in."""

from __future__ import annotations

from pathlib import Path

from canary.errors import OutsideError
from canary.fields.policy import parse_policy
from canary.model.data import Policy


def read(path: Path | None) -> Policy | None:
    """Read a policy.toml; None where none was given."""
    if path is None:
        return None
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise OutsideError(
            f"cannot read the policy {path}: {error.strerror}",
            "propose one with: canary inspect FILE --output policy.toml",
        ) from None
    except UnicodeDecodeError:
        raise OutsideError(f"the policy {path} is not UTF-8 text", "save it as UTF-8") from None
    return parse_policy(text)


def given(policy: Policy | str | Path | None) -> Policy | None:
    """Take a policy as a pipeline gives it: parsed, as TOML text, or as the path of a file."""
    if policy is None or isinstance(policy, Policy):
        return policy
    if isinstance(policy, str) and "\n" in policy:
        return parse_policy(policy)
    return read(Path(policy))
