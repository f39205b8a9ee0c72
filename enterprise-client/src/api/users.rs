//! The users of a product.

use serde_json::Value;

use crate::client::Product;
use crate::endpoint::{self, page};
use crate::exchange::{Call, Grouped, Page, Paged, operations};
use crate::mode::Mode;
use crate::model::{Timestamp, Uid, model};

/// The users of a product.
#[derive(Clone, Debug)]
pub struct Users<M>(Product<M>);

impl<M: Mode> Product<M> {
    /// The users of the product.
    #[must_use]
    pub fn users(&self) -> Users<M> {
        Users(self.clone())
    }
}

impl<M: Mode> Users<M> {
    /// Users who registered with the product's apps. Default: pages of 20.
    ///
    /// The list in the API documentation swaps the descriptions of this and of [`bound`](Self::bound).
    #[doc = page!(USERS)]
    pub fn registered(&self) -> Call<M, Registered> {
        let key = self.0.key().clone();
        self.0
            .call(endpoint::USERS, Registered)
            .parameter("product_key", key)
    }

    /// Users who bound a device of the product. Default: pages of 20.
    #[doc = page!(BOUND_USERS)]
    pub fn bound(&self) -> Call<M, Bound> {
        self.0.call(endpoint::BOUND_USERS, Bound)
    }
}

operations! {
    /// [`Users::registered`]
    Registered => Page<User>;
    /// [`Users::bound`]
    Bound => Page<User> [Grouped];
}

impl Paged for Registered {
    type Item = User;
}

impl Paged for Bound {
    type Item = User;
}

impl<M: Mode> Call<M, Registered> {
    /// Returns only users of this app.
    pub fn appid(self, appid: impl Into<String>) -> Self {
        self.parameter("appid", appid)
    }

    /// Returns only users with this name.
    pub fn username(self, username: impl Into<String>) -> Self {
        self.parameter("username", username)
    }

    /// Returns only users with this phone number.
    pub fn phone(self, phone: impl Into<String>) -> Self {
        self.parameter("phone", phone)
    }

    /// Returns only users with this e-mail address.
    pub fn email(self, email: impl Into<String>) -> Self {
        self.parameter("email", email)
    }
}

/// The property that a search for bound users compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UserKey {
    /// The user's id.
    Uid,
    /// The user's name.
    Username,
    /// The user's phone number.
    Phone,
    /// The user's e-mail address.
    Email,
    /// A device's id; only then the answer tells who owns it.
    Did,
    /// A device's MAC.
    Mac,
    /// A device's serial number.
    DeviceSn,
}

impl<M: Mode> Call<M, Bound> {
    /// Returns only users with this value.
    pub fn by(self, key: UserKey, value: impl Into<String>) -> Self {
        let key = match key {
            UserKey::Uid => "uid",
            UserKey::Username => "username",
            UserKey::Phone => "phone",
            UserKey::Email => "email",
            UserKey::Did => "did",
            UserKey::Mac => "mac",
            UserKey::DeviceSn => "device_sn",
        };
        self.parameter("type", key).parameter("val", value)
    }
}

model! {
    /// A user.
    User {
        /// The user's id.
        uid: Uid,
    } or {
        /// The name to log in with.
        username: String,
        /// The name that people read.
        name: String,
        /// The phone number.
        phone: String,
        /// The e-mail address.
        email: String,
        /// The day of birth.
        birthday: String,
        /// As the app wrote it.
        gender: String,
        /// As the app wrote it.
        address: String,
        /// As the app wrote it.
        remark: String,
        /// Whether the user never gave a name.
        is_anonymous or "is_anomymous": bool,
        /// The time of the registration.
        created_at: Timestamp,
        /// The time of the last change.
        updated_at: Timestamp,
        /// The login service, if it isn't Gizwits.
        auth_src: Value,
        /// Whether the user owns the device; only of a search by did.
        is_owner: bool,
    }
}
