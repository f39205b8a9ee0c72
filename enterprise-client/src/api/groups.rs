//! Groups of devices: one tree a product.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

use crate::api::control::Accepted;
use crate::client::Product;
use crate::endpoint::{self, page};
use crate::error::Error;
use crate::exchange::batch::{Outcome, once};
use crate::exchange::call::{Call, Context, Operation, Received, operations};
use crate::exchange::driver::Parts;
use crate::mode::Front;
use crate::model::ids::{Gid, Mac};
use crate::model::scalar::model;

/// The groups of a product.
#[derive(Clone, Debug)]
pub struct Groups<C>(pub(crate) Product<C>);

impl<C: Front> Groups<C> {
    /// All of them, as a tree.
    #[doc = page!(GROUPS)]
    pub fn tree(&self) -> Call<C, Tree> {
        self.0.call(endpoint::GROUPS, Tree)
    }

    /// A new group: the root, of which there is one, or one [`under`](Call::under) another.
    #[doc = page!(CREATE_GROUP)]
    pub fn create(&self) -> Call<C, Create> {
        let mut call = self.0.call(endpoint::CREATE_GROUP, Create);
        call.parts.body = Some("{}".to_owned());
        call
    }
}

/// One group of devices.
#[derive(Clone, Debug)]
pub struct Group<C> {
    pub(crate) product: Product<C>,
    pub(crate) gid: Gid,
}

impl<C: Front> Group<C> {
    /// Its id.
    #[must_use]
    pub fn gid(&self) -> &Gid {
        &self.gid
    }

    /// Deletes it. There must be neither devices nor groups in it.
    #[doc = page!(DELETE_GROUP)]
    pub fn delete(&self) -> Call<C, Delete> {
        self.product
            .call(endpoint::DELETE_GROUP, Delete)
            .path("gid", self.gid.clone())
    }

    /// The MACs of its devices; all at once, without pages.
    #[doc = page!(GROUP_MACS)]
    pub fn macs(&self) -> Call<C, List> {
        self.product
            .call(endpoint::GROUP_MACS, List)
            .path("gid", self.gid.clone())
    }

    /// Puts devices into it: 1,000 a call, more in several. A device of another group fails unless it
    /// may [`reassign`](Call::reassign). That some failed is no error, nor is a call behind the first
    /// that fails: look at [`is_complete`](Outcome::is_complete) and [`stopped`](Outcome::stopped).
    #[doc = page!(CHANGE_GROUP)]
    pub fn assign<M: Into<Mac>>(&self, macs: impl IntoIterator<Item = M>) -> Call<C, Change> {
        self.change("assign", macs)
    }

    /// Takes devices out of it: 1,000 a call, more in several. That some failed is no error, nor is a
    /// call behind the first that fails: look at [`is_complete`](Outcome::is_complete) and
    /// [`stopped`](Outcome::stopped).
    #[doc = page!(CHANGE_GROUP)]
    pub fn unassign<M: Into<Mac>>(&self, macs: impl IntoIterator<Item = M>) -> Call<C, Change> {
        self.change("unassign", macs)
    }

    fn change<M: Into<Mac>>(
        &self,
        action: &'static str,
        macs: impl IntoIterator<Item = M>,
    ) -> Call<C, Change> {
        let change = Change {
            action,
            reassign: false,
            macs: once(macs.into_iter().map(Into::into)),
        };
        self.product
            .call(endpoint::CHANGE_GROUP, change)
            .path("gid", self.gid.clone())
    }
}

operations! {
    /// [`Groups::tree`]
    Tree => GroupTree;
    /// [`Groups::create`]
    Create => Created;
    /// [`Group::macs`]
    List => Macs;
}

impl<C: Front> Call<C, Create> {
    /// Within this group.
    pub fn under(mut self, parent: impl Into<Gid>) -> Self {
        self.parts.body = Some(json!({"parent_gid": parent.into()}).to_string());
        self
    }
}

/// [`Group::delete`]
#[derive(Clone, Copy, Debug)]
pub struct Delete;

impl Operation for Delete {
    type Output = Accepted;

    fn read(&self, received: &Received<'_>) -> Result<Accepted, Error> {
        Accepted::read(received)
    }
}

/// [`Group::assign`] and [`Group::unassign`]
#[derive(Clone, Debug)]
pub struct Change {
    action: &'static str,
    reassign: bool,
    macs: Vec<Mac>,
}

/// The most MACs in one call.
const MOST: usize = 1000;

impl<C: Front> Call<C, Change> {
    /// Whether devices of other groups are taken out of those. They fail unless told otherwise.
    pub fn reassign(mut self, reassign: bool) -> Self {
        self.operation.reassign = reassign;
        self
    }
}

impl Operation for Change {
    type Output = Outcome<Mac>;

    fn requests(&self, parts: &Parts, _: &Context<'_>) -> Result<Vec<Parts>, Error> {
        let part = |macs: &[Mac]| {
            let mut parts = parts.clone();
            let body = json!({"action": self.action, "reassign": self.reassign, "macs": macs});
            parts.body = Some(body.to_string());
            parts.about = macs.iter().map(Mac::to_string).collect();
            parts
        };
        Ok(self.macs.chunks(MOST).map(part).collect())
    }

    fn read(&self, received: &Received<'_>) -> Result<Outcome<Mac>, Error> {
        Outcome::read(received)
    }

    fn join(&self, before: Outcome<Mac>, next: Outcome<Mac>) -> Outcome<Mac> {
        before.join(next)
    }

    fn stop(
        &self,
        done: Outcome<Mac>,
        error: Error,
        rest: &[Parts],
    ) -> Result<Outcome<Mac>, Error> {
        Ok(done.stop(error, rest))
    }
}

model! {
    /// A group that was created.
    Created {
        /// Its id.
        gid: Gid,
    } or {}

    /// The MACs of a group.
    Macs {
        /// The MACs.
        macs: Vec<Mac>,
    } or {}
}

crate::model::scalar::plain_fields!(Vec<Mac>);

/// Groups, and the groups in them. How children are written is not documented: an object in the place
/// of the text that a group without any has.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroupTree(
    /// The groups of this floor, in the server's order.
    pub Vec<GroupNode>,
);

/// A group in its tree.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct GroupNode {
    /// Its id.
    pub gid: Gid,
    /// The groups in it.
    pub children: GroupTree,
    /// What stands there if it isn't an object: empty text as a rule.
    pub value: Value,
}

impl GroupTree {
    /// All groups, parents before children.
    pub fn gids(&self) -> impl Iterator<Item = &Gid> {
        let mut waiting: Vec<&GroupNode> = self.0.iter().rev().collect();
        std::iter::from_fn(move || {
            let node = waiting.pop()?;
            waiting.extend(node.children.0.iter().rev());
            Some(&node.gid)
        })
    }
}

impl<'de> Deserialize<'de> for GroupTree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Nodes;

        impl<'de> Visitor<'de> for Nodes {
            type Value = GroupTree;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of groups")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<GroupTree, A::Error> {
                let mut nodes = Vec::new();
                while let Some(gid) = map.next_key::<Gid>()? {
                    let (children, value) = match map.next_value::<Child>()? {
                        Child::Groups(children) => (children, Value::Null),
                        Child::Value(value) => (GroupTree::default(), value),
                    };
                    nodes.push(GroupNode {
                        gid,
                        children,
                        value,
                    });
                }
                Ok(GroupTree(nodes))
            }
        }

        deserializer.deserialize_map(Nodes)
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Child {
    Groups(GroupTree),
    Value(Value),
}

impl Serialize for GroupTree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for node in &self.0 {
            if node.value.is_null() {
                map.serialize_entry(&node.gid, &node.children)?;
            } else {
                map.serialize_entry(&node.gid, &node.value)?;
            }
        }
        map.end()
    }
}
