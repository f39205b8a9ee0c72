//! Groups of devices: one tree a product.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

use crate::client::Product;
use crate::endpoint::{self, Endpoint, page};
use crate::exchange::{Accepted, Batch, Call, DeviceId, operations};
use crate::mode::Mode;
use crate::model::{Extra, Gid, Mac, model};

/// The groups of a product.
#[derive(Clone, Debug)]
pub struct Groups<M>(Product<M>);

/// One group of devices.
#[derive(Clone, Debug)]
pub struct Group<M> {
    product: Product<M>,
    gid: Gid,
}

impl<M: Mode> Product<M> {
    /// The product's groups of devices.
    #[must_use]
    pub fn groups(&self) -> Groups<M> {
        Groups(self.clone())
    }

    /// One of the product's groups.
    pub fn group(&self, gid: impl Into<Gid>) -> Group<M> {
        Group {
            product: self.clone(),
            gid: gid.into(),
        }
    }
}

impl<M: Mode> Groups<M> {
    /// All groups, as a tree.
    #[doc = page!(GROUPS)]
    pub fn tree(&self) -> Call<M, Tree> {
        self.0.call(endpoint::GROUPS, Tree)
    }

    /// Creates a group: the root, of which there is one, or one [`under`](Call::under) another.
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

    /// Deletes the group. There must be neither devices nor groups in it.
    #[doc = page!(DELETE_GROUP)]
    pub fn delete(&self) -> Call<M, Delete> {
        self.call(endpoint::DELETE_GROUP, Delete)
    }

    /// The MACs of the group's devices; all at once, without pages.
    #[doc = page!(GROUP_MACS)]
    pub fn macs(&self) -> Call<M, List> {
        self.call(endpoint::GROUP_MACS, List)
    }

    /// Assigns devices to the group, 1,000 a request. A device of another group fails unless
    /// [`reassign`](Call::reassign) is set. A device that failed is no error, nor is a request that
    /// fails after the first one: see [`is_complete`](crate::Outcome::is_complete) and
    /// [`stopped`](crate::Outcome::stopped).
    #[doc = page!(CHANGE_GROUP)]
    pub fn assign<I: Into<Mac>>(&self, macs: impl IntoIterator<Item = I>) -> Call<M, Change> {
        self.change("assign", macs)
    }

    /// Removes devices from the group, 1,000 a request. A device that failed is no error, nor is a
    /// request that fails after the first one: see [`is_complete`](crate::Outcome::is_complete) and
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
    /// [`Groups::tree`]
    Tree => GroupTree;
    /// [`Groups::create`]
    Create => Created;
    /// [`Group::delete`]
    Delete => Accepted;
    /// [`Group::macs`]
    List => Macs;
}

/// [`Group::assign`] and [`Group::unassign`]
pub type Change = Batch<Mac>;

impl DeviceId for Mac {}

impl<M: Mode> Call<M, Create> {
    /// Creates the group in this one.
    pub fn under(mut self, parent: impl Into<Gid>) -> Self {
        self.parts.body = Some(json!({"parent_gid": parent.into()}).to_string());
        self
    }
}

impl<M: Mode> Call<M, Change> {
    /// Whether devices of other groups are removed from those. Default: false, such devices fail.
    pub fn reassign(mut self, reassign: bool) -> Self {
        let members = &mut self.operation.members;
        members.insert("reassign".to_owned(), reassign.into());
        self
    }
}

model! {
    /// A group that was created.
    Created {
        /// The id of the group.
        gid: Gid,
    } or {}

    /// The MACs of a group.
    Macs {
        /// The MACs.
        macs: Vec<Mac>,
    } or {}
}

/// Groups, and the groups in them. The API documentation doesn't say how children are written: an
/// object in the place of the text that a group without children has.
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
    /// The value of the group if it isn't an object: empty text as a rule.
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

    fn new(members: Extra) -> Self {
        let nodes = members.into_iter().map(|(gid, value)| {
            let (children, value) = match value {
                Value::Object(members) => (GroupTree::new(members), Value::Null),
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
