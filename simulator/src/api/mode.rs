//! Faults on demand: what a route does differently from a sound server, always or for the next calls.

use std::time::Duration;

use gizwits_codec_std::payload;
use rusqlite::params;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::http::Answer;
use super::refusal::CODES;
use crate::error::{Error, invalid};
use crate::world::{Sql, Store, json};

/// A way in which a server goes wrong, or in which the documents leave it a choice.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "mode", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Mode {
    /// Bools come as 0 and 1.
    BoolAsInt,
    /// Longitude and latitude come as text.
    PlaceAsText,
    /// `error_code` comes as text, and the detail as `detail`: the form of 2016.
    CodeAsText,
    /// Payloads of the command log come as base64.
    Base64Payloads,
    /// No `X-RateLimit-…` headers.
    NoRateHeaders,
    /// The gateway answers, with a page; nothing behind it sees the call.
    Html502,
    /// The answer comes later.
    Slow {
        /// The delay in milliseconds.
        millis: u64,
    },
    /// The call is carried out, and the connection closed without an answer.
    Drop,
    /// All tokens of the product are revoked when the call comes.
    TokenRevoked,
    /// The server's clock is wrong, as seen in `Date`, `X-RateLimit-Reset` and `expire_at`.
    ClockSkew {
        /// The milliseconds that it is ahead.
        millis: i64,
    },
    /// Pages begin at 0, whatever `skip` says.
    SkipIgnored,
    /// `next` and `previous` name another host.
    ForeignNext,
    /// The token's end comes as `expired_at`.
    ExpiredAt,
    /// The token's end comes under both names.
    BothExpire,
    /// Only one of the route's paths is there.
    OnlyPath {
        /// The index of the path, from 0.
        index: usize,
    },
    /// The call is refused with this documented code.
    Error {
        /// The code.
        code: u32,
    },
    /// The body of a success is empty.
    EmptyBody,
    /// The values of a raw control are not checked: devices get whatever is sent.
    UncheckedRaw,
}

/// A mode that is set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ModeSet {
    /// The id by which it is cleared.
    pub id: i64,
    /// The route's name, or `*`.
    pub route: String,
    /// The mode.
    #[serde(flatten)]
    pub mode: Mode,
    /// The number of calls that it still holds for; none: all.
    pub count: Option<i64>,
}

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
            return invalid("the code is none that is documented");
        }
        if count == Some(0) {
            return invalid("count is at least 1");
        }
        let mode = serde_json::to_string(mode).or_else(|error| invalid(error.to_string()))?;
        let sql = "INSERT INTO mode (route, mode, remaining) VALUES (?, ?, ?)";
        self.run(sql, params![route, mode, count])?;
        Ok(self.connection.last_insert_rowid())
    }

    /// The modes of a route; all modes without one.
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

    /// Clears a mode, or all of them. Returns how many there were.
    pub(crate) fn clear_modes(&self, id: Option<i64>) -> Sql<usize> {
        self.run("DELETE FROM mode WHERE ?1 IS NULL OR id = ?1", [id])
    }

    /// The modes of a call to a route, which uses up those that are set for a number of calls.
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

    /// How much the server's clock is ahead, in milliseconds.
    pub(crate) fn skew(&self) -> i64 {
        self.0.iter().fold(0, |sum: i64, mode| match mode {
            Mode::ClockSkew { millis } => sum.saturating_add(*millis),
            _ => sum,
        })
    }

    /// How long an answer is held back.
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

    /// Whether the path with this index is closed.
    pub(crate) fn closes(&self, path: usize) -> bool {
        let mut modes = self.0.iter();
        modes.any(|mode| matches!(mode, Mode::OnlyPath { index } if *index != path))
    }

    /// Changes an answer that is otherwise sound.
    pub(crate) fn apply(&self, answer: &mut Answer) {
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
