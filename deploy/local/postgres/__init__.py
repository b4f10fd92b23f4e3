"""PostgreSQL of the local stack: server binaries of this machine, or the address of another server."""

from deploy.local.postgres.given import GivenPostgres
from deploy.local.postgres.server import LocalPostgres

__all__ = ["GivenPostgres", "LocalPostgres"]
