//! Requests, answers, parameters, errors and modes: what all endpoints share.

mod call;
mod http;
mod mode;
mod page;
mod parameters;
mod refusal;

pub use http::{Request, Response};
pub use mode::{Mode, ModeSet};
pub use refusal::CODES;

pub(crate) use call::{Call, Enterprise, Nothing};
pub(crate) use http::{date, decode, query_pairs};
pub(crate) use mode::Modes;
pub(crate) use page::{Page, Paging};
pub(crate) use parameters::{Day, Flag, NonEmptyText, Number, check_kind_and_value, is_set};
pub(crate) use refusal::{ErrorBody, Failure, refusal, refuse, refuse_because};
