"""Processing's settings."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, PositiveFloat
from pydantic_core import from_json
from pydantic_settings import NoDecode

from services.processing.domain.code import check_prefix
from shared.contracts.model import Slug
from shared.settings import ServiceSettings


def _read_json(value: Any) -> Any:
    """Read the variable here, where a wrong value becomes a fault of this setting."""
    return from_json(value) if isinstance(value, str) else value


Prefix = Annotated[str, AfterValidator(check_prefix)]
Prefixes = Annotated[dict[Slug, Prefix], NoDecode, BeforeValidator(_read_json)]


class ProcessingSettings(ServiceSettings):
    """What processing needs besides what every service does. Durations are in seconds."""

    port: int = Field(8002, validation_alias="MOTCUA_PROCESSING_PORT", ge=0, le=65535, description="port of HTTP")
    code_prefixes: Prefixes = Field(
        default={},
        description='JSON object from agency to the prefix of its dossier codes, such as {"ldtbxh-haiphong": "000.00.07.H24"}',
    )
    unknown_case_after_seconds: PositiveFloat = Field(
        600.0, description="how long a command waits for a case that nobody has submitted before it is rejected"
    )
