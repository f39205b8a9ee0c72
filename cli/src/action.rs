//! An action as an argument.

use clap::ValueEnum;
use gizwits_codec_std::Action;

/// The name of an action.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ActionName {
    /// Sets points; sent to the device
    Control,
    /// Requests the status; sent to the device
    Read,
    /// Answers a read; sent by the device
    Reply,
    /// Reports the status without a request; sent by the device
    Report,
}

impl From<ActionName> for Action {
    fn from(name: ActionName) -> Self {
        match name {
            ActionName::Control => Action::Control,
            ActionName::Read => Action::Read,
            ActionName::Reply => Action::Reply,
            ActionName::Report => Action::Report,
        }
    }
}
