"""Kafka's access lists give each service what the contract says it reads and writes, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from fastapi import FastAPI

from shared.contracts.asyncapi import READS, SENDS
from shared.contracts.events import EVENTS
from shared.contracts.topics import CASE_EVENTS, TOPICS, group_of
from tests.contract.conftest import PREFIX
from tests.contract.settings_table import README

Lists = dict[str, dict[str, list[str]]]


@pytest.fixture(scope="session")
def principals() -> dict[str, Lists]:
    """What each principal may do."""
    content: dict[str, Any] = yaml.safe_load((README.parent / "deploy/kafka/acls.yaml").read_text(encoding="utf-8"))
    found: dict[str, Lists] = content["principals"]
    return found


def may(lists: Lists, kind: str, operation: str) -> set[str]:
    return {name for name, operations in lists.get(kind, {}).items() if operation in operations}


def test_a_service_reads_its_topics_in_its_own_groups(principals: dict[str, Lists], service: str) -> None:
    lists = principals[f"motcua-{service}"]

    assert may(lists, "topics", "Read") == {topic.name for topic in READS[service]}
    assert may(lists, "groups", "Read") == {group_of(service, topic) for topic in READS[service]}


def test_a_service_writes_what_it_states_and_what_it_parks(principals: dict[str, Lists], service: str) -> None:
    stated = {CASE_EVENTS.name} if any(event.stated_by == service for event in EVENTS.values()) else set()
    sent = {topic.name for topic in SENDS.get(service, {})}
    parked = {topic.dead_letters for topic in READS[service]}

    assert may(principals[f"motcua-{service}"], "topics", "Write") == stated | sent | parked


def test_a_service_sees_the_lag_of_those_who_hold_back_its_bulk_lane(
    principals: dict[str, Lists], service: str, app: FastAPI
) -> None:
    watched = {group.removeprefix(PREFIX) for group in app.state.runtime.downstream._groups}

    assert may(principals[f"motcua-{service}"], "groups", "Describe") == watched


def test_every_list_names_topics_and_operations_that_exist(principals: dict[str, Lists]) -> None:
    operations = {"Read", "Write", "Create", "Describe", "DescribeConfigs", "AlterConfigs"}
    topics = {topic.name for topic in TOPICS} | {"*"}

    for lists in principals.values():
        assert set(lists) <= {"topics", "groups"}
        assert set(lists["topics"]) <= topics
        assert {each for kind in lists.values() for given in kind.values() for each in given} <= operations
