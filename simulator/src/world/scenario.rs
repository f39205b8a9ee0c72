//! Scenarios: the first state of a world, and the behaviours of its devices, in TOML.

use std::fmt;
use std::path::{Path, PathBuf};

use jiff::SpanRelativeTo;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::behaviour::Behaviour;
use super::day::DAY;
use crate::error::{Error, reject};

/// The reasons for which a device can go offline.
pub const OFFLINE_REASONS: [&str; 9] = [
    "mqtt_disconnect",
    "no_heartbeat",
    "tcp_closed",
    "ssl_closed",
    "offline_force",
    "offline_reset",
    "offline_exception",
    "offline_sending_density_overflow",
    "offline_sending_data_size_overflow",
];

/// Returns the reason in lower case. An unknown reason is an error that lists [`OFFLINE_REASONS`].
pub(crate) fn known_reason(reason: &str) -> Result<String, String> {
    let reason = reason.to_ascii_lowercase();
    match OFFLINE_REASONS.contains(&&*reason) {
        true => Ok(reason),
        false => Err(format!(
            "`{reason}` is not a reason to go offline: expected {}",
            OFFLINE_REASONS.join(", ")
        )),
    }
}

/// The first state of a world, and the behaviours of its devices, read from TOML.
///
/// This scenario has all tables and keys:
/// ```toml
#[doc = include_str!("scenario/annotated.toml")]
/// ```
/// A behaviour has its turns after `every`, 10 % more or less at random, and its first turn at a random
/// time within `every`. Turns of a device that is offline are skipped.
///
/// A walk or cycle with `live = true` has turns only while the clock runs by itself: none in the history of the world,
/// none with [`Time::Manual`](crate::Time::Manual), and none for a time that is stepped over. Its first turn is
/// after `every`.
#[derive(Clone)]
pub struct Scenario {
    pub(crate) world: World,
    pub(crate) text: String,
    folder: Option<PathBuf>,
}

impl fmt::Debug for Scenario {
    /// Shows the numbers of things in the world, without the secrets of enterprises, products and devices.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scenario")
            .field("seed", &self.world.seed)
            .field("products", &self.world.product.len())
            .field("devices", &self.world.device.len())
            .field("users", &self.world.user.len())
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

/// The text of a TOML error: line, column, key and message. It has no line of the scenario, because any line may have
/// a secret: a value whose key is misspelt, or a part of a string of several lines.
fn sentence(text: &str, mut error: toml::de::Error) -> String {
    let start = error.span().map_or(0, |span| span.start);
    let before = text.get(..start).unwrap_or_default();
    let number = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    // Without the input, the text is the message and the path of the key.
    error.set_input(None);
    let described = error.to_string();
    let key = described.strip_prefix(error.message()).unwrap_or_default();
    let key = match key.trim() {
        "" => String::new(),
        key => format!(", {key}"),
    };
    let message = without_value(error.message());
    format!("line {number}, column {column}{key}: {message}")
}

/// The message of an error of serde without the value that has the wrong type, which may be a secret.
fn without_value(message: &str) -> String {
    let is_wrong = message.starts_with("invalid type: ") || message.starts_with("invalid value: ");
    match (
        message.split_once(['"', '`']),
        message.rsplit_once(", expected "),
    ) {
        (Some((kind, _)), Some((found, expected))) if is_wrong && kind.len() < found.len() => {
            format!("{}, expected {expected}", kind.trim_end())
        }
        _ => message.to_owned(),
    }
}

impl Scenario {
    /// The default scenario: two products, six devices and two users.
    #[must_use]
    pub fn builtin() -> Self {
        let text = include_str!("scenario/builtin.toml");
        Scenario {
            // A unit test parses this text, so the default is never used.
            world: toml::from_str(text).unwrap_or_default(),
            text: text.to_owned(),
            folder: None,
        }
    }

    /// The TOML of the [default scenario](Self::builtin), as a template for other scenarios.
    #[must_use]
    pub fn builtin_text() -> &'static str {
        include_str!("scenario/builtin.toml")
    }

    /// A scenario with every table and key, each with a comment that explains it.
    #[must_use]
    pub fn annotated_text() -> &'static str {
        include_str!("scenario/annotated.toml")
    }

    /// Parses a scenario. The names of definition files are relative to `folder`; without a folder, such
    /// names are errors of [`Builder::build`](crate::Builder::build).
    ///
    /// # Errors
    /// [`Error::Scenario`] with the line of the problem.
    pub fn from_toml(text: &str, folder: Option<&Path>) -> Result<Self, Error> {
        let world = toml::from_str(text).or_else(|error| reject(sentence(text, error)))?;
        Ok(Scenario {
            world,
            text: text.to_owned(),
            folder: folder.map(Path::to_owned),
        })
    }

    /// Reads a scenario from a file. The names of definition files are relative to its folder.
    ///
    /// # Errors
    /// [`Error::Io`] if the file can't be read, [`Error::Scenario`] with the line of the problem.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path)?;
        Scenario::from_toml(&text, path.parent())
    }

    /// Sets the seed of the random numbers. Default: the seed of the text.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.world.seed = seed;
        self
    }

    /// The JSON of a product's definition: inline, built in, or from a file.
    pub(crate) fn definition(&self, product: &ProductSpec) -> Result<Option<String>, Error> {
        Ok(Some(match product.definition.as_deref() {
            None => return Ok(None),
            Some("air-conditioner") => {
                include_str!("../../definitions/air-conditioner.json").to_owned()
            }
            Some("wave-pump") => include_str!("../../definitions/wave-pump.json").to_owned(),
            Some(inline) if inline.trim_start().starts_with('{') => inline.to_owned(),
            Some(file) => {
                let Some(folder) = &self.folder else {
                    return reject(format!("there is no definition `{file}`: {BUILT_IN}"));
                };
                let path = folder.join(file);
                let shown = path.display();
                std::fs::read_to_string(&path).or_else(|error| match error.kind() {
                    std::io::ErrorKind::NotFound => reject(format!(
                        "there is no definition `{file}`: {BUILT_IN}, and there is no file {shown}"
                    )),
                    _ => reject(format!("{shown}: {error}")),
                })?
            }
        }))
    }
}

/// The built-in definitions, for messages.
const BUILT_IN: &str = "built in are air-conditioner and wave-pump";

/// A time span in milliseconds. Scenarios write it as `300ms`, `90s`, `10m`, `6h` or `1d 12h`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TimeSpan(pub(crate) i64);

impl<'de> Deserialize<'de> for TimeSpan {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        TimeSpan::parse(&text).ok_or_else(|| {
            serde::de::Error::custom(format_args!(
                "`{text}` is not a time span: expected a form such as 300ms, 90s, 10m, 6h or 1d 12h"
            ))
        })
    }
}

impl Serialize for TimeSpan {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!("{}ms", self.0))
    }
}

impl TimeSpan {
    fn parse(text: &str) -> Option<Self> {
        let span: jiff::Span = text.parse().ok()?;
        // Months and years have no fixed length and fail here.
        let length = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
        let millis = i64::try_from(length.as_millis()).ok()?;
        (0..=3_660 * DAY)
            .contains(&millis)
            .then_some(TimeSpan(millis))
    }
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) history: TimeSpan,
    pub(crate) live_reports: bool,
    #[serde(default = "yes")]
    pub(crate) group_descendants: bool,
    pub(crate) enterprise: Vec<EnterpriseSpec>,
    pub(crate) app: Vec<AppSpec>,
    pub(crate) product: Vec<ProductSpec>,
    pub(crate) device: Vec<DeviceSpec>,
    pub(crate) user: Vec<UserSpec>,
}

fn yes() -> bool {
    true
}

fn millis<const N: i64>() -> TimeSpan {
    TimeSpan(N)
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EnterpriseSpec {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) quota: Option<i64>,
    #[serde(default)]
    pub(crate) overseas: bool,
    #[serde(default)]
    pub(crate) allow: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AppSpec {
    pub(crate) appid: String,
    #[serde(default)]
    pub(crate) products: Vec<String>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProductSpec {
    pub(crate) definition: Option<String>,
    /// Whether an invalid definition is kept. Calls that need it are refused with 5406.
    #[serde(default)]
    pub(crate) unchecked: bool,
    pub(crate) name: Option<String>,
    pub(crate) key: String,
    pub(crate) secret: String,
    pub(crate) enterprise: Option<String>,
    #[serde(default)]
    pub(crate) published: bool,
    #[serde(default)]
    pub(crate) open_logs: bool,
    #[serde(default = "yes")]
    pub(crate) remote_control: bool,
}

/// A geographic location.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Location {
    pub(crate) country: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) city: Option<String>,
    pub(crate) longitude: Option<f64>,
    pub(crate) latitude: Option<f64>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeviceSpec {
    pub(crate) product: String,
    pub(crate) mac: Option<String>,
    pub(crate) device_sn: Option<String>,
    pub(crate) did: Option<String>,
    pub(crate) passcode: Option<String>,
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    #[serde(default)]
    pub(crate) disabled: bool,
    #[serde(default)]
    pub(crate) place: Location,
    /// The versions of the MCU hardware and software and of the Wi-Fi hardware and software.
    #[serde(default)]
    pub(crate) versions: Option<[String; 4]>,
    #[serde(default)]
    pub(crate) initial: Values,
    #[serde(default)]
    pub(crate) after: TimeSpan,
    #[serde(default = "millis::<300>")]
    pub(crate) reply_after: TimeSpan,
    #[serde(default = "millis::<600_000>")]
    pub(crate) report_every: TimeSpan,
    pub(crate) full_every: Option<u32>,
    #[serde(default = "millis::<55_000>")]
    pub(crate) heartbeat: TimeSpan,
    #[serde(default = "millis::<125_000>")]
    pub(crate) keep_alive: TimeSpan,
    #[serde(default)]
    pub(crate) walk: Vec<WalkSpec>,
    #[serde(default)]
    pub(crate) countdown: Vec<CountdownSpec>,
    #[serde(default)]
    pub(crate) change: Vec<ChangeSpec>,
    #[serde(default)]
    pub(crate) cycle: Vec<CycleSpec>,
    #[serde(default)]
    pub(crate) trouble: Vec<TroubleSpec>,
    #[serde(default)]
    pub(crate) offline: Vec<OfflineSpec>,
}

impl DeviceSpec {
    /// All behaviours. The random time of the first turn depends on their order.
    pub(crate) fn behaviours(&self) -> impl Iterator<Item = Behaviour> {
        let offline = self.offline.iter().cloned().map(Behaviour::Offline);
        offline
            .chain(self.walk.iter().cloned().map(Behaviour::Walk))
            .chain(self.countdown.iter().cloned().map(Behaviour::Countdown))
            .chain(self.change.iter().cloned().map(Behaviour::Change))
            .chain(self.cycle.iter().cloned().map(Behaviour::Cycle))
            .chain(self.trouble.iter().cloned().map(Behaviour::Trouble))
    }
}

/// Values by the names of points, as in a control of the API.
pub(crate) type Values = serde_json::Map<String, serde_json::Value>;

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WalkSpec {
    pub(crate) point: String,
    pub(crate) every: TimeSpan,
    pub(crate) step: f64,
    pub(crate) min: Option<f64>,
    pub(crate) max: Option<f64>,
    pub(crate) towards: Option<String>,
    pub(crate) when: Option<String>,
    /// Whether turns happen only while the clock runs by itself.
    #[serde(default)]
    pub(crate) live: bool,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CountdownSpec {
    pub(crate) point: String,
    pub(crate) every: TimeSpan,
    pub(crate) set: Values,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeSpec {
    pub(crate) every: TimeSpan,
    pub(crate) set: Values,
    /// Whether values may be outside their limits, like those of a broken sensor.
    #[serde(default)]
    pub(crate) unchecked: bool,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CycleSpec {
    pub(crate) point: String,
    pub(crate) every: TimeSpan,
    pub(crate) values: Vec<serde_json::Value>,
    /// Whether turns happen only while the clock runs by itself.
    #[serde(default)]
    pub(crate) live: bool,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TroubleSpec {
    pub(crate) point: String,
    pub(crate) every: TimeSpan,
    pub(crate) lasts: TimeSpan,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OfflineSpec {
    pub(crate) reason: String,
    pub(crate) every: TimeSpan,
    pub(crate) lasts: TimeSpan,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserSpec {
    pub(crate) uid: Option<String>,
    pub(crate) app: String,
    pub(crate) username: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) name: Option<String>,
    #[serde(default)]
    pub(crate) place: Location,
    #[serde(default)]
    pub(crate) after: TimeSpan,
    #[serde(default)]
    pub(crate) binds: Vec<String>,
    pub(crate) visits: Option<TimeSpan>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_builtin_scenario_is_read() {
        let world: World = toml::from_str(Scenario::builtin_text()).unwrap();
        assert_eq!((world.product.len(), world.device.len()), (2, 6));
        assert!(world.group_descendants);
    }

    #[test]
    fn the_annotated_scenario_makes_a_world() {
        let scenario = Scenario::from_toml(Scenario::annotated_text(), None).unwrap();
        let simulator = crate::Simulator::builder()
            .scenario(scenario)
            .build()
            .unwrap();
        assert_eq!(simulator.credentials().unwrap()[0].dids.len(), 1);
    }

    #[test]
    fn errors_show_no_value() {
        const SECRET: &str = "hunter2";
        for (text, expected) in [
            (
                "[[enterprise]]\nid = \"e\"\npassword = \"hunter2\"",
                "line 3, column 1, in `enterprise`: unknown field `password`, expected one of \
                 `id`, `secret`, `quota`, `overseas`, `allow`",
            ),
            ("[[user]]\npassword = \"hunter2\"", ""),
            ("password = \"hunter2\"", ""),
            (
                "[[enterprise]]\nid = \"e\"\nsecret = \"\"\"\nhunter2\\q\n\"\"\"",
                "",
            ),
            ("[[enterprise]]\nid = \"e\"\nsecret = \"\"\"\nhunter2\n", ""),
            ("[[enterprise]]\nid = \"e\"\nsecret = \"hunter2", ""),
            ("[[enterprise]]\nid = \"e\"\nsecret = hunter2", ""),
            ("[[enterprise]]\nid = \"e\"\nsecret = [\n\"hunter2\"\n]", ""),
            ("[[enterprise]]\nid = \"e\"\nsecret \"hunter2\"", ""),
            ("enterprise = \"hunter2\"", ""),
            ("device = [\"hunter2\"]", ""),
            (
                "seed = \"hunter2, expected `x`\"",
                "line 1, column 8, in `seed`: invalid type: string, expected u64",
            ),
        ] {
            let error = Scenario::from_toml(text, None).unwrap_err().to_string();
            assert!(!error.contains(SECRET), "{text}\n{error}");
            let expected = match expected {
                "" => "line ",
                expected => expected,
            };
            assert!(
                error.starts_with(&format!("the scenario: {expected}")),
                "{text}\n{error}"
            );
        }
        let text = "[[product]]\nkey = \"k\"\nsecret = 1234567";
        let error = Scenario::from_toml(text, None).unwrap_err().to_string();
        assert!(!error.contains("1234567"), "{error}");
    }

    #[test]
    fn spans() {
        assert_eq!(TimeSpan::parse("1d 12h"), Some(TimeSpan(129_600_000)));
        assert_eq!(TimeSpan::parse("300ms"), Some(TimeSpan(300)));
        for text in ["", "5", "m", "-1s", "1y", "99999999999999d", "4000d"] {
            assert_eq!(TimeSpan::parse(text), None, "{text}");
        }
    }
}
