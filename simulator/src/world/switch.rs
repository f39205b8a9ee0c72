//! Switches: settings of products and enterprises that are changed from outside the API.

use rusqlite::{ToSql, params};
use serde::{Deserialize, Serialize};

use super::allow_list::network;
use super::store::Store;
use crate::error::{Error, invalid};

/// A setting of a product or an enterprise that the vendor or its console would change.
///
/// [`Simulator::switch`](crate::Simulator::switch) changes it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "switch", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Switch {
    /// Whether a product is published. The logs of a published product are closed.
    Published {
        /// The key of the product.
        product_key: String,
        /// Whether the product is published.
        on: bool,
    },
    /// Whether the logs of a product stay open when it is published.
    OpenLogs {
        /// The key of the product.
        product_key: String,
        /// Whether the logs stay open.
        on: bool,
    },
    /// Whether the API may control the devices of a product.
    RemoteControl {
        /// The key of the product.
        product_key: String,
        /// Whether controls are allowed.
        on: bool,
    },
    /// The enterprise that a product is associated with.
    Association {
        /// The key of the product.
        product_key: String,
        /// The id of the enterprise. `None` removes the association.
        enterprise_id: Option<String>,
    },
    /// The number of calls that an enterprise may make in an hour.
    Quota {
        /// The id of the enterprise.
        enterprise_id: String,
        /// The calls per hour, 0 or more.
        calls: i64,
    },
    /// Whether an enterprise is outside China. Some reports are closed to such enterprises.
    Overseas {
        /// The id of the enterprise.
        enterprise_id: String,
        /// Whether the enterprise is outside China.
        on: bool,
    },
    /// The addresses from which an enterprise may call.
    Allow {
        /// The id of the enterprise.
        enterprise_id: String,
        /// IP addresses, and networks such as `10.0.0.0/8`. An empty list allows all addresses.
        networks: Vec<String>,
    },
}

impl Store {
    /// Changes a setting.
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
                return invalid(format!("calls = {calls}: expected 0 or more"));
            }
            Switch::Quota {
                enterprise_id,
                calls,
            } => enterprise("quota", calls, enterprise_id),
            Switch::Overseas { enterprise_id, on } => enterprise("overseas", on, enterprise_id),
            Switch::Allow { networks, .. } if networks.iter().any(|one| network(one).is_none()) => {
                return invalid("networks: expected IP addresses, or networks such as 10.0.0.0/8");
            }
            Switch::Allow {
                enterprise_id,
                networks,
            } => enterprise("allow", &networks.join(" "), enterprise_id),
        };
        match changed? {
            0 => invalid("there is no such product or enterprise"),
            _ => Ok(()),
        }
    }
}
