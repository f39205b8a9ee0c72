//! A control of a client that reconnects.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;

use crate::client::RequestError;

/// A control for a device, and how it is delivered.
///
/// ```
/// use std::time::Duration;
/// use gizwits_lan::{Control, Delivery};
///
/// // A pump that is switched on late would do harm.
/// let mut control = Control::new(&[0x01, 0x01, 0x01]);
/// control.deadline = Duration::from_secs(2);
/// assert_eq!(control.delivery, Delivery::AtMostOnce);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Control {
    /// The P0: a control, or transparent data.
    pub p0: Bytes,
    /// The time in which the control has to be sent, 10 s by default. A control that has waited for this time is never sent.
    pub deadline: Duration,
    /// The number of times that the control may be sent, [`Delivery::AtMostOnce`] by default.
    pub delivery: Delivery,
}

impl Control {
    /// Returns a control with this P0 and the defaults of all else.
    #[must_use]
    pub fn new(p0: &[u8]) -> Self {
        Control {
            p0: Bytes::copy_from_slice(p0),
            deadline: Duration::from_secs(10),
            delivery: Delivery::default(),
        }
    }
}

/// The number of times that a control may be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Delivery {
    /// The control is sent once. If its acknowledgement is lost, its outcome is [`ControlError::Unacknowledged`].
    #[default]
    AtMostOnce,
    /// The control is sent again until it is acknowledged or its deadline has passed. A device may execute it more than
    /// once, which is harmless for a control that sets a point to a value.
    AtLeastOnce,
}

/// The number of a control, in the order in which controls were submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ControlId(pub(crate) u64);

impl fmt::Display for ControlId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The reason for which a control was not acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// The deadline has passed before the control was sent. The device has not received it.
    #[error("the control was not sent: its deadline has passed before the device could take it")]
    NotSent,
    /// The control was sent, and no acknowledgement has arrived. The device may have executed it.
    #[error(
        "the control was sent, but the device has not acknowledged it: it may have executed it"
    )]
    Unacknowledged,
    /// The P0 is no control. The device has not received it.
    #[error("the control was not sent: expected a P0 with the action 01, 05 or 11")]
    Action,
    /// The P0 is too long for a frame. The device has not received it.
    #[error("the control was not sent: its P0 is too long for a frame")]
    TooLong,
    /// The maximum number of controls wait. The device has not received this one.
    #[error("the control was not sent: {0} controls wait already")]
    TooMany(usize),
}

impl ControlError {
    /// Returns whether the device may have executed the control.
    #[must_use]
    pub const fn may_be_executed(self) -> bool {
        matches!(self, ControlError::Unacknowledged)
    }
}

impl From<RequestError> for ControlError {
    /// Returns the error of a control whose request the client has refused, so that nothing was sent.
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::Action => ControlError::Action,
            RequestError::TooLong => ControlError::TooLong,
            RequestError::NotReady | RequestError::Closed | RequestError::TooMany => {
                ControlError::NotSent
            }
        }
    }
}
