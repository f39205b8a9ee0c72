"""M2M and UART frames."""

import random

import pytest
from conftest import vectors
from gizwits_codec import CodecError, M2mDecoder, M2mFrame, M2mService, UartDecoder, UartFrame


def chunks(data: bytes, seed: int) -> list[bytes]:
    """Cut bytes into chunks of random lengths."""
    source, cut = random.Random(seed), []
    while data:
        length = source.randint(1, 12)
        cut.append(data[:length])
        data = data[length:]
    return cut


def test_m2m_frames() -> None:
    frame = M2mFrame(M2mFrame.REQUEST, b"\x02", sn=7, did="fTZ6jUmwmuTUkEdbXWePQ3")
    packed = frame.pack()
    parsed, rest = M2mFrame.parse(packed + b"\0\1")
    assert isinstance(parsed, M2mFrame) and rest == b"\0\1"
    assert (parsed.command, parsed.sn, parsed.did, parsed.body, parsed.flag) == (
        0x93,
        7,
        b"fTZ6jUmwmuTUkEdbXWePQ3",
        b"\x02",
        1,
    )
    assert parsed.pack() == packed
    assert M2mFrame.parse(b"\0\0\0\3\x02\x10")[0] == M2mFrame.parse(b"\0\0\0\3\x02\x10")[0]
    with pytest.raises(CodecError) as caught:
        M2mFrame(M2mFrame.TO_DEVICE, b"\x02", sn=7).pack()
    assert caught.value.kind == "frame_sn"
    with pytest.raises(CodecError) as caught:
        M2mFrame.parse(packed[:-3])
    assert (caught.value.kind, caught.value.missing) == ("incomplete", 3)


def test_m2m_streams_do_not_depend_on_chunks() -> None:
    frames = [M2mFrame(M2mFrame.FROM_DEVICE, bytes([4, n])) for n in range(50)]
    wire = b"noise" + b"".join(frame.pack() for frame in frames) + b"\0\0\0\3\x02\x10"
    for seed in range(20):
        decoder = M2mDecoder()
        found = [frame for chunk in chunks(wire, seed) for frame in decoder.feed(chunk)]
        assert found[:-1] == frames and decoder.skipped == 5
        assert isinstance(found[-1], M2mService) and found[-1].command == 0x0210


def test_uart_vectors() -> None:
    for vector in vectors("uart"):
        wire, expected = bytes.fromhex(vector["wire"]), vector["expect"]
        frame, rest = UartFrame.parse(wire)
        assert rest == b"", vector["id"]
        assert (frame.sn, frame.flags) == (expected["sn"], expected["flags"]), vector["id"]
        assert frame.payload.hex() == expected["payload"], vector["id"]
        assert frame.command_name == expected["command"] or frame.command_name is None
        if vector.get("canonical", True):
            assert frame.pack() == wire, vector["id"]


def test_uart_streams_do_not_depend_on_chunks() -> None:
    source = random.Random(7)
    frames, wire = [], b""
    for n in range(200):
        # Many bytes are ff or 55, which stuffing is about.
        payload = bytes(source.choice([0xFF, 0x55, 0, 1]) for _ in range(source.randint(0, 9)))
        frame = UartFrame(5, payload, sn=source.choice([n, 0xFF]), flags=0)
        frames.append(frame)
        packed = frame.pack()
        # Some modules do not stuff the last byte.
        if packed.endswith(b"\xff\x55") and n % 2:
            packed = packed[:-1]
        wire += packed + source.choice([b"", b"noise", b"\xff"])[: 5 * (n % 3 == 0)]
    whole = UartDecoder().feed(wire)
    assert [frame for frame in whole if frame in frames] == whole
    assert len(whole) > 190
    for seed in range(20):
        decoder = UartDecoder()
        found = [frame for chunk in chunks(wire, seed) for frame in decoder.feed(chunk)]
        assert found == whole
    decoder = UartDecoder()
    assert [frame for byte in wire for frame in decoder.feed(bytes([byte]))] == whole


def test_uart_errors() -> None:
    wire = bytes.fromhex("ffff0005070200000f")
    with pytest.raises(CodecError) as caught:
        UartFrame.parse(wire)
    error = caught.value
    assert (error.kind, error.byte, error.expected, error.found) == ("checksum", 8, 0x0E, 0x0F)
    decoder = UartDecoder(limit=4)
    long = UartFrame(5, bytes(5)).pack()
    good = UartFrame(7, sn=2)
    assert decoder.feed(wire + long + good.pack()) == [good]
    assert (decoder.corrupt, decoder.too_long) == (1, 1)
    # Headers without an end do not fill the memory.
    for _ in range(1000):
        assert decoder.feed(b"\xff\xff\0\x0a\5") == []
    assert decoder.feed(good.pack()) == [good]
