//! Groups: a tree with one root for each product.

use std::collections::BTreeMap;

use rusqlite::params;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::{Call, Failure, NonEmptyText, Nothing, refuse, refuse_because};
use crate::world::random;

/// SQL for the devices of the group `:gid`, and of the groups below it if the scenario says so.
pub(crate) const IN_GROUP: &str = "(:gid IS NULL OR gid IN (WITH RECURSIVE below (gid) AS (
        SELECT :gid
        UNION
        SELECT one.gid FROM device_group AS one JOIN below ON one.parent = below.gid
        WHERE (SELECT value FROM meta WHERE key = 'group_descendants')
    ) SELECT gid FROM below))";

/// The group that is asked about.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct GroupFilter {
    /// Only devices of this group, or of groups below it.
    gid: Option<String>,
}

impl GroupFilter {
    /// The gid; 5206 or 5201 if it is not of the product.
    pub(crate) fn known(self, call: &Call<'_>) -> Result<Option<String>, Failure> {
        if let Some(gid) = &self.gid {
            call.check_group(gid, 5206)?;
        }
        Ok(self.gid)
    }
}

/// The group to be made.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({}))]
pub(crate) struct NewGroup {
    /// The group that it is in; none: it is the root.
    parent_gid: Option<NonEmptyText>,
}

/// A change of the devices of a group.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({"action": "assign", "reassign": false, "macs": ["virtual:site"]}))]
pub(crate) struct GroupChange {
    /// Whether the devices come or go.
    action: GroupAction,
    /// Whether devices come that another group has.
    reassign: Option<bool>,
    /// The MACs of the devices.
    #[schema(max_items = 1000)]
    macs: Vec<String>,
}

/// Whether devices come into a group or go.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum GroupAction {
    /// The devices come.
    Assign,
    /// The devices go.
    Unassign,
}

/// A group's gid.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Gid {
    gid: String,
}

/// Groups by gid; each is `""` or the groups below it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(no_recursion)]
pub(crate) enum GroupTree {
    /// No groups below.
    Leaf(&'static str),
    /// The groups below.
    Groups(BTreeMap<String, GroupTree>),
}

/// The MACs of a group's devices.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Macs {
    macs: Vec<String>,
}

/// The names for which something was done, and those for which it could not be.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Outcomes {
    failed: Vec<String>,
    success: Vec<String>,
}

impl Outcomes {
    /// Does something with each of the names; `act` says whether it could be done.
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
    let sql = "SELECT gid, parent FROM device_group WHERE product = ? ORDER BY made";
    let rows: Vec<(String, Option<String>)> =
        call.store
            .rows(sql, [call.product_key()], |row| row.try_into())?;
    // Children were made after their parents: from the last to the first each is whole.
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
        "INSERT INTO device_group (gid, product, parent, made) VALUES (?, ?, ?, ?)",
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
        return refuse_because(5002, "at most 1000 macs");
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
            // Whether to reassign says nothing here.
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
