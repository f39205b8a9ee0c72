//! Changes of products and enterprises by the vendor or the vendor's console.

use rusqlite::{ToSql, params};
use serde::{Deserialize, Serialize};

use super::allow_list::network;
use super::store::Store;
use crate::error::{Error, invalid};

/// A setting of a product or an enterprise that the vendor, or the vendor's console, could change.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "switch", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Switch {
    /// Whether a product is published: its logs are closed then.
    Published {
        /// The product's key.
        product_key: String,
        /// Whether it is.
        on: bool,
    },
    /// Whether the logs of a product are open though it is published.
    OpenLogs {
        /// The product's key.
        product_key: String,
        /// Whether they are.
        on: bool,
    },
    /// Whether a product may be controlled from afar.
    RemoteControl {
        /// The product's key.
        product_key: String,
        /// Whether it may.
        on: bool,
    },
    /// Whose a product is.
    Association {
        /// The product's key.
        product_key: String,
        /// The enterprise's id; none: nobody's.
        enterprise_id: Option<String>,
    },
    /// How many calls an hour an enterprise has.
    Quota {
        /// The enterprise's id.
        enterprise_id: String,
        /// How many.
        calls: i64,
    },
    /// Whether an enterprise is outside China.
    Overseas {
        /// The enterprise's id.
        enterprise_id: String,
        /// Whether it is.
        on: bool,
    },
    /// The addresses that an enterprise may call from.
    Allow {
        /// The enterprise's id.
        enterprise_id: String,
        /// Addresses, or networks as `10.0.0.0/8`; none: all.
        networks: Vec<String>,
    },
}

impl Store {
    /// Turns a switch.
    pub(crate) fn switch(&self, switch: &Switch) -> Result<(), Error> {
        let product = |column: &str, value: &dyn ToSql, key: &str| {
            let sql = format!("UPDATE product SET {column} = ? WHERE key = ?");
            self.run(&sql, params![value, key])
        };
        let enterprise = |column: &str, value: &dyn ToSql, id: &str| {
            let sql = format!("UPDATE enterprise SET {column} = ? WHERE id = ?");
            self.run(&sql, params![value, id])
        };
        let changed = match switch {
            Switch::Published { product_key, on } => product("published", on, product_key),
            Switch::OpenLogs { product_key, on } => product("open_logs", on, product_key),
            Switch::RemoteControl { product_key, on } => product("remote_control", on, product_key),
            Switch::Association {
                product_key,
                enterprise_id,
            } => self.run(
                "UPDATE product SET enterprise = ?1 WHERE key = ?2 AND (?1 IS NULL
                    OR EXISTS (SELECT 1 FROM enterprise WHERE id = ?1))",
                params![enterprise_id, product_key],
            ),
            Switch::Quota { calls, .. } if *calls < 0 => {
                return invalid(format!("a quota of {calls} calls: 0 or more are expected"));
            }
            Switch::Quota {
                enterprise_id,
                calls,
            } => enterprise("quota", calls, enterprise_id),
            Switch::Overseas { enterprise_id, on } => enterprise("overseas", on, enterprise_id),
            Switch::Allow { networks, .. } if networks.iter().any(|one| network(one).is_none()) => {
                return invalid("an address or a network as 10.0.0.0/8 is expected");
            }
            Switch::Allow {
                enterprise_id,
                networks,
            } => enterprise("allow", &networks.join(" "), enterprise_id),
        };
        match changed? {
            0 => invalid("there is no such one"),
            _ => Ok(()),
        }
    }
}
