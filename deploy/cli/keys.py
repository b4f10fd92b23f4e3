"""`motcua keys rotate | status | retire`: the master keys of what is private, in the file that the services read."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import typer
from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaError

from deploy.cli.asking import SilentError, Stack
from deploy.cli.output import DONE, REFUSED, AsJson, refuse, say, show, table
from deploy.errors import CommandError
from deploy.history.reading import read_topics
from deploy.local.environment import kafka_settings, running_environment
from deploy.local.errors import StackError
from deploy.local.keys import PRIVATE_KEY, add_master_key, drop_master_keys
from deploy.local.settings import load_settings
from deploy.local.state import StateFolder
from shared.contracts.topics import CASE_PRIVATE
from shared.security.key_file import CipherError, key_id, read_key_file
from shared.security.key_ring import id_of

SERVICES: Final = ("intake", "processing", "notification")
"""Who holds the keys."""
TOPIC: Final = CASE_PRIVATE.name
SETTING: Final = "MOTCUA_PRIVATE_KEY_FILE"
UNBOUND: Final = "version 1"
TAKEN_UP_SECONDS: Final = 15.0
LOOK_SECONDS: Final = 1.0

T = TypeVar("T")
Counts = dict[str, dict[str, int]]
"""By service, and for the topic: sealed values by the id of their master key."""


def register(app: typer.Typer) -> None:
    """Add the group `keys`."""
    group = typer.Typer(help="The master keys of what is private.", no_args_is_help=True)
    group.command("rotate")(rotate)
    group.command("status")(status)
    group.command("retire")(retire)
    app.add_typer(group, name="keys")


def rotate(
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait until nothing in a database is on an older key.")] = 0,
    *,
    as_json: AsJson = False,
) -> int:
    """Make a new master key; intake then wraps every data key anew, and publishes anew what is on the topic."""
    state, file = StateFolder(load_settings().state_dir), key_file()
    with state.lock("keys", wait=True):
        new = _or_refuse(file, lambda: add_master_key(file).hex())
    services = _taken_up(new)
    left = _left_in_databases(new, wait) if wait and all(services.values()) else None
    content = {"key": new, "file": str(file), "keys": keys_in(file), "used by": services, "values on older keys": left}
    show(content, as_json=as_json, human=_rotated)
    return DONE if left in (None, 0) else REFUSED


def status(*, as_json: AsJson = False) -> int:
    """Show the keys, and how many values hang on each: in the services' databases, and on the topic, compacted or not yet."""
    keys = keys_in(key_file())
    counts = count_all(Stack("motcua-keys"))
    show({"keys": keys, "values": counts}, as_json=as_json, human=_status_text)
    return DONE


def retire(
    keys: Annotated[list[str] | None, typer.Argument(help="Ids of the keys; without any, all but the current one.")] = None,
    *,
    as_json: AsJson = False,
) -> int:
    """Drop older master keys when nothing hangs on them any more; exit status 1 and why, otherwise. It cannot be undone.

    Every service must hold exactly the file's keys. One replica of each is asked: others have the seconds that are waited out
    after a change of the file, and one that cannot read it is to be found by hand, by its `GET /v1/keys`.
    """
    state, file = StateFolder(load_settings().state_dir), key_file()
    with state.lock("keys", wait=True):
        current, *older = keys_in(file)
        wanted = keys or older
        if unknown := [each for each in wanted if each not in older]:
            refuse(f"not an older key of {file}: {', '.join(unknown)} (the current one is {current})")
        reasons = _reasons_against(file, wanted, [current, *older]) if wanted else []
        if not reasons and wanted:
            _or_refuse(file, lambda: drop_master_keys(file, wanted))
    content = {"retired": [] if reasons else wanted, "keys": keys_in(file), "hindered by": reasons}
    show(content, as_json=as_json, human=_retired)
    return REFUSED if reasons else DONE


def _reasons_against(file: Path, wanted: list[str], keys: list[str]) -> list[str]:
    _settle(file)
    stack = Stack("motcua-keys")
    return strangers(held_by(stack), keys) + hindrances(wanted, count_all(stack))


def key_file() -> Path:
    """The file that the stack's services read."""
    try:
        given = running_environment().get(SETTING)
    except StackError:
        given = os.environ.get(SETTING)
    return Path(given) if given else StateFolder(load_settings().state_dir).keys / PRIVATE_KEY


def keys_in(file: Path) -> list[str]:
    """The ids of a file's keys, the current one first."""
    return _or_refuse(file, lambda: [key_id(key).hex() for key in read_key_file(file).keys])


def held_by(stack: Stack) -> dict[str, list[str]]:
    """The keys that each service holds, the one first that it seals with."""
    return {service: _page(stack, service, "")["keys"] for service in SERVICES}


def strangers(held: dict[str, list[str]], keys: list[str]) -> list[str]:
    """Which services do not hold exactly these keys in this order: they may still seal under an older one."""
    return [f"{service}: holds {', '.join(theirs)}, not the file's keys" for service, theirs in held.items() if theirs != keys]


def hindrances(wanted: list[str], counts: Counts) -> list[str]:
    """Why keys cannot go: each place that has values on them, or values of version 1, which may be on any."""
    return [
        f"{place}: {number:,} on {key}"
        for place, values in counts.items()
        for key, number in values.items()
        if number and key in {*wanted, UNBOUND, ""}
    ]


def count_all(stack: Stack) -> Counts:
    """Every sealed value there is, by place and key.

    Raises:
        CommandError: A service or Kafka does not answer: then nobody knows.
    """
    counts = {service: _count(stack, service) for service in SERVICES}
    settings = kafka_settings()
    on_topic: Counter[str] = Counter()

    def take(record: ConsumerRecord) -> None:
        if record.value is not None:
            on_topic[id_of(record.value)] += 1

    try:
        asyncio.run(read_topics(settings, [CASE_PRIVATE], take))
    except KafkaError as error:
        refuse(f"Kafka at {settings.kafka_bootstrap} does not answer ({type(error).__name__})")
    return {**counts, TOPIC: dict(on_topic)}


def _count(stack: Stack, service: str) -> dict[str, int]:
    counted: Counter[str] = Counter()
    cursor: str | None = ""
    while cursor is not None:
        page = _page(stack, service, cursor)
        counted.update(page["values"])
        cursor = page["next"]
    return dict(counted)


def _page(stack: Stack, service: str, cursor: str) -> dict[str, Any]:
    page = stack.ask(service, "/v1/keys", params={"cursor": cursor})
    if page is None:
        raise CommandError(f"the {service} service does not say what hangs on its keys: is it of this version?")
    return page


def _settle(file: Path) -> None:
    """Wait until the file is so old that every replica has read it, and what was sealed meanwhile is committed."""
    age = time.time() - _or_refuse(file, file.stat).st_mtime
    if 0 <= age < TAKEN_UP_SECONDS:
        say(f"the key file is new: waiting {TAKEN_UP_SECONDS - age:.0f} s until every replica has read it")
        time.sleep(TAKEN_UP_SECONDS - age)


def _taken_up(new: str) -> dict[str, bool]:
    """Whether each service uses the new key; one that does not run reads the file when it starts."""
    try:
        stack = Stack("motcua-keys")
    except StackError:
        return {}
    deadline, used = time.monotonic() + TAKEN_UP_SECONDS, dict.fromkeys(SERVICES, False)
    while not all(used.values()) and time.monotonic() < deadline:
        for service in SERVICES:
            try:
                page = stack.ask(service, "/v1/keys")
            except SilentError:
                return used
            used[service] = page is not None and page["keys"][0] == new
        time.sleep(0 if all(used.values()) else LOOK_SECONDS)
    return used


def _left_in_databases(current: str, seconds: float) -> int:
    """Values that are not on the current key after so many seconds at most."""
    stack, deadline = Stack("motcua-keys"), time.monotonic() + seconds
    while True:
        counts = [_count(stack, service) for service in SERVICES]
        left = sum(number for values in counts for key, number in values.items() if key != current)
        if not left or time.monotonic() > deadline:
            return left
        say(f"{left:,} values are on older keys")
        time.sleep(LOOK_SECONDS)


def _or_refuse(file: Path, step: Callable[[], T]) -> T:
    try:
        return step()
    except (OSError, CipherError) as error:
        refuse(f"{file} is no key file that can be used ({type(error).__name__}): `motcua up` makes one")


def _rotated(content: dict[str, Any]) -> str:
    waiting = [name for name, used in content["used by"].items() if not used]
    lines = [f"{content['key']} is the current master key now, the first line of {content['file']}"]
    if not content["used by"] or waiting:
        lines.append(
            f"not used yet by {', '.join(waiting) or 'the services'}: they read the file within seconds, or at their start"
        )
    left = content["values on older keys"]
    lines.append(
        "intake wraps the data keys anew in the background: `motcua keys status` shows what is left, `motcua keys retire` ends it"
        if left is None
        else f"{left:,} values in databases are on older keys"
    )
    return "\n".join(lines)


def _status_text(content: dict[str, Any]) -> str:
    keys, counts = content["keys"], content["values"]
    others = sorted({key for values in counts.values() for key in values} - set(keys))
    rows = [["key", *counts, ""]]
    for key in [*keys, *others]:
        remark = "current" if key == keys[0] else "older" if key in keys else "any key" if key == UNBOUND else "not in the file"
        rows.append([key, *(f"{values.get(key, 0):,}" for values in counts.values()), remark])
    return table(rows)


def _retired(content: dict[str, Any]) -> str:
    if content["hindered by"]:
        head = "nothing was retired; values still hang on older keys (on the topic, until compaction has been there):"
        return "\n".join([head, *(f"  {each}" for each in content["hindered by"])])
    return f"retired: {', '.join(content['retired']) or 'nothing, there is one key'}"
