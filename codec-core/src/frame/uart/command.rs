//! The commands of the UART protocol (vendor: UART protocol, the table of commands).

/// A command of the UART protocol. The number of an acknowledgement is one above that of its request.
///
/// ```
/// use gizwits_codec_core::uart::Command;
///
/// assert_eq!(Command::HEARTBEAT.ack(), Command::HEARTBEAT_ACK);
/// assert_eq!(Command(0x07).name(), Some("HEARTBEAT"));
/// assert_eq!(Command::HEARTBEAT_ACK.request(), Some(Command::HEARTBEAT));
/// assert!(!Command(0x60).is_known());
/// ```
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

            /// Returns the name of the constant with this number, or `None` if there is none.
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
    /// Sent by the module: asks for the description of the device.
    INFO = 0x01, INFO_ACK = 0x02 "The payload is a [`DeviceInfo`](super::DeviceInfo).";
    /// Sent by the module: a P0 to the device.
    TO_DEVICE = 0x03, TO_DEVICE_ACK = 0x04 "The acknowledgement of a read has a P0, others are empty.";
    /// Sent by the MCU: a P0 from the device.
    FROM_DEVICE = 0x05, FROM_DEVICE_ACK = 0x06;
    /// Sent by the module every 55 s. Four missed heartbeats in a row restart the module.
    HEARTBEAT = 0x07, HEARTBEAT_ACK = 0x08;
    /// Sent by the MCU: lets a phone configure the network. The payload is a
    /// [`ConfigMode`](super::ConfigMode).
    CONFIGURE = 0x09, CONFIGURE_ACK = 0x0a;
    /// Sent by the MCU: resets the module, which forgets its network and its owner.
    RESET = 0x0b, RESET_ACK = 0x0c;
    /// Sent by the module: a [`ModuleStatus`](super::ModuleStatus).
    STATUS = 0x0d, STATUS_ACK = 0x0e;
    /// Sent by the module: asks the MCU to restart.
    REBOOT = 0x0f, REBOOT_ACK = 0x10;
    /// Sent by the module: the reason why a frame of the MCU was illegal, an [`Illegal`](super::Illegal).
    ILLEGAL = 0x11;
    /// Sent by the MCU, with the sequence number of an illegal frame of the module: the reason, an
    /// [`Illegal`](super::Illegal).
    ILLEGAL_ACK = 0x12;
    /// Sent by the MCU: starts the factory test of the module.
    TEST = 0x13, TEST_ACK = 0x14;
    /// Sent by the MCU: opens the period in which a user can bind the device.
    BIND = 0x15, BIND_ACK = 0x16;
    /// Sent by the MCU: asks for the network time.
    TIME = 0x17, TIME_ACK = 0x18 "The payload is a [`Time`](super::Time).";
    /// Big data, such as firmware: asks the receiver to accept a transfer.
    TRANSFER_ASK = 0x19, TRANSFER_ASK_ACK = 0x1a;
    /// Big data: the receiver is ready.
    TRANSFER_READY = 0x1b, TRANSFER_READY_ACK = 0x1c;
    /// Big data: one block of the data.
    TRANSFER_DATA = 0x1d, TRANSFER_DATA_ACK = 0x1e;
    /// Big data: the sender stops the transfer.
    TRANSFER_SENDER_STOP = 0x1f, TRANSFER_SENDER_STOP_ACK = 0x20;
    /// Sent by the MCU: asks for the description of the module.
    MODULE = 0x21, MODULE_ACK = 0x22 "The payload is a [`ModuleInfo`](super::ModuleInfo).";
    /// A transaction.
    TRANSACTION = 0x23, TRANSACTION_ACK = 0x24;
    /// The result of a transaction.
    TRANSACTION_RESULT = 0x25, TRANSACTION_RESULT_ACK = 0x26;
    /// Big data: the receiver stops the transfer.
    TRANSFER_RECEIVER_STOP = 0x27, TRANSFER_RECEIVER_STOP_ACK = 0x28;
    /// Sent by the MCU: asks the module to restart.
    MODULE_REBOOT = 0x29, MODULE_REBOOT_ACK = 0x2a;
    /// The first of the commands of virtual sub-devices.
    VIRTUAL_FIRST = 0x2d;
    /// The last of the commands of virtual sub-devices.
    VIRTUAL_LAST = 0x3c;
    /// The first of the commands that register a light gateway's sub-devices.
    GATEWAY_FIRST = 0x53;
    /// The last of the commands that register a light gateway's sub-devices.
    GATEWAY_LAST = 0x55;
}

impl Command {
    /// Returns the command that acknowledges this command: the next number.
    #[inline]
    pub const fn ack(self) -> Command {
        Command(self.0.wrapping_add(1))
    }

    /// Returns the command that this command acknowledges: the number before. Returns `None` if this command is no
    /// acknowledgement.
    pub const fn request(self) -> Option<Command> {
        match self.is_ack() {
            true => Some(self.acknowledged()),
            false => None,
        }
    }

    /// Returns the command that an acknowledgement is about.
    #[inline]
    pub(crate) const fn acknowledged(self) -> Command {
        Command(self.0.wrapping_sub(1))
    }

    /// Returns whether the command acknowledges another. Of the commands that register a gateway's sub-devices, which
    /// is an acknowledgement is not known.
    pub const fn is_ack(self) -> bool {
        matches!(self.0, 0x02..=0x2a | 0x2e..=0x3c) && self.0 & 1 == 0
    }

    /// Returns whether the command is an acknowledgement that is not for the application.
    // One match of its own: the two functions together take 60 bytes more of a link.
    #[inline]
    pub(crate) const fn is_link_ack(self) -> bool {
        matches!(self.0, 0x02..=0x18 | 0x22 | 0x2a) && self.0 & 1 == 0
    }

    /// Returns whether this crate leaves the content of the command to the application: big data, transactions and
    /// sub-devices, acknowledgements included.
    pub(crate) const fn is_for_application(self) -> bool {
        matches!(self.0, 0x19..=0x20 | 0x23..=0x28 | 0x2d..=0x3c | 0x53..=0x55)
    }

    /// Returns whether the protocol defines a command with this number.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of the constants agree with the functions.
    #[test]
    fn numbers_agree_with_names() {
        for number in 0..=u8::MAX {
            let command = Command(number);
            let is_named_ack = command.name().is_some_and(|name| name.ends_with("_ACK"));
            let is_sub_device = matches!(number, 0x2d..=0x3c | 0x53..=0x55);
            assert!(
                command.is_ack() == is_named_ack || is_sub_device,
                "{number:#04x}"
            );
            let request = command.is_ack().then_some(Command(number.wrapping_sub(1)));
            assert_eq!(command.request(), request);
            assert!(request.is_none_or(|request| request.ack() == command));
            let is_big = command.name().is_some_and(|name| name.starts_with("TRANS"));
            let is_for_application = command.is_for_application();
            assert_eq!(is_for_application, is_big || is_sub_device);
            let is_link_ack = command.is_ack() && !is_for_application;
            assert_eq!(command.is_link_ack(), is_link_ack, "{number:#04x}");
            let is_known = command.name().is_some() || is_sub_device;
            assert_eq!(command.is_known(), is_known, "{number:#04x}");
        }
    }
}
