//! Modes: deviations of a route from its normal answers, for a number of calls or until they are cleared.

use std::time::Duration;

use gizwits_codec_std::payload;
use rusqlite::params;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::http::Response;
use super::refusal::CODES;
use crate::error::{Error, invalid};
use crate::world::{Sql, Store, json};

/// A deviation from the normal answers: a fault of the server, or another reading of the vendor's documents.
///
/// [`Simulator::set_mode`](crate::Simulator::set_mode) sets a mode for a route. In JSON, `mode` is the name in snake
/// case, beside the fields of the variant: `{"mode": "slow", "millis": 500}`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "mode", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Mode {
    /// Bools in answers are the numbers 0 and 1.
    BoolAsInt,
    /// Longitudes and latitudes in answers are strings.
    PlaceAsText,
    /// Errors have the form of 2016: `error_code` is a string, and `detail` replaces `detail_message`.
    CodeAsText,
    /// Payloads of the command log are in base64 instead of hex.
    Base64Payloads,
    /// Answers have no `X-RateLimit-…` headers.
    NoRateHeaders,
    /// The gateway answers with an HTML page and status 502. The call is not carried out.
    Html502,
    /// The answer is delayed.
    Slow {
        /// The delay in milliseconds, at most ten minutes.
        millis: u64,
    },
    /// The call is carried out, but the connection is closed without an answer.
    Drop,
    /// All tokens of the product are revoked before the token of the call is checked.
    TokenRevoked,
    /// The server's clock is wrong in `Date`, `X-RateLimit-Reset` and `expire_at`.
    ClockSkew {
        /// The number of milliseconds that the clock is ahead. Negative if it is behind.
        millis: i64,
    },
    /// `skip` is ignored: every page is the first page.
    SkipIgnored,
    /// `next` and `previous` name another host.
    ForeignNext,
    /// The expiry time of a token is named `expired_at` instead of `expire_at`.
    ExpiredAt,
    /// The expiry time of a token has both names, `expire_at` and `expired_at`.
    BothExpire,
    /// All paths of the route but one answer 404.
    OnlyPath {
        /// The index of the remaining path in [`Route::paths`](crate::Route::paths), from 0.
        index: usize,
    },
    /// The call is refused with an error code.
    Error {
        /// The code, one of [`CODES`].
        code: u32,
    },
    /// The body of a successful answer is empty.
    EmptyBody,
    /// The values of a raw control are not checked and reach the device.
    UncheckedRaw,
}

/// A mode that is set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ModeSet {
    /// The id, for [`Simulator::clear_modes`](crate::Simulator::clear_modes).
    pub id: i64,
    /// The name of the route, or `*` for all routes.
    pub route: String,
    /// The mode.
    #[serde(flatten)]
    pub mode: Mode,
    /// The number of calls that the mode still applies to. `None` if it applies until it is cleared.
    pub count: Option<i64>,
}

/// The maximum number of modes that are set at a time. Each call looks at all of them.
const MODES: i64 = 1000;

impl Store {
    /// Sets a mode and returns its id.
    pub(crate) fn set_mode(
        &self,
        route: &str,
        mode: &Mode,
        count: Option<u32>,
    ) -> Result<i64, Error> {
        if let Mode::Error { code } = mode
            && !CODES.iter().any(|(documented, ..)| documented == code)
        {
            return invalid(format!("{code} is not a documented error code"));
        }
        if count == Some(0) {
            return invalid("`count` is 0: expected at least 1");
        }
        if self.value::<i64>("SELECT count(*) FROM mode", [])? >= MODES {
            return invalid(format!(
                "{MODES} modes are set, which is the limit: clear some first"
            ));
        }
        let mode = serde_json::to_string(mode).or_else(|error| invalid(error.to_string()))?;
        let sql = "INSERT INTO mode (route, mode, remaining) VALUES (?, ?, ?)";
        self.run(sql, params![route, mode, count])?;
        Ok(self.connection.last_insert_rowid())
    }

    /// The modes of a route, or all modes if `route` is `None`.
    pub(crate) fn modes(&self, route: Option<&str>) -> Sql<Vec<ModeSet>> {
        self.rows(
            "SELECT id, route, mode, remaining FROM mode
             WHERE ?1 IS NULL OR route IN (?1, '*') ORDER BY id",
            [route],
            |row| {
                Ok(ModeSet {
                    id: row.get(0)?,
                    route: row.get(1)?,
                    mode: json(row, 2)?,
                    count: row.get(3)?,
                })
            },
        )
    }

    /// Clears the mode with this id, or all modes. Returns the number of cleared modes.
    pub(crate) fn clear_modes(&self, id: Option<i64>) -> Sql<usize> {
        self.run("DELETE FROM mode WHERE ?1 IS NULL OR id = ?1", [id])
    }

    /// The modes that apply to a call of a route. A mode with a count is counted down, and deleted after the last
    /// call.
    pub(crate) fn use_modes(&self, route: &str) -> Sql<Modes> {
        let mut modes = Modes::default();
        for set in self.modes(Some(route))? {
            modes.0.push(set.mode);
            if let Some(count) = set.count {
                let sql = match count {
                    ..=1 => "DELETE FROM mode WHERE id = ?",
                    _ => "UPDATE mode SET remaining = remaining - 1 WHERE id = ?",
                };
                self.run(sql, [set.id])?;
            }
        }
        Ok(modes)
    }
}

/// The modes of a route.
#[derive(Debug, Default)]
pub(crate) struct Modes(Vec<Mode>);

impl Modes {
    pub(crate) fn has(&self, mode: &Mode) -> bool {
        self.0.contains(mode)
    }

    /// The number of milliseconds that the server's clock is ahead.
    pub(crate) fn skew(&self) -> i64 {
        self.0.iter().fold(0, |sum: i64, mode| match mode {
            Mode::ClockSkew { millis } => sum.saturating_add(*millis),
            _ => sum,
        })
    }

    /// The delay of the answer.
    pub(crate) fn delay(&self) -> Duration {
        let longest = self.0.iter().fold(0, |longest, mode| match mode {
            Mode::Slow { millis } => longest.max(*millis),
            _ => longest,
        });
        Duration::from_millis(longest.min(600_000))
    }

    pub(crate) fn error(&self) -> Option<u32> {
        self.0.iter().find_map(|mode| match mode {
            Mode::Error { code } => Some(*code),
            _ => None,
        })
    }

    /// Whether the path with this index answers 404.
    pub(crate) fn closes(&self, path: usize) -> bool {
        let mut modes = self.0.iter();
        modes.any(|mode| matches!(mode, Mode::OnlyPath { index } if *index != path))
    }

    /// Applies the modes to a normal answer.
    pub(crate) fn apply(&self, answer: &mut Response) {
        answer.delay = self.delay();
        answer.dropped = self.has(&Mode::Drop);
        if self.has(&Mode::EmptyBody) && answer.status < 300 {
            answer.body.clear();
            return;
        }
        if !self.0.is_empty()
            && let Ok(sound) = serde_json::from_slice::<Value>(&answer.body)
        {
            let mut body = sound.clone();
            self.change(&mut body);
            if body != sound {
                answer.body = body.to_string().into_bytes();
            }
        }
    }

    fn change(&self, value: &mut Value) {
        match value {
            Value::Bool(on) if self.has(&Mode::BoolAsInt) => *value = u8::from(*on).into(),
            Value::Array(all) => all.iter_mut().for_each(|one| self.change(one)),
            Value::Object(object) => {
                for (key, value) in object.iter_mut() {
                    self.change(value);
                    self.member(key, value);
                }
                self.rename(object);
            }
            _ => {}
        }
    }

    fn member(&self, key: &str, value: &mut Value) {
        let text = match (key, &*value) {
            ("longitude" | "latitude", Value::Number(number)) if self.has(&Mode::PlaceAsText) => {
                number.to_string()
            }
            ("error_code", Value::Number(code)) if self.has(&Mode::CodeAsText) => code.to_string(),
            ("payload", Value::String(hex)) if self.has(&Mode::Base64Payloads) => {
                match payload::parse(hex, Some(payload::Encoding::Hex)) {
                    Ok(bytes) => payload::base64(&bytes),
                    Err(_) => return,
                }
            }
            ("next" | "previous", Value::String(link)) if self.has(&Mode::ForeignNext) => {
                format!("http://elsewhere.invalid{link}")
            }
            _ => return,
        };
        *value = text.into();
    }

    fn rename(&self, object: &mut Map<String, Value>) {
        if self.has(&Mode::CodeAsText)
            && object.contains_key("error_code")
            && let Some(detail) = object.remove("detail_message")
        {
            let text = detail.as_str().unwrap_or("").to_owned();
            object.insert("detail".to_owned(), text.into());
        }
        if let Some(end) = object.get("expire_at").cloned() {
            if self.has(&Mode::ExpiredAt) {
                object.remove("expire_at");
            }
            if self.has(&Mode::ExpiredAt) || self.has(&Mode::BothExpire) {
                object.insert("expired_at".to_owned(), end);
            }
        }
    }
}
