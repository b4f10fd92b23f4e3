"""The settings tables of the README, made of the settings classes: `python -m tests.contract.settings_table` writes them anew.

One table is what a service process reads, the other what `motcua` reads to run the local stack.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from deploy.local.settings import LocalSettings
from services.intake.settings import IntakeSettings
from services.metrics.settings import MetricsSettings
from services.notification.settings import NotificationSettings
from services.processing.settings import ProcessingSettings

README = Path(__file__).parents[2] / "README.md"
BEGIN = "<!-- settings: written by `python -m tests.contract.settings_table` -->"
END = "<!-- settings: end -->"

SERVICES: dict[str, type[BaseSettings]] = {
    "intake": IntakeSettings,
    "processing": ProcessingSettings,
    "notification": NotificationSettings,
    "metrics": MetricsSettings,
}

STACK = {
    "MOTCUA_STATE_DIR": "folder of the stack's content, keys and logs",
    "MOTCUA_TOPIC_PREFIX": "put before every topic and group name",
    "MOTCUA_KAFKA_BOOTSTRAP": "Kafka that runs already; empty: one is found or started",
    "MOTCUA_KAFKA_SECURITY_PROTOCOL": "how the services speak to that Kafka; see Security for what `motcua` itself can do",
    "MOTCUA_KAFKA_SOURCE": "where a Kafka is taken from: `auto`, `container` or `local`",
    "MOTCUA_KAFKA_IMAGE": "image of the Kafka container",
    "MOTCUA_POSTGRES_URL": "PostgreSQL that runs already; empty: one is found or started",
    "MOTCUA_POSTGRES_SOURCE": "where a PostgreSQL is taken from: `auto`, `container` or `local`",
    "MOTCUA_POSTGRES_IMAGE": "image of the PostgreSQL container",
    "MOTCUA_INTAKE_PORT": "port of the first intake process",
    "MOTCUA_PROCESSING_PORT": "port of the first processing process",
    "MOTCUA_NOTIFICATION_PORT": "port of the first notification process",
    "MOTCUA_METRICS_PORT": "port of the first metrics process",
    "MOTCUA_PROMETHEUS_PORT": "port of Prometheus",
    "MOTCUA_PROMETHEUS_RETENTION": "how long Prometheus keeps its series",
}
"""What the settings of the local stack mean; their own descriptions say what they accept."""

OUTSIDE = {
    "MOTCUA_CACHE_DIR": ("`~/.cache/motcua`", "folder of Kafka's jars"),
    "MOTCUA_FAILPOINTS": ("none", "tests only: places where a service process exits, fails or sleeps"),
    "MOTCUA_BENCH_FLOORS": ("`../shared/bench`", "`motcua bench`: folder with the hand-written floors"),
    "MOTCUA_TEST_DATA": ("`../shared/data`", "tests only: folder with the reference logs"),
}
"""Variables that no settings class reads."""

SHOWN = {"MOTCUA_STATE_DIR": "`.motcua` in the checkout"}
"""Defaults that depend on the place."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One row: the variable, its default as it is shown, its meaning."""

    name: str
    default: str
    meaning: str


def settings_of(kind: type[BaseSettings]) -> Iterator[Setting]:
    """The settings of one class, in its order."""
    for name, field in kind.model_fields.items():
        variable = field.validation_alias if isinstance(field.validation_alias, str) else f"MOTCUA_{name.upper()}"
        meaning = STACK.get(variable, "") if kind is LocalSettings else field.description or ""
        yield Setting(variable, SHOWN.get(variable) or _default(field), meaning)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    value: Any = field.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined or value in (None, "", (), {}):
        return "none"
    if isinstance(value, Enum):
        value = value.value
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def service_rows() -> list[str]:
    """A row for each setting of the services, with the services that read it."""
    readers: dict[Setting, list[str]] = {}
    for service, kind in SERVICES.items():
        for setting in settings_of(kind):
            readers.setdefault(setting, []).append(service)
    everybody = len(SERVICES)
    return [_row(each, "all" if len(names) == everybody else ", ".join(names)) for each, names in readers.items()]


def _row(setting: Setting, *more: str) -> str:
    cells = (f"`{setting.name}`", setting.default, setting.meaning, *more)
    return f"| {' | '.join(cells)} |"


def tables() -> str:
    """Both tables with their heads."""
    stack = [*settings_of(LocalSettings), *(Setting(name, *said) for name, said in OUTSIDE.items())]
    return "\n".join(
        [
            "What a service process reads:",
            "",
            "| setting | default | meaning | service |",
            "| --- | --- | --- | --- |",
            *service_rows(),
            "",
            "What `motcua` and the tests read. `motcua up` hands every `MOTCUA_*` variable that it finds on to the services:",
            "",
            "| setting | default | meaning |",
            "| --- | --- | --- |",
            *map(_row, stack),
        ]
    )


def with_tables(text: str) -> str:
    """The README with the tables of now between its markers.

    Raises:
        ValueError: The markers are not there, or not once.
    """
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise ValueError("the README has not its two markers of the settings tables")
    return re.sub(f"{re.escape(BEGIN)}.*{re.escape(END)}", lambda _: f"{BEGIN}\n\n{tables()}\n\n{END}", text, flags=re.DOTALL)


def main() -> int:
    """Write the tables into the README; give the exit status."""
    text = README.read_text(encoding="utf-8")
    README.write_text(with_tables(text), encoding="utf-8")
    print(f"{README.name}: settings tables written", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
