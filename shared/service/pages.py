"""The AsyncAPI document as a page for people, without assets from elsewhere."""

from __future__ import annotations

import json
from html import escape
from typing import Any

STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24}"
    "h2{margin-top:2.5rem;border-bottom:1px solid #d0d7de}code{background:#f2f4f6;padding:.1em .3em}"
    "pre{background:#f2f4f6;padding:1rem;overflow:auto}summary{cursor:pointer;padding:.2rem 0}"
)


def asyncapi_page(document: dict[str, Any]) -> str:
    """Operations, messages and schemas as one HTML page."""
    info = document["info"]
    operations = "".join(_operation(document, name, each) for name, each in document["operations"].items())
    headers = _schema("Envelope (headers)", document["components"]["schemas"]["Envelope"])
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(info["title"])}</title>'
        f"<style>{STYLE}</style></head>"
        f"<body><h1>{escape(info['title'])} {escape(info['version'])}</h1><p>{escape(info['description'])}</p>"
        f'<p>AsyncAPI {document["asyncapi"]}: <a href="asyncapi.json">asyncapi.json</a></p>{headers}{operations}</body></html>'
    )


def _operation(document: dict[str, Any], name: str, operation: dict[str, Any]) -> str:
    channel = document["channels"][operation["channel"]["$ref"].rpartition("/")[2]]
    rows = "".join(_message(document, each["$ref"].rpartition("/")[2]) for each in operation["messages"])
    return f"<h2>{escape(name)}</h2><p><code>{escape(channel['address'])}</code> {escape(channel['description'])}</p>{rows}"


def _message(document: dict[str, Any], kind: str) -> str:
    message = document["components"]["messages"][kind]
    reference = message["payload"].get("$ref", "")
    schema = document["components"]["schemas"].get(reference.rpartition("/")[2], message["payload"])
    return _schema(f"{kind}: {message['summary']}", schema)


def _schema(title: str, schema: dict[str, Any]) -> str:
    text = escape(json.dumps(schema, ensure_ascii=False, indent=2))
    return f"<details><summary>{escape(title)}</summary><pre>{text}</pre></details>"
