//! The events of a link.

use core::ptr;

use gizwits_codec_core::link::Event;

use super::device::Table;
use super::options::gizwits_link_options;

/// The kind of an event.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum gizwits_event {
    /// No event.
    None = 0,
    /// A control, which the link has acknowledged and whose valid points it has set in the status. `data` is its P0, which
    /// NAME_decode_control() reads. `number` is 0, or the result of the first point with an invalid value, which the
    /// link has left out.
    Control = 1,
    /// Transparent data from the module: bytes that the protocol does not interpret.
    Transparent = 2,
    /// The state of the module's connections. `number` has the bits GIZWITS_MODULE_...
    Status = 3,
    /// The module asks the MCU to restart. Vendor code restarts after 600 ms.
    Reboot = 4,
    /// The module rejected a frame of the MCU as illegal. `number` is the reason: 1 for a wrong checksum, 2 for an unknown
    /// command, 3 for any other.
    Illegal = 5,
    /// The network time. `number` is the time in seconds since 1970-01-01 00:00 UTC. `data` has the 11 bytes of the payload:
    /// the year in two bytes with the high byte first, the month from 1, the day, hour, minute and second, and `number` in
    /// four bytes. The protocol does not say in which time zone the date and the hour are.
    Time = 6,
    /// The description of the module. `data` has the 65 bytes of the payload: the kind as in GIZWITS_REQUEST_MODULE, then texts
    /// that are padded with zeros: the version of the serial protocol, of the hardware and of the software in 8 bytes each,
    /// the MAC address and the IP address in 16 bytes each, and 8 bytes of attributes.
    Module = 7,
    /// The module acknowledged a request or report, whose command is `command`.
    Acked = 8,
    /// The module did not acknowledge a request or report after all transmissions. `command` is its command.
    Unanswered = 9,
    /// A frame that the firmware answers with gizwits_link_answer(): big data, transactions and sub-devices. `data` is
    /// its payload.
    Frame = 10,
    /// The link refused a frame as illegal, or an answer is invalid. `data` is its payload.
    Refused = 11,
    /// The status has an invalid value, or has none any more. `number` is the result of the first point with an invalid
    /// value, or 0. A link sends no invalid value: until all of them are valid again, it replies and reports with
    /// the last status that was valid.
    Invalid = 12,
}

/// The bit of `number` that is set if the module has a network of its own.
pub const GIZWITS_MODULE_SOFT_AP: u32 = 0x0001;
/// The bit of `number` that is set if the module is a station in a network.
pub const GIZWITS_MODULE_STATION: u32 = 0x0002;
/// The bit of `number` that is set if a phone may configure the module.
pub const GIZWITS_MODULE_ONBOARDING: u32 = 0x0004;
/// The bit of `number` that is set if a user may bind the device.
pub const GIZWITS_MODULE_BINDING: u32 = 0x0008;
/// The bit of `number` that is set if the module is connected to a router.
pub const GIZWITS_MODULE_ROUTER: u32 = 0x0010;
/// The bit of `number` that is set if the module is connected to the cloud.
pub const GIZWITS_MODULE_CLOUD: u32 = 0x0020;
/// The bits of `number` with the signal strength of the router, from 0 to 7 in steps of 256.
pub const GIZWITS_MODULE_RSSI: u32 = 0x0700;
/// The bit of `number` that is set if an app is online.
pub const GIZWITS_MODULE_APP: u32 = 0x0800;
/// The bit of `number` that is set if the module is in its factory test.
pub const GIZWITS_MODULE_TEST: u32 = 0x1000;

/// An event of a link. Members that the kind does not mention are 0, and `data` is valid only if `length` is not 0.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gizwits_link_event {
    /// The kind.
    pub kind: gizwits_event,
    /// The command of a frame.
    pub command: u8,
    /// The sequence number of a frame.
    pub sn: u8,
    /// The length of `data` in bytes.
    pub length: u16,
    /// The number of the kind.
    pub number: u32,
    /// The data of the kind, in the memory of the link until it reads the next byte.
    pub data: *const u8,
}

impl Default for gizwits_link_event {
    fn default() -> Self {
        gizwits_link_event::NONE
    }
}

impl gizwits_link_event {
    pub(super) const NONE: gizwits_link_event = gizwits_link_event {
        kind: gizwits_event::None,
        command: 0,
        sn: 0,
        length: 0,
        number: 0,
        data: ptr::null(),
    };

    fn set_data(&mut self, data: &[u8]) {
        (self.data, self.length) = (data.as_ptr(), data.len() as u16);
    }

    /// Sets the members of the event of a byte. The points of a control are set in the status.
    #[inline(always)]
    pub(super) fn set(&mut self, options: &gizwits_link_options, event: Option<Event<'_, Table>>) {
        self.kind = match event {
            Some(Event::Control(control)) => {
                self.set_data(control.p0);
                self.number = control.apply(options).into();
                gizwits_event::Control
            }
            Some(Event::Transparent(bytes)) => {
                self.set_data(bytes);
                gizwits_event::Transparent
            }
            Some(Event::Status(status)) => {
                self.number = status.0.into();
                gizwits_event::Status
            }
            Some(Event::Reboot) => gizwits_event::Reboot,
            Some(Event::Illegal(illegal)) => {
                self.number = illegal.0.into();
                gizwits_event::Illegal
            }
            Some(Event::Time(time)) => {
                self.set_data(time.bytes());
                self.number = time.unix();
                gizwits_event::Time
            }
            Some(Event::Module(module)) => {
                self.set_data(module.bytes());
                gizwits_event::Module
            }
            Some(Event::Acked(of)) => {
                self.command = of.0;
                gizwits_event::Acked
            }
            Some(Event::Frame(frame)) => {
                self.set_data(frame.payload);
                (self.command, self.sn) = (frame.command.0, frame.sn);
                gizwits_event::Frame
            }
            Some(Event::Refused(payload)) => {
                self.set_data(payload);
                gizwits_event::Refused
            }
            // A received byte leads to no other event.
            _ => gizwits_event::None,
        };
    }
}
