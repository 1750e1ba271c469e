"""AsyncAPI 3: a channel per topic, a message per event type, an operation per reader or writer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from schemas.envelope import Data, event_types
from schemas.generate.json_schema import envelope_schema
from schemas.partner import partner_types
from schemas.rejects import REJECT_HEADERS, REJECTED_TYPE
from schemas.topics import Topic, TopicSpec, spec

Node = dict[str, Any]

HEADER = "# Written by `python -m schemas.generate`; not by hand.\n"
SCHEMA_FORMAT = "application/schema+json;version=draft-2020-12"
REJECTED = "RejectedRecord"


def asyncapi() -> str:
    """YAML text of the document."""
    specs = [spec(topic) for topic in Topic]
    messages = {model.__name__: _message(model) for model in (*event_types().values(), *partner_types().values())}
    document = {
        "asyncapi": "3.0.0",
        "info": {
            "title": "IPVI",
            "version": "1.0.0",
            "description": "Topics and events of Intimate Partner Violence Intervention. CloudEvents 1.0 in Kafka's "
            "binary mode: attributes as `ce_` headers, `data` as the JSON value.",
        },
        "defaultContentType": "application/json",
        "channels": {each.topic.short_name: _channel(each) for each in specs} | {"partner": _partner_channel()},
        "operations": {name: operation for each in specs for name, operation in _operations(each)}
        | {
            f"{who}.{action}.partner": {
                "action": action,
                "channel": {"$ref": "#/channels/partner"},
                "tags": [{"name": who}],
            }
            for who, action in (("partners", "send"), ("partner", "receive"))
        },
        "components": {
            "messages": messages | {REJECTED: _rejected()},
            "messageTraits": {"cloudevent": {"headers": _attributes()}},
        },
    }
    return HEADER + yaml.safe_dump(document, sort_keys=False, width=110, allow_unicode=True)


def _channel(each: TopicSpec) -> Node:
    names = [event_types()[event_type].__name__ for event_type in each.types] or [REJECTED]
    return {
        "address": str(each.topic),
        "description": each.description,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "tags": [{"name": str(each.topic.classification)}],
        "bindings": {
            "kafka": {"topic": str(each.topic), "topicConfiguration": _kafka(each), "bindingVersion": "0.5.0"}
        },
    }


def _partner_channel() -> Node:
    """Each partner's own topic; its name has the partner's id."""
    return {
        "address": "ipvi.partner.{partner}.v1",
        "description": "One partner's redacted copies, under its own ids: of each type the fields its file names.",
        "parameters": {"partner": {"description": "Id of the partner, the name of its file."}},
        "messages": {
            model.__name__: {"$ref": f"#/components/messages/{model.__name__}"} for model in partner_types().values()
        },
        "tags": [{"name": "shared"}],
    }


def _kafka(each: TopicSpec) -> Node:
    """Those settings that the binding knows, in its types."""
    settings = each.configs
    numbers = ("retention.ms", "delete.retention.ms", "max.message.bytes")
    return {"cleanup.policy": [each.cleanup_policy]} | {
        name: int(settings[name]) for name in numbers if name in settings
    }


def _operations(each: TopicSpec) -> Iterator[tuple[str, Node]]:
    channel = each.topic.short_name
    for action, services in (("send", each.producers), ("receive", each.consumers)):
        for service in services:
            yield (
                f"{service}.{action}.{channel}",
                {
                    "action": action,
                    "channel": {"$ref": f"#/channels/{channel}"},
                    "tags": [{"name": service}],
                },
            )


def _message(model: type[Data]) -> Node:
    return {
        "name": model.TYPE,
        "title": model.__name__,
        "summary": " ".join((model.__doc__ or "").split()),
        "contentType": "application/json",
        "traits": [{"$ref": "#/components/messageTraits/cloudevent"}],
        "payload": {"schemaFormat": SCHEMA_FORMAT, "schema": {"$ref": f"./json/{model.TYPE}.schema.json"}},
    }


def _attributes() -> Node:
    """The envelope as Kafka headers."""
    envelope = envelope_schema()
    attributes = {name: schema for name, schema in envelope["properties"].items() if name != "data"}
    content_type = attributes.pop("datacontenttype")
    return {
        "type": "object",
        "properties": {f"ce_{name}": schema for name, schema in attributes.items()} | {"content-type": content_type},
        "required": [f"ce_{name}" for name in envelope["required"] if name != "data"],
    }


def _rejected() -> Node:
    return {
        "name": REJECTED_TYPE,
        "title": REJECTED,
        "summary": "The original bytes of a refused record; why it was refused is in the headers, never its values.",
        "contentType": "application/octet-stream",
        "payload": {"description": "The refused record's value, byte for byte."},
        "headers": {
            "type": "object",
            "properties": {name: {"type": "string", "description": what} for name, what in REJECT_HEADERS.items()},
        },
    }
