//! Device groups: a tree with one root for each product.

use std::collections::BTreeMap;

use rusqlite::params;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::{Call, Failure, NonEmptyText, Nothing, refuse, refuse_because};
use crate::world::random;

/// The SQL condition for devices of the group `:gid`, and of its descendants if the scenario sets
/// `group_descendants`. Without a gid it holds for all devices.
pub(crate) const IN_GROUP: &str = "(:gid IS NULL OR gid IN (WITH RECURSIVE below (gid) AS (
        SELECT :gid
        UNION
        SELECT one.gid FROM device_group AS one JOIN below ON one.parent = below.gid
        WHERE (SELECT value FROM meta WHERE key = 'group_descendants')
    ) SELECT gid FROM below))";

/// The filter for a device group.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct GroupFilter {
    /// The gid of the devices' group, or of a group above it. Default: any group.
    gid: Option<String>,
}

impl GroupFilter {
    /// Returns the gid. Refuses an unknown group with 5206, a group of another product with 5201.
    pub(crate) fn known(self, call: &Call<'_>) -> Result<Option<String>, Failure> {
        if let Some(gid) = &self.gid {
            call.check_group(gid, 5206)?;
        }
        Ok(self.gid)
    }
}

/// The group to create.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({}))]
pub(crate) struct NewGroup {
    /// The gid of the parent. Default: none, for the root of the product.
    parent_gid: Option<NonEmptyText>,
}

/// The devices to add to a group or to remove from it.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({"action": "assign", "reassign": false, "macs": ["virtual:site"]}))]
pub(crate) struct GroupChange {
    /// Whether to add or to remove the devices.
    action: GroupAction,
    /// Whether to move devices that are in another group. Default: false, which leaves them there.
    reassign: Option<bool>,
    /// The MACs of the devices, at most 1000.
    #[schema(max_items = 1000)]
    macs: Vec<String>,
}

/// Whether devices are added to a group or removed.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum GroupAction {
    /// Adds the devices.
    Assign,
    /// Removes the devices.
    Unassign,
}

/// The gid of a group.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Gid {
    gid: String,
}

/// A group: its subgroups by gid, or `""` if it has none.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(no_recursion)]
pub(crate) enum GroupTree {
    /// The text `""`: no subgroups.
    Leaf(&'static str),
    /// The subgroups by gid.
    Groups(BTreeMap<String, GroupTree>),
}

/// The MACs of the devices of a group.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Macs {
    macs: Vec<String>,
}

/// The devices that were changed, and those that could not be.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Outcomes {
    failed: Vec<String>,
    success: Vec<String>,
}

impl Outcomes {
    /// Calls `act` with each name. `act` returns whether it succeeded.
    pub(crate) fn of(
        names: Vec<String>,
        mut act: impl FnMut(&str) -> Result<bool, Failure>,
    ) -> Result<Self, Failure> {
        let mut outcomes = Outcomes::default();
        for name in names {
            match act(&name)? {
                true => outcomes.success.push(name),
                false => outcomes.failed.push(name),
            }
        }
        Ok(outcomes)
    }
}

pub(crate) fn tree(call: &Call<'_>) -> Result<GroupTree, Failure> {
    let sql = "SELECT gid, parent FROM device_group WHERE product = ? ORDER BY number";
    let rows: Vec<(String, Option<String>)> =
        call.store
            .rows(sql, [call.product_key()], |row| row.try_into())?;
    // A group was created after its parent, so backwards every group has all of its subgroups.
    let mut below: BTreeMap<Option<String>, BTreeMap<String, GroupTree>> = BTreeMap::new();
    for (gid, parent) in rows.into_iter().rev() {
        let group = match below.remove(&Some(gid.clone())) {
            Some(groups) => GroupTree::Groups(groups),
            None => GroupTree::Leaf(""),
        };
        below.entry(parent).or_default().insert(gid, group);
    }
    Ok(GroupTree::Groups(below.remove(&None).unwrap_or_default()))
}

pub(crate) fn create(call: &Call<'_>, new: NewGroup) -> Result<Gid, Failure> {
    let parent = new.parent_gid.map(|gid| gid.0);
    match &parent {
        Some(gid) => call.check_group(gid, 5202)?,
        None => {
            let root = "SELECT 1 FROM device_group WHERE product = ? AND parent IS NULL";
            if call.store.has(root, [call.product_key()])? {
                return refuse(5203);
            }
        }
    }
    let count = call.store.next("groups")?;
    let gid = random::hex32(call.store.seed, "gid", count);
    call.store.run(
        "INSERT INTO device_group (gid, product, parent, number) VALUES (?, ?, ?, ?)",
        params![gid, call.product_key(), parent, count],
    )?;
    Ok(Gid { gid })
}

pub(crate) fn delete(call: &Call<'_>) -> Result<Nothing, Failure> {
    let gid = call.param("gid");
    call.check_group(gid, 5206)?;
    for (code, content) in [
        (5204, "SELECT 1 FROM device_group WHERE parent = ?"),
        (5205, "SELECT 1 FROM device WHERE gid = ?"),
    ] {
        if call.store.has(content, [gid])? {
            return refuse(code);
        }
    }
    let sql = "DELETE FROM device_group WHERE gid = ?";
    call.store.run(sql, [gid])?;
    Ok(Nothing {})
}

pub(crate) fn macs(call: &Call<'_>) -> Result<Macs, Failure> {
    let gid = call.param("gid");
    call.check_group(gid, 5206)?;
    let sql = "SELECT mac FROM device WHERE gid = ? AND mac IS NOT NULL ORDER BY id";
    let macs = call.store.rows(sql, [gid], |row| row.get(0))?;
    Ok(Macs { macs })
}

pub(crate) fn change(call: &Call<'_>, asked: GroupChange) -> Result<Outcomes, Failure> {
    if asked.macs.len() > 1000 {
        return refuse_because(5002, "macs: expected at most 1000 MACs");
    }
    let gid = call.param("gid");
    call.check_group(gid, 5206)?;
    let change = match asked.action {
        GroupAction::Assign => {
            "UPDATE device SET gid = ?1
             WHERE product = ?2 AND mac = ?3 AND activated_at IS NOT NULL
                AND (?4 OR gid IS NULL)"
        }
        GroupAction::Unassign => {
            // `reassign` has no meaning here: `?4 IS NOT NULL` is always true.
            "UPDATE device SET gid = NULL
             WHERE gid = ?1 AND product = ?2 AND mac = ?3 AND ?4 IS NOT NULL"
        }
    };
    let reassign = asked.reassign.unwrap_or(false);
    Outcomes::of(asked.macs, |mac| {
        let values = params![gid, call.product_key(), mac, reassign];
        Ok(call.store.run(change, values)? > 0)
    })
}
