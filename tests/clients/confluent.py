"""Confluent's own Python client against a registry that serves: registers, encodes, decodes, is refused, for the three formats.

Usage: confluent.py URL. Ends with 0 when everything held, else with the assertion that did not.
"""

import json
import sys

from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2

URL = sys.argv[1]


def client():
    """A client that remembers nothing of the others."""
    return SchemaRegistryClient({"url": URL})


def value_of(topic):
    return SerializationContext(topic, MessageField.VALUE)


def refused(act):
    """The registry's answer to what it must refuse."""
    try:
        act()
    except SchemaRegistryError as error:
        return error.http_status_code, error.error_code
    raise AssertionError("it was not refused")


def avro():
    fields = [{"name": "id", "type": "string"}, {"name": "total", "type": "double"}]
    order = {"type": "record", "name": "Order", "namespace": "shop", "fields": fields}
    text = json.dumps(order)
    written = AvroSerializer(client(), text)({"id": "a", "total": 1.5}, value_of("orders"))
    assert written[0] == 0, written
    assert AvroDeserializer(client())(written, value_of("orders")) == {"id": "a", "total": 1.5}
    required = json.dumps({**order, "fields": fields + [{"name": "x", "type": "int"}]})
    assert refused(lambda: client().register_schema("orders-value", Schema(required, "AVRO"))) == (409, 40901)
    assert client().test_compatibility("orders-value", Schema(required, "AVRO")) is False
    wider = json.dumps({**order, "fields": fields + [{"name": "x", "type": "int", "default": 0}]})
    assert client().test_compatibility("orders-value", Schema(wider, "AVRO")) is True
    client().register_schema("orders-value", Schema(wider, "AVRO"))
    assert client().get_versions("orders-value") == [1, 2]
    # What the first version wrote is read with the second.
    assert AvroDeserializer(client(), wider)(written, value_of("orders")) == {"id": "a", "total": 1.5, "x": 0}


def json_schema():
    text = json.dumps({
        "$schema": "http://json-schema.org/draft-07/schema#", "title": "Pay", "type": "object",
        "properties": {"id": {"type": "string"}, "n": {"type": "integer"}}, "required": ["id"],
    })
    write = JSONSerializer(text, client())
    written = write({"id": "q", "n": 3}, value_of("pays"))
    assert JSONDeserializer(text, schema_registry_client=client())(written, value_of("pays")) == {"id": "q", "n": 3}
    try:
        write({"n": 3}, value_of("pays"))
    except Exception as error:
        assert "id" in str(error), error
    else:
        raise AssertionError("a value without its id was written")
    other = text.replace('"integer"', '"string"')
    assert refused(lambda: client().register_schema("pays-value", Schema(other, "JSON"))) == (409, 40901)


def order_class(kind):
    """Order { string id = 1; <kind> total = 2; google.protobuf.Timestamp placed_at = 3; } without a compiler."""
    file = descriptor_pb2.FileDescriptorProto(name="order.proto", package="shop", syntax="proto3")
    file.dependency.append("google/protobuf/timestamp.proto")
    message = file.message_type.add(name="Order")
    message.field.add(name="id", number=1, type=9, label=1, json_name="id")
    message.field.add(name="total", number=2, type=kind, label=1, json_name="total")
    message.field.add(name="placed_at", number=3, type=11, label=1, json_name="placedAt", type_name=".google.protobuf.Timestamp")
    stamps = descriptor_pb2.FileDescriptorProto()
    timestamp_pb2.DESCRIPTOR.CopyToProto(stamps)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(stamps)
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("shop.Order"))


def protobuf():
    settings = {"use.deprecated.format": False}
    order = order_class(descriptor_pb2.FieldDescriptorProto.TYPE_DOUBLE)
    written = ProtobufSerializer(order, client(), settings)(order(id="a", total=2.5, placed_at={"seconds": 5}), value_of("packed"))
    assert written[5:6] == b"\0", "the first message is the single byte 0"
    # This one asks for the compiled file: format=serialized.
    read = ProtobufDeserializer(order, settings, client())(written, value_of("packed"))
    assert (read.id, read.total, read.placed_at.seconds) == ("a", 2.5, 5), read
    text = client().get_latest_version("packed-value").schema.schema_str
    assert "message Order" in text, text
    other = order_class(descriptor_pb2.FieldDescriptorProto.TYPE_STRING)
    assert refused(lambda: ProtobufSerializer(other, client(), settings)(other(id="a", total="x"), value_of("packed"))) == (409, 40901)


def settings():
    registry = client()
    registry.set_compatibility("orders-value", "FULL")
    assert registry.get_compatibility("orders-value") == "FULL"
    assert refused(lambda: registry.get_latest_version("nowhere")) == (404, 40401)
    assert registry.delete_subject("pays-value") == [1]
    assert "pays-value" not in registry.get_subjects()


for step in (avro, json_schema, protobuf, settings):
    step()
    print(f"{step.__name__}: held")
