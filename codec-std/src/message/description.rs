//! Messages that need no definition, as names and fields.

use std::borrow::Cow;

use gizwits_codec_core::{m2m, uart};
use serde_json::{Value, json};

use super::payload;
use crate::error::Error;

/// The name and the fields of a message that needs no definition, such as a discovery reply or a heartbeat.
///
/// ```
/// use gizwits_codec_std::Description;
/// use gizwits_codec_std::core::m2m::Frame;
///
/// let login = Frame { flag: 0, command: 0x0008, sn: None, did: None, body: b"\0\x0aABCDEFGHIJ" };
/// let description = Description::of_m2m(&login).unwrap();
/// assert_eq!(description.to_json(), r#"{"type":"login","passcode":"ABCDEFGHIJ"}"#);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Description {
    /// The name of the message in snake_case.
    pub name: Cow<'static, str>,
    /// The fields with their values: texts, numbers or lists of objects.
    pub fields: Vec<(&'static str, Value)>,
    /// The error of a body that has not the fields of its command. `byte` counts from the start of the body.
    pub error: Option<Error>,
}

impl Description {
    fn new(name: &'static str, fields: Vec<(&'static str, Value)>) -> Self {
        Description {
            name: name.into(),
            fields,
            error: None,
        }
    }

    /// Returns the description of the body of an M2M frame. `None` for a P0 and for a command without documentation.
    #[must_use]
    pub fn of_m2m(frame: &m2m::Frame<'_>) -> Option<Self> {
        let message = match frame.message() {
            Ok(message) => message,
            Err(error) => {
                // The name needs no sound body.
                let fields = match (frame.command, m2m::ModuleInfo::find_product_key(frame.body)) {
                    (0x0014, Some(key)) => vec![("product_key", text(key))],
                    _ => Vec::new(),
                };
                return Some(Description {
                    error: Some(error.into()),
                    ..Description::new(m2m_name(frame.command)?, fields)
                });
            }
        };
        let fields = match message {
            m2m::Message::P0 { .. } | m2m::Message::Other { .. } => return None,
            m2m::Message::Onboarding { ssid, password } => {
                vec![("ssid", text(ssid)), ("password", text(password.0))]
            }
            m2m::Message::DiscoveryReply(info) | m2m::Message::Announcement(info) => device(&info),
            m2m::Message::Passcode(passcode) | m2m::Message::Login(passcode) => {
                vec![("passcode", text(passcode.0))]
            }
            m2m::Message::LoginResult(result) => {
                vec![("success", json!(result == 0)), ("result", json!(result))]
            }
            m2m::Message::Version(version) => vec![("version", text(version))],
            m2m::Message::Hotspots(list) => {
                let hotspot =
                    |one: m2m::Hotspot<'_>| json!({"ssid": text(one.ssid), "rssi": one.rssi});
                vec![("hotspots", list.iter().map(hotspot).collect())]
            }
            m2m::Message::Log(line) => vec![("text", text(line))],
            m2m::Message::ModuleInfo(info) => vec![
                ("wifi_hardware", text(&info.wifi_hardware)),
                ("wifi_software", text(&info.wifi_software)),
                ("mcu_hardware", text(&info.mcu_hardware)),
                ("mcu_software", text(&info.mcu_software)),
                ("p0_version", text(&info.p0)),
                ("firmware_id", text(&info.firmware_id)),
                ("firmware", text(info.firmware)),
                ("product_key", text(info.product_key)),
            ],
            m2m::Message::Configured {
                mac,
                product_key,
                did,
            } => vec![
                ("mac", mac_address(mac)),
                ("product_key", text(product_key)),
                ("did", text(did)),
            ],
            _ => Vec::new(),
        };
        Some(Description::new(m2m_name(frame.command)?, fields))
    }

    /// Returns the description of the payload of a UART frame. `None` for a P0.
    ///
    /// The secret of a product is left out.
    #[must_use]
    pub fn of_uart(frame: &uart::Frame<'_>) -> Option<Self> {
        let name = match frame.command.name() {
            Some(name) => Cow::Owned(name.to_ascii_lowercase()),
            None => return None,
        };
        let (fields, error) = match frame.message() {
            Ok(uart::Message::P0(_)) => return None,
            Ok(message) => (uart_fields(message), None),
            Err(error) => (Vec::new(), Some(error.into())),
        };
        Some(Description {
            name,
            fields,
            error,
        })
    }

    /// Returns the product key that the message names.
    #[must_use]
    pub fn product_key(&self) -> Option<&str> {
        let (_, key) = self
            .fields
            .iter()
            .find(|(name, _)| *name == "product_key")?;
        key.as_str()
    }

    /// Returns one JSON object: `type`, the fields, and `error` if the body has not the fields of its command.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = Vec::new();
        self.write_json(&mut out);
        String::from_utf8(out).unwrap_or_default()
    }

    /// Appends the JSON of [`to_json`](Self::to_json) to a buffer.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        out.extend(br#"{"type":"#);
        // Writing to a vector can't fail.
        let _ = serde_json::to_writer(&mut *out, &self.name);
        for (name, value) in &self.fields {
            out.extend([b",\"", name.as_bytes(), b"\":"].concat());
            let _ = serde_json::to_writer(&mut *out, value);
        }
        if let Some(error) = &self.error {
            out.extend(br#","error":"#);
            let _ = serde_json::to_writer(&mut *out, error);
        }
        out.push(b'}');
    }
}

/// The name of a command of M2M frames, without those that carry a P0 only.
fn m2m_name(command: u16) -> Option<&'static str> {
    Some(match command {
        0x0001 => "onboarding",
        0x0002 => "onboarding_ack",
        0x0003 => "discovery",
        0x0004 => "discovery_reply",
        0x0005 => "announcement",
        0x0006 => "passcode_request",
        0x0007 => "passcode",
        0x0008 => "login",
        0x0009 => "login_result",
        0x000a => "version_request",
        0x000b => "version",
        0x000c => "hotspots_request",
        0x000d => "hotspots",
        0x0010 => "log",
        0x0013 => "module_info_request",
        0x0014 => "module_info",
        0x0015 => "heartbeat",
        0x0016 => "heartbeat_ack",
        0x0017 => "exit_test",
        0x0018 => "exit_test_ack",
        0x0019 => "configured",
        m2m::ACK => "ack",
        _ => return None,
    })
}

fn device(info: &m2m::DeviceInfo<'_>) -> Vec<(&'static str, Value)> {
    let mut fields = vec![
        ("did", text(info.did)),
        ("mac", mac_address(info.mac)),
        ("firmware", text(info.firmware)),
        ("product_key", text(info.product_key)),
        ("attributes", json!(payload::hex(&info.attributes))),
    ];
    let server = info.api_server().map(|server| ("api_server", text(server)));
    let version = info.version().map(|version| ("version", text(version)));
    fields.extend(server.into_iter().chain(version));
    if let extra @ [_, ..] = info.extra() {
        fields.push(("extra", text(extra)));
    }
    // A tail without a zero byte has another form.
    if server_is_missing(info) {
        fields.push(("tail", text(info.tail)));
    }
    fields
}

fn server_is_missing(info: &m2m::DeviceInfo<'_>) -> bool {
    !info.tail.is_empty() && info.version().is_none()
}

fn uart_fields(message: uart::Message<'_>) -> Vec<(&'static str, Value)> {
    use uart::Message;
    match message {
        Message::DeviceInfo(info) => {
            let part = |from: usize, to: usize| text(info.bytes().get(from..to).unwrap_or(&[]));
            let timeout = match info.bytes().get(64..66) {
                Some(&[high, low]) => u16::from_be_bytes([high, low]),
                _ => 0,
            };
            let attributes = info.bytes().get(66..74).unwrap_or(&[]);
            vec![
                ("protocol", part(0, 8)),
                ("p0_version", part(8, 16)),
                ("hardware", part(16, 24)),
                ("software", part(24, 32)),
                ("product_key", text(info.product_key())),
                ("bind_timeout_s", json!(timeout)),
                ("attributes", json!(payload::hex(attributes))),
            ]
        }
        Message::ConfigMode(mode) => vec![("mode", json!(format!("{mode:?}")))],
        Message::ModuleStatus(status) => vec![
            ("status", json!(format!("0x{:04x}", status.0))),
            ("cloud", json!(status.cloud())),
            ("rssi", json!(status.rssi())),
        ],
        Message::Illegal(illegal) => {
            let reason = match illegal {
                uart::Illegal::CHECKSUM => "checksum",
                uart::Illegal::COMMAND => "unknown command",
                uart::Illegal::FILE_TYPE => "file type",
                _ => "other",
            };
            vec![("code", json!(illegal.0)), ("reason", json!(reason))]
        }
        Message::Time(time) => {
            let (month, day) = time.date();
            let (hour, minute, second) = time.time();
            let year = time.year();
            let local = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
            vec![("time", json!(local)), ("unix_s", json!(time.unix()))]
        }
        Message::ModuleKind(kind) => vec![("kind", json!(kind))],
        Message::ModuleInfo(info) => vec![
            ("kind", json!(info.kind())),
            ("protocol", text(info.protocol())),
            ("hardware", text(info.hardware())),
            ("software", text(info.software())),
            ("mac", text(info.mac())),
            ("ip", text(info.ip())),
            ("attributes", json!(payload::hex(info.attributes()))),
        ],
        _ => Vec::new(),
    }
}

/// A text without the zeros that pad it. Bytes that are not UTF-8 are `0x` and hex.
fn text(bytes: &[u8]) -> Value {
    let end = bytes.iter().rposition(|byte| *byte != 0);
    let bytes = bytes.get(..end.map_or(0, |last| last + 1)).unwrap_or(&[]);
    match std::str::from_utf8(bytes) {
        Ok(text) => json!(text),
        Err(_) => json!(format!("0x{}", payload::hex(bytes))),
    }
}

fn mac_address(bytes: &[u8]) -> Value {
    let bytes: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    json!(bytes.join(":"))
}
