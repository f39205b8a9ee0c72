"""Decodes two frames and encodes a control: ctypes_decode.py LIBRARY DEFINITION.json"""
import ctypes
import sys
from ctypes import byref, c_char, c_char_p, c_int32, c_int64, c_size_t, c_uint32, c_uint64

class Error(ctypes.Structure):
    _fields_ = [("status", c_int32), ("point", c_int32), ("byte", c_int64), ("bit", c_int64), ("text", c_char * 1024)]

def call(function, *arguments):
    """Calls a function that fills a buffer, first for the length and then for the bytes."""
    error, length, size = Error(), c_size_t(), 0
    for _ in range(2):
        out = ctypes.create_string_buffer(size)
        status = function(*arguments, out, c_size_t(size), byref(length), byref(error))
        size = length.value + 1
    if status:
        raise SystemExit(f"{gizwits.gizwits_status_name(status).decode()}: {error.text.decode()}")
    return out.raw[: length.value]

gizwits, definition = ctypes.CDLL(sys.argv[1]), open(sys.argv[2], "rb").read()
gizwits.gizwits_status_name.restype = c_char_p
product, error = c_uint64(), Error()
if gizwits.gizwits_product_new(definition, c_size_t(len(definition)), byref(product), byref(error)):
    sys.exit(error.text.decode())
for frame in map(bytes.fromhex, ["000000030b0000910401000010000000", "0000000309000090010101000010"]):
    print(call(gizwits.gizwits_decode_json, product, c_uint32(0), frame, c_size_t(len(frame))).decode())
json = b'{"switch": true, "set_temp": 24}'
print(call(gizwits.gizwits_encode_json, product, 1, c_uint32(0), json, c_size_t(len(json))).hex())
gizwits.gizwits_product_free(product)
