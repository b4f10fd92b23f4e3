"""Processing's settings."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, NonNegativeFloat, PositiveFloat, PositiveInt
from pydantic_core import from_json
from pydantic_settings import NoDecode

from services.processing.domain.code import CodePattern, parse_pattern
from services.processing.domain.escalation import UNDELIVERED_AFTER, Chains, Escalation, Late, Level, make_chains
from shared.contracts.model import Slug
from shared.settings import ServiceSettings


def _read_json(value: Any) -> Any:
    """Read the variable here, where a wrong value becomes a fault of this setting."""
    return from_json(value) if isinstance(value, str) else value


def _read_pattern(value: Any) -> Any:
    return parse_pattern(value) if isinstance(value, str) else value


Pattern = Annotated[CodePattern, BeforeValidator(_read_pattern)]
Patterns = Annotated[dict[Slug, Pattern], NoDecode, BeforeValidator(_read_json)]


class ChainLevel(BaseModel):
    """One level of an escalation chain."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    after_working_days: Annotated[int, Field(ge=0, le=1000)]
    to: Slug


def _check_chains(given: dict[Late, list[ChainLevel]]) -> dict[Late, list[ChainLevel]]:
    chains_of(given)
    return given


def chains_of(given: dict[Late, list[ChainLevel]]) -> Chains:
    """The chains in force when these are set.

    Raises:
        ChainError: One of them breaks a rule.
    """
    return make_chains(
        {late: tuple(Level(each.after_working_days, each.to) for each in levels) for late, levels in given.items()}
    )


GivenChains = Annotated[dict[Late, list[ChainLevel]], NoDecode, BeforeValidator(_read_json), AfterValidator(_check_chains)]


class ProcessingSettings(ServiceSettings):
    """What processing needs besides what every service does. Durations are in seconds."""

    port: int = Field(8002, validation_alias="MOTCUA_PROCESSING_PORT", ge=0, le=65535, description="port of HTTP")
    code_patterns: Patterns = Field(
        default={},
        description=(
            'JSON object from agency to the pattern of its dossier codes, such as {"ldtbxh-haiphong": "000.00.07.H24"} (the form'
            ' of 2018), "G09.20-{YYYYMMDD}-{serial:7}" (2020) or "H24.007.00-{YYMMDD}-24{serial:4}" (2026, the owner being 24)'
        ),
    )
    unknown_case_after_seconds: PositiveFloat = Field(
        600.0, description="how long a command waits for a case that nobody has submitted before it is rejected"
    )
    escalation: GivenChains = Field(
        default={},
        description=(
            "JSON object from what is late (overdue, undecided, unassigned, answer_late, supplement_timeout, payment_timeout,"
            ' duty_late, undelivered) to its levels in order, such as {"overdue": [{"after_working_days": 0, "to": "unit-head"}]}'
            "; a chain that is not named is the usual one"
        ),
    )
    undelivered_after_working_days: PositiveInt = Field(
        UNDELIVERED_AFTER, le=1000, description="working days after which a result that was not handed over is escalated"
    )
    timer_seconds: PositiveFloat = Field(2.0, le=30.0, description="how often timers are looked at")
    timer_grace_seconds: NonNegativeFloat = Field(
        10.0, le=30.0, description="how long after a deadline its fact waits for commands that are on their way"
    )

    def make_escalation(self) -> Escalation:
        """The chains in force."""
        return Escalation(chains_of(self.escalation), self.undelivered_after_working_days)
