"""`python -m tests.contract.publish`: publish new golden samples, and write the JSON Schemas anew.

The list of published samples only grows: when one of them changed or vanished, nothing is written and the status is 1.
"""

from __future__ import annotations

import sys
from pathlib import Path

from deploy.cli.contracts import schemas, write_documents
from tests.contract.golden import MANIFEST, SAMPLES, broken_promises, digest, names, published

SCHEMAS = Path(__file__).parents[2] / "shared" / "contracts" / "schemas"


def main() -> int:
    """Append what is new; give the exit status."""
    if broken := broken_promises():
        print(*broken, "a published sample stays as it is: add a new version beside it", sep="\n", file=sys.stderr)
        return 1
    known = published()
    new = [name for name in names() if name not in known]
    with MANIFEST.open("a", encoding="utf-8") as manifest:
        manifest.writelines(f"{digest(SAMPLES / name)}  {name}\n" for name in new)
    current = schemas()
    for path in SCHEMAS.glob("*.json"):
        if path.stem not in current:
            path.unlink()
    print(f"{len(new)} samples published, {write_documents(SCHEMAS, current)} schemas written", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
