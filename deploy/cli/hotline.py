"""`motcua hotline new | check | send | secret | log | replay`: a call centre plugged in by one mapping file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from deploy.cli.asking import Stack
from deploy.cli.output import DONE, REFUSED, AsJson, refuse, say, show, wrong_usage
from deploy.local.environment import running_environment, service_url
from deploy.local.errors import StackError
from deploy.local.hotline import LIVE, Folders, new_secret
from deploy.local.settings import load_settings
from deploy.local.state import StateFolder
from shared.contracts.hotline import EventOutcome

if TYPE_CHECKING:
    from shared.hotline.mapping import Mapping

SUBJECT: Final = "motcua-hotline"
_SOURCE: Final = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?")
_MOST: Final = 500

Source = Annotated[str, typer.Argument(metavar="SOURCE", help="The source, as its mapping names it.")]
Sample = Annotated[Path, typer.Option("--from", metavar="SAMPLE", exists=True, dir_okay=False, help="A payload of the vendor.")]


def register(app: typer.Typer) -> None:
    """Add the group `hotline`."""
    group = typer.Typer(help="Call centres: mapping files, signed events, what became of them.", no_args_is_help=True)
    for name, command in (
        ("new", new), ("check", check), ("send", send), ("secret", secret), ("log", log), ("replay", replay),
    ):  # fmt: skip
        group.command(name)(command)
    app.add_typer(group, name="hotline")


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name for the source: small letters, digits, hyphens.")],
    sample: Sample,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="A file that is not there yet; else it is printed.")] = None,
) -> int:
    """Draft a mapping from a payload: guesses, and `# TODO` where you must say what the vendor means."""
    from shared.hotline.drafting import draft

    if not _SOURCE.fullmatch(name):
        wrong_usage(f"NAME accepts small letters, digits, dots, hyphens and underscores, not {name!r}")
    try:
        text = draft(name, sample.read_bytes())
        if out is None:
            print(text, end="")
        else:
            with out.open("x", encoding="utf-8") as file:
                file.write(text)
            say(f"{out}: write what its TODO lines ask for, then `motcua hotline check {out} {sample}`")
    except FileExistsError:
        refuse(f"{out} is there already, and a draft must not take its place")
    except OSError as error:
        refuse(f"{out or sample}: {error.strerror}")
    except ValueError as error:
        refuse(f"{sample}: {error}")
    return DONE


def check(
    mapping: Annotated[
        str, typer.Argument(metavar="MAPPING", help="A mapping file, or the name of a source that is known here.")
    ],
    samples: Annotated[
        list[Path] | None, typer.Argument(metavar="[SAMPLE]...", exists=True, dir_okay=False, help="Payloads of the vendor.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> int:
    """Show what each sample becomes, and what is wrong: file, line, rule. Nothing is sent."""
    from deploy.hotline.checking import check_mapping
    from deploy.hotline.words import checked_words

    file = Path(mapping) if Path(mapping).suffix or "/" in mapping else _folders().mapping_file(mapping)
    if file is None or not file.is_file():
        refuse(f"{mapping} is neither a mapping file nor a source that is known here")
    told = check_mapping(file, samples or [])
    show(told, as_json=as_json, human=checked_words)
    return DONE if told["ok"] else REFUSED


def send(
    source: Source,
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="JSON, an array, or NDJSON.")],
    url: Annotated[str | None, typer.Option(help="Intake's address; the local stack's by default.")] = None,
    mapping: Annotated[Path | None, typer.Option(help="The mapping that says how to sign; else the one in force here.")] = None,
    secret_file: Annotated[Path | None, typer.Option(help="File with the secret; the local stack's by default.")] = None,
    *,
    signed: Annotated[bool, typer.Option("--sign", help="Sign as the vendor would.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Ask what would happen; nothing is stored.")] = False,
    as_json: AsJson = False,
) -> int:
    """Play the vendor: post payloads to the webhook and show what intake answers to each."""
    from deploy.hotline.payloads import read_payloads
    from deploy.hotline.sending import Vendor, all_taken, outcomes
    from deploy.hotline.words import sent_words

    known = _mapping_of(source, mapping)
    payloads = read_payloads(file, whole=known.events is not None)
    place = f"{_base(url)}/v1/hotline/{source}"
    answers = Vendor(place, known.authentication, _secret_of(source, secret_file) if signed else None, dry_run).send(payloads)
    told = {"source": source, "url": place, "dry_run": dry_run, "sent": len(answers)}
    show(told | {"outcomes": outcomes(answers), "answers": answers}, as_json=as_json, human=sent_words)
    return DONE if all_taken(answers) else REFUSED


def secret(
    source: Source,
    *,
    rotate: Annotated[bool, typer.Option("--rotate", help="Put a new one before the old one; both count.")] = False,
    retire: Annotated[bool, typer.Option("--retire", help="Let the older one count no more.")] = False,
    as_json: AsJson = False,
) -> int:
    """Show the secret that a source signs with, made if there is none. Give it to the vendor by a safe way."""
    if rotate and retire:
        wrong_usage("--rotate and --retire are two steps: the vendor changes over between them")
    authentication, folders = _mapping_of(source, None).authentication, _folders()
    live = folders.secrets_of(source)
    if rotate or not live:
        live = [new_secret(authentication), *live][:LIVE]
        folders.write_secrets(source, live)
    elif retire:
        live = live[:1]
        folders.write_secrets(source, live)
    told = {"source": source, "scheme": authentication.scheme, "file": str(folders.secrets / source), "secrets": live}
    show(told, as_json=as_json, human=lambda _: "\n".join(live))
    say(f"{source} signs by {authentication.scheme}; {told['file']} holds {len(live)}, the current one first")
    return DONE


def log(
    source: Source,
    limit: Annotated[int, typer.Option(min=1, max=_MOST, help="How many events, the latest first.")] = 50,
    outcome: Annotated[EventOutcome | None, typer.Option(help="Only events with this outcome.")] = None,
    *,
    as_json: AsJson = False,
) -> int:
    """Show what became of a source's events: outcome, field, rule; nothing personal."""
    from deploy.hotline.words import log_words

    told = _ask(f"/v1/hotline/{source}/log", source, params={"limit": limit, "outcome": outcome})
    show(told, as_json=as_json, human=log_words)
    return DONE


def replay(source: Source, *, as_json: AsJson = False) -> int:
    """Try the payloads that were refused in the last 24 hours again, under the mapping of today."""
    from deploy.hotline.words import replayed_words

    results: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        page = _ask(f"/v1/hotline/{source}/replay", source, body={}, params={"cursor": cursor})
        results += page["results"]
        cursor = page["next"]
        if cursor is None:
            break
    show({"source": source, "results": results}, as_json=as_json, human=replayed_words)
    return REFUSED if any(each["outcome"] == "refused" for each in results) else DONE


def _ask(path: str, source: str, **content: Any) -> dict[str, Any]:
    answer = Stack(SUBJECT).ask("intake", path, **content)
    if answer is None:
        refuse(f"intake knows no source {source}: its mapping must be in {_folders().mappings}, its secret beside it")
    return answer


def _folders() -> Folders:
    """The folders that the stack's services read; before its first start those that they would."""
    settings = load_settings()
    try:
        environment = running_environment(settings)
    except StackError:
        environment = {}
    return Folders.of(StateFolder(settings.state_dir), environment)


def _mapping_of(source: str, file: Path | None) -> Mapping:
    from shared.hotline.reading import MappingError, read_mapping

    place = file or (_folders().mapping_file(source) if _SOURCE.fullmatch(source) else None)
    if place is None:
        refuse(f"no mapping of {source} is known here: put {source}.yaml into {_folders().mappings}, or name a file (--mapping)")
    try:
        return read_mapping(place.read_text(encoding="utf-8"), place.name)
    except (MappingError, UnicodeDecodeError):
        refuse(f"{place} has faults: `motcua hotline check {place}` names them")
    except OSError as error:
        refuse(f"{place}: {error.strerror}")


def _secret_of(source: str, file: Path | None) -> str:
    if file is None:
        live = _folders().secrets_of(source)
    else:
        try:
            live = file.read_text(encoding="utf-8").split()
        except (OSError, UnicodeDecodeError) as error:
            refuse(f"{file} cannot be read ({type(error).__name__})")
    if not live:
        refuse(f"{source} has no secret here: `motcua hotline secret {source}` makes one")
    return live[0]


def _base(url: str | None) -> str:
    return url.rstrip("/") if url else service_url("intake", running_environment())
