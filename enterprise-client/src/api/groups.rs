//! Groups of devices. A product has one tree of groups.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

use crate::client::Product;
use crate::endpoint::{self, Endpoint, page};
use crate::exchange::{Accepted, Batch, Call, DeviceId, operations};
use crate::mode::Mode;
use crate::model::{Extra, Gid, Mac, model};

/// The calls on all groups of a product.
#[derive(Clone, Debug)]
pub struct Groups<M>(Product<M>);

/// A group of devices.
#[derive(Clone, Debug)]
pub struct Group<M> {
    product: Product<M>,
    gid: Gid,
}

impl<M: Mode> Product<M> {
    /// The calls on all groups of the product.
    #[must_use]
    pub fn groups(&self) -> Groups<M> {
        Groups(self.clone())
    }

    /// Returns the group with this id. Sends nothing.
    pub fn group(&self, gid: impl Into<Gid>) -> Group<M> {
        Group {
            product: self.clone(),
            gid: gid.into(),
        }
    }
}

impl<M: Mode> Groups<M> {
    /// Returns the tree of all groups.
    #[doc = page!(GROUPS)]
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Done {
    /// # let (server, product): (_, gizwits_enterprise_client::Product) = simulated()?;
    /// let root = product.groups().create().send().await?.gid;
    /// product.groups().create().under(root.clone()).send().await?;
    /// let tree = product.groups().tree().send().await?;
    /// assert_eq!(tree.0[0].gid, root);
    /// assert_eq!(tree.0[0].children.0.len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn tree(&self) -> Call<M, Tree> {
        self.0.call(endpoint::GROUPS, Tree)
    }

    /// Creates a group. The first group is the root, of which a product has only one. Further groups need a
    /// parent: see [`under`](Call::under).
    #[doc = page!(CREATE_GROUP)]
    pub fn create(&self) -> Call<M, Create> {
        let mut call = self.0.call(endpoint::CREATE_GROUP, Create);
        call.parts.body = Some("{}".to_owned());
        call
    }
}

impl<M: Mode> Group<M> {
    /// The id of the group.
    #[must_use]
    pub fn gid(&self) -> &Gid {
        &self.gid
    }

    /// Deletes the group, which must contain neither devices nor groups.
    #[doc = page!(DELETE_GROUP)]
    pub fn delete(&self) -> Call<M, Delete> {
        self.call(endpoint::DELETE_GROUP, Delete)
    }

    /// Returns the MACs of the devices in the group, all in one answer.
    #[doc = page!(GROUP_MACS)]
    pub fn macs(&self) -> Call<M, List> {
        self.call(endpoint::GROUP_MACS, List)
    }

    /// Assigns devices to the group, with a request for every 1,000 devices. A device of another group fails
    /// unless [`reassign`](Call::reassign) is set. The call succeeds even if devices or later requests fail:
    /// check [`is_complete`](crate::Outcome::is_complete) and [`stopped`](crate::Outcome::stopped).
    #[doc = page!(CHANGE_GROUP)]
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Done {
    /// # let (server, product): (_, gizwits_enterprise_client::Product) = simulated()?;
    /// let root = product.groups().create().send().await?.gid;
    /// let group = product.group(root);
    /// let outcome = group.assign(["virtual:site", "5CCF7F0A1B2C"]).send().await?;
    /// assert!(outcome.is_complete());
    /// assert_eq!(group.macs().send().await?.macs.len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn assign<I: Into<Mac>>(&self, macs: impl IntoIterator<Item = I>) -> Call<M, Change> {
        self.change("assign", macs)
    }

    /// Removes devices from the group, with a request for every 1,000 devices. The call succeeds even if devices
    /// or later requests fail: check [`is_complete`](crate::Outcome::is_complete) and
    /// [`stopped`](crate::Outcome::stopped).
    #[doc = page!(CHANGE_GROUP)]
    pub fn unassign<I: Into<Mac>>(&self, macs: impl IntoIterator<Item = I>) -> Call<M, Change> {
        self.change("unassign", macs)
    }

    fn change<I: Into<Mac>>(
        &self,
        action: &str,
        macs: impl IntoIterator<Item = I>,
    ) -> Call<M, Change> {
        let members = Extra::from_iter([("action".to_owned(), Value::from(action))]);
        let change = Batch::new("macs", macs, members);
        self.call(endpoint::CHANGE_GROUP, change).reassign(false)
    }

    fn call<O>(&self, endpoint: Endpoint, operation: O) -> Call<M, O> {
        let call = self.product.call(endpoint, operation);
        call.path("gid", self.gid.clone())
    }
}

operations! {
    /// The operation of [`Groups::tree`].
    Tree => GroupTree;
    /// The operation of [`Groups::create`].
    Create => Created;
    /// The operation of [`Group::delete`].
    Delete => Accepted;
    /// The operation of [`Group::macs`].
    List => Macs;
}

/// The operation of [`Group::assign`] and [`Group::unassign`].
pub type Change = Batch<Mac>;

impl DeviceId for Mac {}

impl<M: Mode> Call<M, Create> {
    /// Sets the parent of the new group. Default: none, which creates the root.
    pub fn under(mut self, parent: impl Into<Gid>) -> Self {
        self.parts.body = Some(json!({"parent_gid": parent.into()}).to_string());
        self
    }
}

impl<M: Mode> Call<M, Change> {
    /// Sets whether a device of another group moves to this group. Default: false, and such a device fails.
    pub fn reassign(mut self, reassign: bool) -> Self {
        let members = &mut self.operation.members;
        members.insert("reassign".to_owned(), reassign.into());
        self
    }
}

model! {
    /// A new group.
    Created {
        /// The id of the group.
        gid: Gid,
    } or {}

    /// The devices of a group.
    Macs {
        /// The MACs of the devices.
        macs: Vec<Mac>,
    } or {}
}

/// The groups of one level, and the groups in them. The API documentation has no example of a group with
/// children. This crate expects an object of groups where a group without children has a text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroupTree(
    /// The groups of this level, by id.
    pub Vec<GroupNode>,
);

/// A group in its tree.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct GroupNode {
    /// The id of the group.
    pub gid: Gid,
    /// The groups in the group.
    pub children: GroupTree,
    /// The value of the group if it is not an object, usually an empty text. Null if the group has children.
    pub value: Value,
}

impl GroupTree {
    /// Returns the ids of all groups, parents before children.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Done {
    /// # let (server, product): (_, gizwits_enterprise_client::Product) = simulated()?;
    /// product.groups().create().send().await?;
    /// let tree = product.groups().tree().send().await?;
    /// for gid in tree.gids() {
    ///     println!("{gid}: {} devices", product.group(gid).macs().send().await?.macs.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn gids(&self) -> impl Iterator<Item = &Gid> {
        let mut waiting: Vec<&GroupNode> = self.0.iter().rev().collect();
        std::iter::from_fn(move || {
            let node = waiting.pop()?;
            waiting.extend(node.children.0.iter().rev());
            Some(&node.gid)
        })
    }

    fn new(members: Extra) -> Self {
        let nodes = members.into_iter().map(|(gid, value)| {
            let (children, value) = match value {
                Value::Object(members) => (GroupTree::new(members.into()), Value::Null),
                value => (GroupTree::default(), value),
            };
            let gid = gid.into();
            GroupNode {
                gid,
                children,
                value,
            }
        });
        GroupTree(nodes.collect())
    }
}

impl<'de> Deserialize<'de> for GroupTree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Extra::deserialize(deserializer).map(GroupTree::new)
    }
}

impl Serialize for GroupTree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|node| match &node.value {
            Value::Null => (&node.gid, json!(node.children)),
            value => (&node.gid, value.clone()),
        }))
    }
}
