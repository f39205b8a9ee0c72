//! The commands (vendor: UART protocol, the table of commands).

/// A command. An acknowledgement has the number behind that of its request.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use]
pub struct Command(pub u8);

macro_rules! commands {
    ($(
        $(#[$doc:meta])*
        $name:ident = $code:literal $(, $ack:ident = $ack_code:literal $($text:literal)?)?;
    )*) => {
        impl Command {
            $(
                $(#[$doc])*
                pub const $name: Command = Command($code);
                $(
                    #[doc = concat!("The acknowledgement of [`Self::", stringify!($name), "`]. ", $($text)?)]
                    pub const $ack: Command = Command($ack_code);
                )?
            )*

            /// The name of its constant; `None` of a command that nothing is known of.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $(
                        $code => Some(stringify!($name)),
                        $($ack_code => Some(stringify!($ack)),)?
                    )*
                    _ => None,
                }
            }
        }
    };
}

commands! {
    /// Module: what device is this?
    INFO = 0x01, INFO_ACK = 0x02 "It has a [`DeviceInfo`](super::DeviceInfo).";
    /// Module: a P0 to the device.
    TO_DEVICE = 0x03, TO_DEVICE_ACK = 0x04 "That of a read has a P0.";
    /// MCU: a P0 from the device.
    FROM_DEVICE = 0x05, FROM_DEVICE_ACK = 0x06;
    /// Module: are you there? Every 55 s; three misses reset the module.
    HEARTBEAT = 0x07, HEARTBEAT_ACK = 0x08;
    /// MCU: let a phone configure the network: a [`ConfigMode`](super::ConfigMode).
    CONFIGURE = 0x09, CONFIGURE_ACK = 0x0a;
    /// MCU: forget network and owner.
    RESET = 0x0b, RESET_ACK = 0x0c;
    /// Module: a [`ModuleStatus`](super::ModuleStatus).
    STATUS = 0x0d, STATUS_ACK = 0x0e;
    /// Module: MCU, restart.
    REBOOT = 0x0f, REBOOT_ACK = 0x10;
    /// Module: a frame of the MCU was illegal: an [`Illegal`](super::Illegal).
    ILLEGAL = 0x11;
    /// MCU: a frame of the module was illegal: an [`Illegal`](super::Illegal), and the sn of that frame.
    ILLEGAL_ACK = 0x12;
    /// MCU: enter the factory test.
    TEST = 0x13, TEST_ACK = 0x14;
    /// MCU: open the window in which the device can be bound.
    BIND = 0x15, BIND_ACK = 0x16;
    /// MCU: what time is it?
    TIME = 0x17, TIME_ACK = 0x18 "It has a [`Time`](super::Time).";
    /// Big data, such as firmware: may it be sent?
    TRANSFER_ASK = 0x19, TRANSFER_ASK_ACK = 0x1a;
    /// Big data: ready to receive.
    TRANSFER_READY = 0x1b, TRANSFER_READY_ACK = 0x1c;
    /// Big data: a piece of it.
    TRANSFER_DATA = 0x1d, TRANSFER_DATA_ACK = 0x1e;
    /// Big data: the sender stops.
    TRANSFER_SENDER_STOP = 0x1f, TRANSFER_SENDER_STOP_ACK = 0x20;
    /// MCU: what module is this?
    MODULE = 0x21, MODULE_ACK = 0x22 "It has a [`ModuleInfo`](super::ModuleInfo).";
    /// A transaction.
    TRANSACTION = 0x23, TRANSACTION_ACK = 0x24;
    /// A transaction's result.
    TRANSACTION_RESULT = 0x25, TRANSACTION_RESULT_ACK = 0x26;
    /// Big data: the receiver stops.
    TRANSFER_RECEIVER_STOP = 0x27, TRANSFER_RECEIVER_STOP_ACK = 0x28;
    /// MCU: module, restart.
    MODULE_REBOOT = 0x29, MODULE_REBOOT_ACK = 0x2a;
    /// The first of the commands of virtual sub-devices.
    VIRTUAL_FIRST = 0x2d;
    /// The last of them.
    VIRTUAL_LAST = 0x3c;
    /// The first of the commands that register a light gateway's sub-devices.
    GATEWAY_FIRST = 0x53;
    /// The last of them.
    GATEWAY_LAST = 0x55;
}

impl Command {
    /// The command that acknowledges this one.
    #[inline]
    pub const fn ack(self) -> Command {
        Command(self.0.wrapping_add(1))
    }

    /// The command that this one acknowledges, if it does.
    #[inline]
    pub const fn request(self) -> Command {
        Command(self.0.wrapping_sub(1))
    }

    /// Whether the protocol knows it.
    pub const fn is_known(self) -> bool {
        matches!(self.0, 0x01..=0x2a | 0x2d..=0x3c | 0x53..=0x55)
    }
}

impl core::fmt::Debug for Command {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "{:#04x}", self.0),
        }
    }
}
