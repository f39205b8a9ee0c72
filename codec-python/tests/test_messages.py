"""Payloads and definitions."""

import json
import pickle
from decimal import Decimal
from typing import Any

import gizwits_codec
import numpy
import pytest
from conftest import FIXTURES, product_named, vectors
from gizwits_codec import CodecError, DefinitionError, M2mFrame, Product

FRAME = "000000030b0000910401000010000000"


def json_value(value: Any) -> Any:
    """Return a value as the JSON of the codec writes it."""
    if isinstance(value, bytes):
        return value.hex()
    return int(value) if isinstance(value, bool) else value


def test_the_frame_of_the_vendors_page(product: Product) -> None:
    message = product.decode(FRAME)
    assert message.action == "report"
    assert message.values == {
        "switch": True,
        "fan_swing": False,
        "mode": "制冷",
        "fan_speed": "低风",
        "on_timing": 0,
        "off_timing": 0,
        "set_temp": 16,
        "room_temp": -10,
        "alert_shutdown": False,
        "alert_full": False,
        "fault_roomtemp": False,
    }
    assert message.flagged == {} and message.body is None and message.remarks == []
    assert isinstance(message.frame, M2mFrame)
    assert message.frame.command == M2mFrame.FROM_DEVICE


@pytest.mark.parametrize("file", ["standard", "var_len", "m2m", "lax"])
def test_vectors_decode(file: str) -> None:
    products: dict[str, Product] = {}
    for vector in vectors(file):
        name = vector["definition"]
        product = products.setdefault(name, product_named(name))
        message = product.decode(vector["payload"], lax=file == "lax")
        expected = vector["expect"]
        assert json.loads(message.to_json()) == expected, vector["id"]
        values = {name: json_value(value) for name, value in message.values.items()}
        assert values == expected.get("attrs", {}), vector["id"]
        assert message.flagged == expected.get("flagged", {}), vector["id"]
        assert message.wanted == expected.get("wanted", []), vector["id"]


@pytest.mark.parametrize("file", ["standard", "var_len", "m2m"])
def test_vectors_encode(file: str) -> None:
    encoded = 0
    for vector in vectors(file):
        product, expected = product_named(vector["definition"]), vector["expect"]
        if not vector.get("canonical") or expected.get("action") is None:
            continue
        message = product.decode(vector["payload"])
        match message.action:
            case "control":
                payload = product.encode_control(message.values)
            case "report":
                payload = product.encode_report(message.values)
            case "reply":
                payload = product.encode_reply(message.values)
            case "read":
                payload = product.encode_read(message.wanted)
            case _:
                continue
        if isinstance(frame := message.frame, M2mFrame):
            payload = M2mFrame(frame.command, payload, sn=frame.sn, did=frame.did).pack()
        assert payload.hex() == vector["payload"], vector["id"]
        encoded += 1
    assert encoded > 5


def test_forms_of_a_payload(product: Product) -> None:
    values = product.decode(FRAME).values
    frame = bytes.fromhex(FRAME)
    array = numpy.frombuffer(frame, numpy.uint8)
    forms: list[Any] = [frame, bytearray(frame), memoryview(frame), array, "AAAAAwsAAJEEAQAAEAAAAA=="]
    for payload in forms:
        assert product.decode(payload).values == values
    with pytest.raises(TypeError, match="expected bytes, or str with hex or base64, not int"):
        product.decode(7)  # type: ignore[arg-type]


def test_numbers() -> None:
    product = product_named("ph-monitor")
    payload = "000000030d000091040002dc097700000000"
    ph = product.decode(payload).values["pH"]
    assert (type(ph), ph) == (float, 7.32)
    exact = product.decode(payload, decimal=True).values
    assert (type(exact["pH"]), exact["pH"]) == (Decimal, Decimal("7.32"))
    # A number without decimal places is an int in both cases.
    assert type(exact["mV"]) is int


def test_values_to_encode(product: Product) -> None:
    expected = product.encode_control({"switch": True, "set_temp": 24}).hex()
    assert expected == "014101000018"
    for on in (True, 1, numpy.True_):
        for temperature in (24, 24.0, Decimal("24.0"), numpy.int32(24), numpy.float32(24)):
            values = {"switch": on, "set_temp": temperature}
            assert product.encode_control(values).hex() == expected
    assert product.encode_control({"mode": "除湿"}) == product.encode_control({"mode": 2})
    assert product.encode_control({"set_temp": 20.6}, round=True)[-1] == 21
    ph = product_named("dosing-pump")
    binary = next(point.name for point in ph.points if point.data_type == "binary")
    assert ph.encode_control({binary: b"\1\2"}) == ph.encode_control({binary: "0102"})
    with pytest.raises(TypeError, match="as the value of a point, not list"):
        product.encode_control({"switch": []})  # type: ignore[dict-item]
    with pytest.raises(TypeError, match="expected a dict of values"):
        product.encode_control("switch")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "kind", "point"),
    [
        ({"set_temp": 31}, "above_max", "set_temp"),
        ({"set_temp": 20.5}, "off_step", "set_temp"),
        ({"set_temp": float("nan")}, "wrong_kind", "set_temp"),
        ({"set_temp": 10**40}, "wrong_kind", "set_temp"),
        ({"set_temp": "24"}, "wrong_kind", "set_temp"),
        ({"mode": "hot"}, "unknown_label", "mode"),
        ({"room_temp": 20}, "not_writable", "room_temp"),
        ({"set_tmp": 20}, "unknown_point", None),
        ({}, "nothing_set", None),
    ],
)
def test_refused_values(product: Product, values: Any, kind: str, point: str | None) -> None:
    with pytest.raises(CodecError) as caught:
        product.encode_control(values)
    error = caught.value
    assert (error.kind, error.point) == (kind, point)
    assert str(error) == error.message


def test_errors_have_positions(product: Product) -> None:
    with pytest.raises(CodecError) as caught:
        product.decode(FRAME[:-2].replace("030b", "030a"))
    assert (caught.value.kind, caught.value.byte) == ("incomplete", 15)
    assert isinstance(caught.value, ValueError)
    with pytest.raises(CodecError) as caught:
        product.encode_control({"set_temp": 31})
    copy = pickle.loads(pickle.dumps(caught.value))
    assert vars(copy) == vars(caught.value) and copy.byte == 3


def test_definitions() -> None:
    path = FIXTURES / "air-conditioner.json"
    text = path.read_text()
    for definition in (text, text.encode(), json.loads(text)):
        product = Product(definition)
        assert (product.name, product.protocol) == ("air conditioner", "standard")
    assert Product.open(str(path)).product_key == product.product_key
    assert [point.name for point in product.points][:2] == ["switch", "fan_swing"]
    set_temp = product.points[6]
    assert (set_temp.data_type, set_temp.access) == ("uint8", "status_writable")
    assert (set_temp.location, set_temp.range) == ("byte 3", "16..30, step 1")
    assert product.points[3].labels == ["低风", "中风", "高风"]
    copy = pickle.loads(pickle.dumps(product))
    assert copy.to_json() == product.to_json()
    with pytest.raises(FileNotFoundError) as missing:
        Product.open("no-such-file.json")
    assert missing.value.filename == "no-such-file.json"
    with pytest.raises(TypeError, match="Product.open reads a file"):
        Product(path)  # type: ignore[arg-type]


def test_invalid_definitions() -> None:
    with pytest.raises(DefinitionError) as caught:
        Product("{\n}")
    error = caught.value
    assert (error.errors, error.warnings) == (2, 2)
    assert [one.kind for one in error.diagnostics][:2] == ["missing", "missing"]
    assert (error.diagnostics[0].line, error.diagnostics[0].pointer) == (1, "/entities")
    assert str(error).startswith("1:1: error: entities is missing")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert gizwits_codec.check("{\n}") == error.diagnostics
    assert gizwits_codec.check((FIXTURES / "air-conditioner.json").read_text()) == []
