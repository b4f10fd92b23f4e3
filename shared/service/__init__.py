"""The kit every service is built from: one shape, one way to start, to be healthy and to stop."""

from shared.service.app import create_service_app
from shared.service.jobs import Job
from shared.service.runtime import Runtime
from shared.service.server import run

__all__ = ["Job", "Runtime", "create_service_app", "run"]
