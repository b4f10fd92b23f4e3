"""`python -m services.notification` starts one replica."""

from services.notification.main import SERVICE, create_app
from services.notification.settings import NotificationSettings
from shared.service import run

run(SERVICE, NotificationSettings, create_app)
