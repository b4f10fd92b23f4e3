"""The whole 311 hotline through the file door, by source."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.installation import installed
from tests.support.la311 import GOLDEN, check_sources
from tests.support.logs import Commands
from tests.support.servers import Servers


async def test_every_source_of_the_311_hotline_has_the_figures_of_an_independent_script(
    servers: Servers, reference_data: Path, tmp_path: Path
) -> None:
    async with installed(servers, tmp_path / "city") as city:
        motcua = Commands.of(city, tmp_path / "state")
        found = await check_sources(city, motcua, reference_data / "la311_2018.csv.gz", tmp_path, "la311")
    assert found == json.loads(GOLDEN.read_text(encoding="utf-8"))
