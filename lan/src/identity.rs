//! The versions of a Wi-Fi module and its MCU.

use std::fmt::Write as _;

use gizwits_codec_core::m2m::ModuleInfo;

/// The versions of a Wi-Fi module and its MCU, and the product key.
///
/// Texts come from the device: show them to people only after invisible characters are escaped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identity {
    /// The hardware version of the module.
    pub wifi_hardware: String,
    /// The software version of the module.
    pub wifi_software: String,
    /// The hardware version of the MCU.
    pub mcu_hardware: String,
    /// The software version of the MCU.
    pub mcu_software: String,
    /// The version of the module's firmware.
    pub firmware: String,
    /// The product key, 32 hex digits. Empty if the answer of the device contains none.
    pub product_key: String,
}

impl Identity {
    /// Reads the documented form of a module info.
    pub(crate) fn read(info: &ModuleInfo<'_>) -> Self {
        Identity {
            wifi_hardware: text(&info.wifi_hardware),
            wifi_software: text(&info.wifi_software),
            mcu_hardware: text(&info.mcu_hardware),
            mcu_software: text(&info.mcu_software),
            firmware: text(info.firmware),
            product_key: text(info.product_key),
        }
    }

    /// Reads a module info whose fields have other lengths than documented: only the product key can be found.
    pub(crate) fn find(body: &[u8]) -> Option<Self> {
        let product_key = text(ModuleInfo::find_product_key(body)?);
        Some(Identity {
            product_key,
            ..Identity::default()
        })
    }

    /// Returns the number of bytes of the texts.
    #[cfg(feature = "tokio")]
    pub(crate) fn bytes(&self) -> usize {
        [
            &self.wifi_hardware,
            &self.wifi_software,
            &self.mcu_hardware,
            &self.mcu_software,
            &self.firmware,
            &self.product_key,
        ]
        .into_iter()
        .fold(0, |bytes, text| bytes.saturating_add(text.capacity()))
    }

    /// Writes the module info of this identity and passes it on. Versions are cut to eight bytes.
    pub(crate) fn with_info<T>(&self, send: impl FnOnce(&ModuleInfo<'_>) -> T) -> T {
        send(&ModuleInfo {
            wifi_hardware: padded(&self.wifi_hardware),
            wifi_software: padded(&self.wifi_software),
            mcu_hardware: padded(&self.mcu_hardware),
            mcu_software: padded(&self.mcu_software),
            p0: *b"00000002",
            firmware_id: [0; 8],
            firmware: self.firmware.as_bytes(),
            product_key: self.product_key.as_bytes(),
        })
    }
}

/// Returns bytes of a device as text, without the zeros that pad it. Bytes that are not UTF-8 are `0x` and hex.
pub(crate) fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().rposition(|byte| *byte != 0);
    let bytes = end.and_then(|last| bytes.get(..=last)).unwrap_or(&[]);
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().fold("0x".to_owned(), |mut hex, byte| {
            // Writing to a string does not fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        }),
    }
}

/// Returns the first eight bytes of a text, padded with zeros.
fn padded(text: &str) -> [u8; 8] {
    let mut bytes = [0; 8];
    for (slot, byte) in bytes.iter_mut().zip(text.bytes()) {
        *slot = byte;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn texts_that_are_not_utf8_are_hex() {
        assert_eq!(text(b"04020034\0\0"), "04020034");
        assert_eq!(text(b"d\xff\0"), "0x64ff");
        assert_eq!(text(b"\0\0"), "");
        assert_eq!(text(b""), "");
    }
}
