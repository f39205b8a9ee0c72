-- The frames, which are the same for all products. The first dissector that is loaded defines them, and the products of
-- all dissectors share them.
local function define_frames()
    local PREFIX = "\0\0\0\3"
    -- Longer frames are not sent: a length above this belongs to bytes that are no frame.
    local MAX_LENGTH = 128 * 1024
    local MAX_DID = 64

    local COMMANDS = {
        [0x0001] = "onboarding",
        [0x0002] = "onboarding acknowledgement",
        [0x0003] = "discovery",
        [0x0004] = "discovery reply",
        [0x0005] = "announcement",
        [0x0006] = "passcode request",
        [0x0007] = "passcode",
        [0x0008] = "login",
        [0x0009] = "login result",
        [0x000a] = "version request",
        [0x000b] = "version",
        [0x000c] = "hotspots request",
        [0x000d] = "hotspots",
        [0x0010] = "log",
        [0x0013] = "module info request",
        [0x0014] = "module info",
        [0x0015] = "heartbeat",
        [0x0016] = "heartbeat acknowledgement",
        [0x0017] = "exit test",
        [0x0018] = "exit test acknowledgement",
        [0x0019] = "configured",
        [0x0062] = "device message after the login",
        [0x0090] = "P0 to the device",
        [0x0091] = "P0 from the device",
        [0x0093] = "P0 request",
        [0x0094] = "acknowledgement",
    }
    local HAS_P0 = { [0x0090] = true, [0x0091] = true, [0x0093] = true, [0x0094] = true }
    local HAS_SN = { [0x0093] = true, [0x0094] = true }

    local ACTIONS = {
        [0x01] = "control",
        [0x02] = "read",
        [0x03] = "reply",
        [0x04] = "report",
        [0x05] = "transparent data to the device",
        [0x06] = "transparent data from the device",
        [0x11] = "control",
        [0x12] = "read",
        [0x13] = "reply",
        [0x14] = "report",
        [0x71] = "state of sub-devices",
        [0x72] = "message to sub-devices",
        [0x73] = "message from sub-devices",
    }
    local FROM_DEVICE = { [0x03] = true, [0x04] = true, [0x06] = true, [0x13] = true, [0x14] = true, [0x71] = true, [0x73] = true }

    local frames = {
        -- The dissectors of all products, and those of each product key. Scripts can have the same key, or none.
        products = {},
        by_key = {},
    }
    -- The product keys that devices have said, by their addresses.
    local keys = {}

    local proto = Proto("gizwits", "Gizwits")
    proto.prefs.product_key = Pref.string("Product key", "", "The product key of devices whose product key is not in the capture")

    local fields = {
        length = ProtoField.uint32("gizwits.length", "Length", base.DEC, nil, 0, "The number of bytes behind the length"),
        flag = ProtoField.uint8("gizwits.flag", "Flags", base.HEX, nil, 0, "Bit 0 announces a did"),
        command = ProtoField.uint16("gizwits.command", "Command", base.HEX, COMMANDS),
        sn = ProtoField.uint32("gizwits.sn", "Sequence number"),
        did = ProtoField.string("gizwits.did", "did"),
        body = ProtoField.bytes("gizwits.body", "Body"),
        skipped = ProtoField.bytes("gizwits.skipped", "Bytes of no frame"),
        ssid = ProtoField.string("gizwits.ssid", "SSID"),
        rssi = ProtoField.uint8("gizwits.rssi", "Signal strength"),
        password = ProtoField.string("gizwits.password", "Password"),
        passcode = ProtoField.string("gizwits.passcode", "Passcode"),
        result = ProtoField.uint8("gizwits.result", "Result", base.DEC, { [0] = "success", [1] = "failure" }),
        mac = ProtoField.bytes("gizwits.mac", "MAC address", base.COLON),
        product_key = ProtoField.string("gizwits.product_key", "Product key"),
        firmware = ProtoField.string("gizwits.firmware", "Firmware version"),
        firmware_id = ProtoField.bytes("gizwits.firmware_id", "Firmware id"),
        attributes = ProtoField.bytes("gizwits.attributes", "MCU attributes"),
        api_server = ProtoField.string("gizwits.api_server", "API server"),
        version = ProtoField.string("gizwits.version", "Version"),
        wifi_hardware = ProtoField.string("gizwits.wifi_hardware", "Wi-Fi hardware version"),
        wifi_software = ProtoField.string("gizwits.wifi_software", "Wi-Fi software version"),
        mcu_hardware = ProtoField.string("gizwits.mcu_hardware", "MCU hardware version"),
        mcu_software = ProtoField.string("gizwits.mcu_software", "MCU software version"),
        p0_version = ProtoField.string("gizwits.p0_version", "P0 version"),
        log = ProtoField.string("gizwits.log", "Log"),
        action = ProtoField.uint8("gizwits.action", "Action", base.HEX, ACTIONS),
        p0 = ProtoField.bytes("gizwits.p0", "P0"),
    }
    proto.fields = fields

    local experts = {
        skipped = ProtoExpert.new("gizwits.expert.skipped", "Bytes of no frame", expert.group.MALFORMED, expert.severity.ERROR),
        length = ProtoExpert.new("gizwits.expert.length", "Wrong length", expert.group.MALFORMED, expert.severity.ERROR),
        command = ProtoExpert.new("gizwits.expert.command", "Unknown command", expert.group.UNDECODED, expert.severity.NOTE),
        action = ProtoExpert.new("gizwits.expert.action", "Unknown action", expert.group.UNDECODED, expert.severity.WARN),
        product = ProtoExpert.new("gizwits.expert.product", "Unknown product", expert.group.UNDECODED, expert.severity.NOTE),
    }
    proto.experts = experts

    -- Appends to the text of the packet in the list. A packet can have several frames.
    local function append_info(pinfo, text)
        pinfo.cols.protocol:set("Gizwits")
        if pinfo.private.gizwits_info then
            pinfo.cols.info:append(", " .. text)
        else
            pinfo.cols.info:set(text)
            pinfo.private.gizwits_info = "set"
        end
        pinfo.cols.info:fence()
    end

    -- Returns the length of the frame at the start of the bytes, and the length of what precedes its flags. `nil` if the
    -- bytes end before the length is known, 0 if they do not begin with a frame.
    local function frame_length(bytes)
        local known = math.min(#bytes, #PREFIX)
        if bytes:sub(1, known) ~= PREFIX:sub(1, known) then
            return 0
        end
        -- Seven bits a byte, the least significant first.
        local length, unit = 0, 1
        for index = #PREFIX + 1, #PREFIX + 4 do
            local byte = bytes:byte(index)
            if not byte then
                return nil
            end
            length = length + byte % 128 * unit
            unit = unit * 128
            if byte < 128 then
                if length < 3 or length > MAX_LENGTH then
                    return 0
                end
                return index + length, index
            end
        end
        return 0
    end

    -- Returns the number of bytes before the next prefix. The end of the bytes may be the start of a prefix.
    local function skipped_length(bytes)
        local prefix = bytes:find(PREFIX, 2, true)
        if prefix then
            return prefix - 1
        end
        for start = math.min(#PREFIX, #bytes) - 1, 1, -1 do
            if bytes:sub(-start) == PREFIX:sub(1, start) then
                return #bytes - start
            end
        end
        return #bytes
    end

    -- Returns the length of the frame at the offset, or of the bytes before the next frame. 0 if more bytes decide.
    local function pdu_length(tvb, _, offset)
        local length = frame_length(tvb:raw(offset, math.min(8, tvb:len() - offset)))
        if length == 0 then
            return skipped_length(tvb:raw(offset, tvb:len() - offset))
        end
        return length or 0
    end

    -- A reader of the body of a frame, which adds each field to the tree. It has failed once a field does not fit.
    local function reader_of(tvb, offset, tree)
        local reader = {}

        function reader.left()
            return tvb:len() - offset
        end

        -- Adds a field of this many bytes, and returns its range.
        function reader.take(field, length)
            if reader.failed or length > reader.left() then
                reader.failed = true
                return nil
            end
            local range = length > 0 and tvb(offset, length) or nil
            if range then
                tree:add_packet_field(field, range, ENC_UTF_8 + ENC_BIG_ENDIAN)
                offset = offset + length
            end
            return range
        end

        -- Adds a field whose length precedes it in two bytes.
        function reader.counted(field)
            if reader.failed or reader.left() < 2 then
                reader.failed = true
                return nil
            end
            local length = tvb(offset, 2):uint()
            offset = offset + 2
            return reader.take(field, length)
        end

        -- Adds a text that ends with a zero byte, if there is one.
        function reader.terminated(field)
            local zero = reader.left() > 0 and tvb:raw(offset, reader.left()):find("\0", 1, true)
            if zero then
                if zero > 1 then
                    tree:add_packet_field(field, tvb(offset, zero - 1), ENC_UTF_8)
                end
                offset = offset + zero
            end
        end

        return reader
    end

    local KEY = ("%x"):rep(32)

    -- Keeps the product key of the device that has sent the packet.
    local function keep_key(pinfo, key)
        keys[tostring(pinfo.src) .. ":" .. pinfo.src_port] = key:lower()
        keys[tostring(pinfo.src)] = key:lower()
    end

    -- Keeps the product key that a device has said in a field. It can be empty.
    local function learn_key(pinfo, range)
        local key = range and range:string():match("^" .. KEY .. "$")
        if key then
            keep_key(pinfo, key)
        end
    end

    -- Keeps the first 32 hex digits of a frame whose fields do not have the documented lengths. They may be something else
    -- than the product key, so they do not replace a key that has a dissector.
    local function guess_key(pinfo, frame)
        local known = keys[tostring(pinfo.src) .. ":" .. pinfo.src_port] or keys[tostring(pinfo.src)]
        local key = frame:match("\0 (" .. KEY .. ")") or frame:match(KEY)
        if key and not (known and frames.by_key[known]) then
            keep_key(pinfo, key)
        end
    end

    local function device_info(reader, pinfo)
        reader.counted(fields.did)
        reader.counted(fields.mac)
        reader.counted(fields.firmware)
        learn_key(pinfo, reader.counted(fields.product_key))
        reader.take(fields.attributes, 8)
        if not reader.failed then
            reader.terminated(fields.api_server)
            reader.terminated(fields.version)
            if reader.left() > 0 then
                reader.take(fields.body, reader.left())
            end
        end
    end

    local function rest_as(field)
        return function(reader)
            if reader.left() > 0 then
                reader.take(field, reader.left())
            end
        end
    end

    local BODIES = {
        [0x0001] = function(reader)
            reader.counted(fields.ssid)
            reader.counted(fields.password)
        end,
        [0x0004] = device_info,
        [0x0005] = device_info,
        [0x0007] = function(reader)
            reader.counted(fields.passcode)
        end,
        [0x0008] = function(reader)
            reader.counted(fields.passcode)
        end,
        [0x0009] = function(reader)
            reader.take(fields.result, 1)
        end,
        [0x000b] = rest_as(fields.body),
        [0x000d] = function(reader)
            while reader.left() > 0 and not reader.failed do
                reader.counted(fields.ssid)
                reader.take(fields.rssi, 1)
            end
        end,
        [0x0010] = rest_as(fields.log),
        [0x0014] = function(reader, pinfo, tvb)
            reader.take(fields.wifi_hardware, 8)
            reader.take(fields.wifi_software, 8)
            reader.take(fields.mcu_hardware, 8)
            reader.take(fields.mcu_software, 8)
            reader.take(fields.p0_version, 8)
            reader.take(fields.firmware_id, 8)
            reader.counted(fields.firmware)
            learn_key(pinfo, reader.counted(fields.product_key))
            if reader.failed then
                guess_key(pinfo, tvb:raw())
            end
        end,
        [0x0019] = function(reader)
            reader.counted(fields.mac)
            reader.counted(fields.product_key)
            reader.counted(fields.did)
        end,
        [0x0062] = rest_as(fields.body),
    }

    -- Returns the dissectors of the product of a packet, or `nil` and the reason.
    local function dissectors_of(pinfo)
        local source, target = tostring(pinfo.src), tostring(pinfo.dst)
        local key = keys[source .. ":" .. pinfo.src_port] or keys[target .. ":" .. pinfo.dst_port] or keys[source] or keys[target]
        if not key and proto.prefs.product_key ~= "" then
            key = proto.prefs.product_key:lower()
        end
        -- A product without a key can be that of any device.
        if #frames.products == 1 and (not key or frames.by_key[""]) then
            return frames.products
        end
        if key then
            return frames.by_key[key], "no dissector of the product " .. key .. " is loaded"
        end
        return nil, "the capture does not tell which product this is: set its product key in the preferences of Gizwits"
    end

    -- Some devices put a sequence number in front of a P0 although its command has none.
    local function has_extra_sn(tvb, offset, command)
        if command ~= 0x0091 or tvb:len() - offset < 5 then
            return false
        end
        return not FROM_DEVICE[tvb(offset, 1):uint()] and FROM_DEVICE[tvb(offset + 4, 1):uint()]
    end

    local function dissect_p0(tvb, pinfo, tree)
        local action = tvb(0, 1):uint()
        local item = tree:add(fields.action, tvb(0, 1))
        local name = ACTIONS[action]
        if not name then
            item:add_proto_expert_info(experts.action, ("Unknown action 0x%02x"):format(action))
            name = ("unknown action 0x%02x"):format(action)
        end
        local dissectors, reason = dissectors_of(pinfo)
        for _, dissect in ipairs(dissectors or {}) do
            dissect(tvb, tree)
        end
        if not dissectors then
            tree:add(fields.p0, tvb()):add_proto_expert_info(experts.product, "The points are not shown: " .. reason)
        end
        return name
    end

    local function dissect_frame(tvb, pinfo, root, head)
        local tree = root:add(proto, tvb())
        tree:add(fields.length, tvb(4, head - 4), tvb:len() - head)
        local flag = tvb(head, 1)
        tree:add(fields.flag, flag)
        local command = tvb(head + 1, 2):uint()
        local name = COMMANDS[command]
        local item = tree:add(fields.command, tvb(head + 1, 2))
        if not name then
            name = ("unknown command 0x%04x"):format(command)
            item:add_proto_expert_info(experts.command, ("Unknown command 0x%04x"):format(command))
        end
        local offset = head + 3
        if HAS_SN[command] then
            if tvb:len() - offset < 4 then
                tree:add_proto_expert_info(experts.length, "The frame ends before its sequence number")
                append_info(pinfo, name)
                return
            end
            tree:add(fields.sn, tvb(offset, 4))
            name = ("%s %d"):format(name, tvb(offset, 4):uint())
            offset = offset + 4
        end
        -- Some devices set the flag and send no did: if none fits, the bytes are the body.
        if flag:uint() % 2 == 1 and tvb:len() - offset >= 2 then
            local length = tvb(offset, 2):uint()
            if length <= MAX_DID and length <= tvb:len() - offset - 2 then
                if length > 0 then
                    tree:add_packet_field(fields.did, tvb(offset + 2, length), ENC_UTF_8)
                end
                offset = offset + 2 + length
            end
        end
        if HAS_P0[command] and has_extra_sn(tvb, offset, command) then
            tree:add(fields.sn, tvb(offset, 4))
            offset = offset + 4
        end
        if HAS_P0[command] and tvb:len() > offset then
            name = name .. ": " .. dissect_p0(tvb(offset):tvb(), pinfo, tree)
        elseif BODIES[command] then
            local reader = reader_of(tvb, offset, tree)
            BODIES[command](reader, pinfo, tvb)
            if reader.failed then
                tree:add_proto_expert_info(experts.length, "The body is shorter than its command requires")
            elseif reader.left() > 0 then
                tree:add_proto_expert_info(experts.length, "The body is longer than its command requires")
            end
        elseif tvb:len() > offset then
            local body = tree:add(fields.body, tvb(offset))
            if COMMANDS[command] then
                body:add_proto_expert_info(experts.length, "The body is longer than its command requires")
            end
        end
        append_info(pinfo, name)
    end

    -- Dissects a frame, or bytes that are none.
    local function dissect_pdu(tvb, pinfo, root)
        local length, head = frame_length(tvb:raw(0, math.min(8, tvb:len())))
        if head and length <= tvb:len() then
            dissect_frame(tvb, pinfo, root, head)
            return tvb:len()
        end
        local tree = root:add(proto, tvb())
        local text = "These bytes belong to no frame"
        if length ~= 0 then
            text = "The frame is not complete"
        elseif tvb:len() >= 6 and tvb(0, 5):raw() == PREFIX .. "\2" then
            text = ("Service message 0x%04x, whose content is not documented"):format(tvb(4, 2):uint())
        end
        tree:add(fields.skipped, tvb()):add_proto_expert_info(experts.skipped, text)
        append_info(pinfo, "bytes of no frame")
        return tvb:len()
    end

    function proto.init()
        keys = {}
    end

    function proto.dissector(tvb, pinfo, root)
        if tvb:len() == 0 then
            return 0
        end
        -- A stream is cut anywhere; a datagram, or a stream that is not reassembled, has whole frames.
        if pinfo.can_desegment and pinfo.can_desegment ~= 0 then
            dissect_tcp_pdus(tvb, root, 1, pdu_length, dissect_pdu)
            return tvb:len()
        end
        local offset = 0
        while offset < tvb:len() do
            local left = tvb:len() - offset
            local length = pdu_length(tvb, pinfo, offset)
            if length == 0 or length > left then
                length = left
            end
            dissect_pdu(tvb(offset, length):tvb(), pinfo, root)
            offset = offset + length
        end
        return tvb:len()
    end

    DissectorTable.get("tcp.port"):add(12416, proto)
    DissectorTable.get("udp.port"):add(12414, proto)
    DissectorTable.get("udp.port"):add(2415, proto)

    -- Adds a product: its key, and a function that dissects a P0.
    function frames.add(key, dissect)
        local same = frames.by_key[key] or {}
        frames.by_key[key] = same
        table.insert(same, dissect)
        table.insert(frames.products, dissect)
    end

    return frames
end

-- Wireshark gives each script globals of its own, in front of those that all share.
_G.gizwits_frames = _G.gizwits_frames or define_frames()

-- The points of the product. Wireshark needs names that are different.
local proto = Proto(product.filter, ("%s (%s)"):format(product.name, product.filter))

local fields = {
    flags = ProtoField.bytes(product.filter .. ".p0.flags", "Flags", base.NONE, "A bit for each point"),
    wanted = ProtoField.string(product.filter .. ".p0.wanted", "Wanted"),
    data = ProtoField.bytes(product.filter .. ".p0.data", "Data"),
}
for _, point in ipairs(product.points) do
    local filter, name, title = product.filter .. "." .. point.filter, point.name, point.title
    if point.kind == "bool" then
        point.field = ProtoField.bool(filter, name, base.NONE, nil, 0, title)
    elseif point.kind == "enum" then
        point.field = ProtoField.uint32(filter, name, base.DEC, point.labels, 0, title)
    elseif point.kind == "binary" then
        point.field = ProtoField.bytes(filter, name, base.NONE, title)
    elseif not point.ratio then
        point.field = ProtoField.uint32(filter, name, base.DEC, nil, 0, title)
    elseif point.places == 0 then
        point.field = ProtoField.int64(filter, name, base.DEC, nil, 0, title)
    else
        point.field = ProtoField.double(filter, name, title)
    end
    fields[#fields + 1] = point.field
    point.bits = point.bits or point.bytes * 8
end
proto.fields = fields

local experts = {
    range = ProtoExpert.new(product.filter .. ".expert.range", "Out of range", expert.group.PROTOCOL, expert.severity.WARN),
    length = ProtoExpert.new(product.filter .. ".expert.length", "Wrong length", expert.group.MALFORMED, expert.severity.ERROR),
    flags = ProtoExpert.new(product.filter .. ".expert.flags", "Unknown flags", expert.group.PROTOCOL, expert.severity.WARN),
    action = ProtoExpert.new(product.filter .. ".expert.action", "Wrong action", expert.group.UNDECODED, expert.severity.WARN),
}
proto.experts = experts

-- Returns the text of the integer raw * ratio + addition with its decimal point, without trailing zeros. The numbers are
-- exact: an Int64 holds every product of the definition. `tonumber` does not read the text: it depends on the locale.
local function decimal(point, raw)
    local number = Int64.new(raw) * Int64.new(point.ratio) + Int64.new(point.addition)
    local sign, digits = tostring(number):match("^(%-?)(%d+)$")
    if point.places > 0 then
        digits = ("0"):rep(point.places + 1 - #digits) .. digits
        local whole, fraction = digits:sub(1, -point.places - 1), digits:sub(-point.places):gsub("0+$", "")
        digits = fraction == "" and whole or whole .. "." .. fraction
    end
    return sign .. digits, number
end

local function add_number(tree, point, range, raw)
    if point.kind == "bool" then
        return tree:add(point.field, range, raw)
    elseif not point.ratio then
        return tree:add(point.field, range, raw), ("%.0f"):format(raw)
    end
    local text, number = decimal(point, raw)
    if point.places == 0 then
        return tree:add(point.field, range, number), text
    end
    return tree:add(point.field, range, number:tonumber() / 10 ^ point.places):set_text(point.name .. ": " .. text), text
end

-- Adds the value of a point, whose last byte has `shift` bits below it.
local function add_point(tree, point, range, shift)
    if point.kind == "binary" then
        tree:add(point.field, range)
        return
    end
    local raw = range:bitfield(range:len() * 8 - shift - point.bits, point.bits)
    local item, text = add_number(tree, point, range, raw)
    if point.least and (raw < point.least or raw > point.most) then
        text = ("%s = %s is out of range: expected %s"):format(point.name, text, point.range)
        item:add_proto_expert_info(experts.range, text)
    end
end

-- Adds the points that `is_present` names, from this offset on, and checks the length.
local function add_points(tvb, offset, tree, length, is_present)
    local function place(point, byte, bytes, shift)
        if offset + byte + bytes <= tvb:len() then
            add_point(tree, point, tvb(offset + byte, bytes), shift)
        end
    end
    if product.is_var_len then
        -- The bits of the points that are present form one number, with the first point in its lowest bits. The other
        -- points follow.
        local bits = 0
        for _, point in ipairs(product.points) do
            if not point.bytes and is_present(point) then
                bits = bits + point.bits
            end
        end
        local area, bit = math.ceil(bits / 8), 0
        length = area
        for _, point in ipairs(product.points) do
            if is_present(point) and not point.bytes then
                local first, last = math.floor((bit + point.bits - 1) / 8), math.floor(bit / 8)
                place(point, area - 1 - first, first - last + 1, bit % 8)
                bit = bit + point.bits
            elseif is_present(point) then
                place(point, length, point.bytes, 0)
                length = length + point.bytes
            end
        end
    else
        for _, point in ipairs(product.points) do
            if is_present(point) then
                place(point, point.byte, point.bytes, point.shift or 0)
            end
        end
    end
    local found = tvb:len() - offset
    if found ~= length then
        tree:add_proto_expert_info(experts.length, ("The values have %d bytes: expected %d"):format(found, length))
    end
end

-- Returns whether the bit with this number is set in the bytes, which are one number.
local function has_bit(flags, number)
    local byte = flags:byte(#flags - math.floor(number / 8))
    return byte ~= nil and math.floor(byte / 2 ^ (number % 8)) % 2 == 1
end

-- Adds the flags, of this many bytes. Returns a function for whether a point has its flag, or `nil` if they do not fit.
local function add_flags(tvb, tree, length, is_control)
    if tvb:len() - 1 < length then
        tree:add_proto_expert_info(experts.length, ("The flags have %d bytes: expected %d"):format(tvb:len() - 1, length))
        return nil
    end
    local flags = length > 0 and tvb(1, length):raw() or ""
    local item = length > 0 and tree:add(fields.flags, tvb(1, length)) or tree
    local known = {}
    for _, point in ipairs(product.points) do
        known[point.id] = not is_control or point.writable
    end
    for bit = 0, length * 8 - 1 do
        if has_bit(flags, bit) and not known[bit] then
            local text = is_control and "Bit %d is of no writable point" or "Bit %d is of no point"
            item:add_proto_expert_info(experts.flags, text:format(bit))
        end
    end
    return function(point)
        return has_bit(flags, point.id) and known[point.id]
    end
end

-- The dissection of each action of the protocol.
local actions = {}

function actions.control(tvb, tree)
    local has_flag = add_flags(tvb, tree, product.flags_length, true)
    if has_flag then
        add_points(tvb, 1 + product.flags_length, tree, product.control_length, has_flag)
    end
end

function actions.read(tvb, tree)
    if not product.is_var_len then
        tree:add(fields.wanted, "all points")
        if tvb:len() > 1 then
            tree:add_proto_expert_info(experts.length, ("The read has %d bytes: expected 1"):format(tvb:len()))
        end
        return
    end
    -- A mask of ones alone asks for all points, whatever its length.
    if tvb:len() > 1 and tvb:raw(1):find("^\255+$") then
        tree:add(fields.flags, tvb(1))
        tree:add(fields.wanted, tvb(1), "all points")
        return
    end
    local has_flag = add_flags(tvb, tree, product.flags_length, false)
    for _, point in ipairs(has_flag and product.points or {}) do
        if has_flag(point) then
            tree:add(fields.wanted, tvb(1, product.flags_length), point.name)
        end
    end
    local found = tvb:len() - 1
    if has_flag and found ~= product.flags_length then
        tree:add_proto_expert_info(experts.length, ("The flags have %d bytes: expected %d"):format(found, product.flags_length))
    end
end

function actions.status(tvb, tree)
    if not product.is_var_len then
        add_points(tvb, 1, tree, product.status_length, function()
            return true
        end)
        return
    end
    local has_flag = add_flags(tvb, tree, product.flags_length, false)
    if has_flag then
        add_points(tvb, 1 + product.flags_length, tree, nil, has_flag)
    end
end

local ACTIONS = { [0x01] = "control", [0x02] = "read", [0x03] = "status", [0x04] = "status" }
local FIRST = product.is_var_len and 0x10 or 0

_G.gizwits_frames.add(product.key, function(tvb, parent)
    local tree = parent:add(proto, tvb(), product.name)
    local action = tvb(0, 1):uint()
    local name = ACTIONS[action - FIRST]
    if name then
        actions[name](tvb, tree)
        return
    end
    if ACTIONS[action % 16] and action < 0x20 then
        tree:add_proto_expert_info(experts.action, "The action is of the other protocol: the definition may be of another product")
    end
    if tvb:len() > 1 then
        tree:add(fields.data, tvb(1))
    end
end)
