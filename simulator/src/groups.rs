//! Groups: a tree with one root for each product.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension as _, params};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::call::{Call, Nothing};
use crate::error::{Failure, Refusal, refuse};
use crate::input::Word;
use crate::{random, store};

/// The group that is asked about.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Group {
    /// Only what is in this group of devices, or below it.
    gid: Option<String>,
}

impl Group {
    /// Its gid; 5206 or 5201 if it is none of the product.
    pub(crate) fn known(self, call: &Call<'_>) -> Result<Option<String>, Failure> {
        if let Some(gid) = &self.gid {
            call.group(gid, 5206)?;
        }
        Ok(self.gid)
    }
}

/// The group to be made.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({}))]
pub(crate) struct NewGroup {
    /// The group that it is in; none: it is the root.
    parent_gid: Option<Word>,
}

/// What to do with the devices of a group.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({"action": "assign", "reassign": false, "macs": ["virtual:site"]}))]
pub(crate) struct GroupChange {
    /// Whether they come or go.
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
    /// They come.
    Assign,
    /// They go.
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
    /// Those below.
    Groups(BTreeMap<String, GroupTree>),
}

/// The MACs of a group's devices.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Macs {
    macs: Vec<String>,
}

/// What was done, and what could not be.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Done {
    pub(crate) failed: Vec<String>,
    pub(crate) success: Vec<String>,
}

pub(crate) fn tree(call: &Call<'_>) -> Result<GroupTree, Failure> {
    let rows: Vec<(String, Option<String>)> = call
        .connection
        .prepare_cached("SELECT gid, parent FROM device_group WHERE product = ? ORDER BY made")?
        .query_map([call.product_key()], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
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
        Some(gid) => call.group(gid, 5202)?,
        None => {
            let root: Option<i64> = call
                .connection
                .prepare_cached("SELECT 1 FROM device_group WHERE product = ? AND parent IS NULL")?
                .query_row([call.product_key()], |row| row.get(0))
                .optional()?;
            if root.is_some() {
                return Err(Refusal::new(5203).into());
            }
        }
    }
    let count = store::next(call.connection, "groups")?;
    let gid = random::hex32(call.seed, "gid", count);
    call.connection
        .prepare_cached(
            "INSERT INTO device_group (gid, product, parent, made) VALUES (?, ?, ?, ?)",
        )?
        .execute(params![gid, call.product_key(), parent, count])?;
    Ok(Gid { gid })
}

pub(crate) fn delete(call: &Call<'_>) -> Result<Nothing, Failure> {
    let gid = call.param("gid");
    call.group(gid, 5206)?;
    for (code, held) in [
        (5204, "SELECT count(*) FROM device_group WHERE parent = ?"),
        (5205, "SELECT count(*) FROM device WHERE gid = ?"),
    ] {
        let held: i64 = call
            .connection
            .prepare_cached(held)?
            .query_row([gid], |row| row.get(0))?;
        if held > 0 {
            return Err(Refusal::new(code).into());
        }
    }
    call.connection
        .prepare_cached("DELETE FROM device_group WHERE gid = ?")?
        .execute([gid])?;
    Ok(Nothing {})
}

pub(crate) fn macs(call: &Call<'_>) -> Result<Macs, Failure> {
    let gid = call.param("gid");
    call.group(gid, 5206)?;
    let macs = call
        .connection
        .prepare_cached("SELECT mac FROM device WHERE gid = ? AND mac IS NOT NULL ORDER BY id")?
        .query_map([gid], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    Ok(Macs { macs })
}

pub(crate) fn change(call: &Call<'_>, asked: GroupChange) -> Result<Done, Failure> {
    if asked.macs.len() > 1000 {
        return refuse(5002, "at most 1000 macs");
    }
    let gid = call.param("gid");
    call.group(gid, 5206)?;
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
    let mut change = call.connection.prepare_cached(change)?;
    let mut done = Done::default();
    let reassign = asked.reassign.unwrap_or(false);
    for mac in asked.macs {
        match change.execute(params![gid, call.product_key(), mac, reassign])? {
            0 => done.failed.push(mac),
            _ => done.success.push(mac),
        }
    }
    Ok(done)
}
