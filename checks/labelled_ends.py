"""What checks of tiers and environments say where tags show none."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloudseg.checks.interface import AuditContext

__all__ = ["unlabelled"]


def unlabelled(context: AuditContext, meaning: str) -> str:
    """Return that no interface shows its tier or environment, in words, with the tags that would."""
    keys = ", ".join(context.labels.get(meaning, ())) or "no tag is set to mean it"
    text = f"no interface shows its {meaning} by a tag ({keys}); [labels] in cloudseg.toml names other tags"
    if meaning != "environment" or not any(interface.is_pod for interface in context.estate.interfaces.values()):
        return text
    return f'{text}, such as "namespace" where the namespaces of a cluster are environments'
