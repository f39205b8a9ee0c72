//! A struct for product A with serde's derives, as a service for one product has it.

use serde::{Deserialize, Serialize};

/// The points of A.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[expect(missing_docs, reason = "the names are those of the definition")]
pub struct Status {
    pub switch: u8,
    pub louver: u8,
    pub work_mode: Mode,
    pub fan_speed: Speed,
    pub on_hours: u8,
    pub off_hours: u8,
    pub target_temp: u8,
    pub room_temp: i16,
    pub alert_filter_full: u8,
    pub fault_room_sensor: u8,
    pub fault_compressor: u8,
}

/// The points of a control of A.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[expect(missing_docs, reason = "the names are those of the definition")]
#[serde(default)]
pub struct Control {
    pub switch: Option<u8>,
    pub louver: Option<u8>,
    pub work_mode: Option<Mode>,
    pub fan_speed: Option<Speed>,
    pub on_hours: Option<u8>,
    pub off_hours: Option<u8>,
    pub target_temp: Option<u8>,
}

macro_rules! labels {
    ($name:ident: $($label:ident = $index:literal),*) => {
        /// The labels of an enum.
        #[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
        #[expect(missing_docs, reason = "the names are those of the definition")]
        #[serde(rename_all = "lowercase")]
        pub enum $name {
            $($label = $index,)*
        }

        impl $name {
            fn new(index: u8) -> Option<Self> {
                match index {
                    $($index => Some($name::$label),)*
                    _ => None,
                }
            }
        }
    };
}

labels!(Mode: Auto = 0, Cool = 1, Heat = 2, Dry = 3, Fan = 4);
labels!(Speed: Low = 0, Mid = 1, High = 2);

impl Status {
    /// Decodes a status.
    #[must_use]
    pub fn decode(status: &[u8]) -> Option<Self> {
        let status: &[u8; 7] = status.try_into().ok()?;
        Some(Status {
            switch: status[0] & 1,
            louver: status[0] >> 1 & 1,
            work_mode: Mode::new(status[0] >> 2 & 7)?,
            fan_speed: Speed::new(status[0] >> 5 & 3)?,
            on_hours: status[1],
            off_hours: status[2],
            target_temp: status[3],
            room_temp: i16::from(status[4]) - 10,
            alert_filter_full: status[5] & 1,
            fault_room_sensor: status[6] & 1,
            fault_compressor: status[6] >> 1 & 1,
        })
    }

    /// Encodes a report.
    #[must_use]
    pub fn encode(&self) -> Option<[u8; 8]> {
        let sound = self.switch <= 1
            && self.louver <= 1
            && self.on_hours <= 24
            && self.off_hours <= 24
            && (16..=30).contains(&self.target_temp)
            && (-10..=35).contains(&self.room_temp);
        sound.then(|| {
            let bits = self.switch
                | self.louver << 1
                | (self.work_mode as u8) << 2
                | (self.fan_speed as u8) << 5;
            let room_temp = (self.room_temp + 10) as u8;
            let faults = self.fault_room_sensor | self.fault_compressor << 1;
            [
                4,
                bits,
                self.on_hours,
                self.off_hours,
                self.target_temp,
                room_temp,
                self.alert_filter_full,
                faults,
            ]
        })
    }
}

impl Control {
    /// Encodes a control.
    #[must_use]
    pub fn encode(&self) -> Option<[u8; 6]> {
        let mut out = [1, 0, 0, 0, 0, 0];
        let mut put = |id: u8, byte: usize, shift: u8, raw: Option<u8>, limits: (u8, u8)| {
            if let Some(raw) = raw {
                if !(limits.0..=limits.1).contains(&raw) {
                    return None;
                }
                out[1] |= 1 << id;
                out[byte] |= raw << shift;
            }
            Some(())
        };
        put(0, 2, 0, self.switch, (0, 1))?;
        put(1, 2, 1, self.louver, (0, 1))?;
        put(2, 2, 2, self.work_mode.map(|mode| mode as u8), (0, 4))?;
        put(3, 2, 5, self.fan_speed.map(|speed| speed as u8), (0, 2))?;
        put(4, 3, 0, self.on_hours, (0, 24))?;
        put(5, 4, 0, self.off_hours, (0, 24))?;
        put(6, 5, 0, self.target_temp, (16, 30))?;
        Some(out)
    }
}
