//! The users of a product.

use serde_json::Value;

use crate::client::Product;
use crate::endpoint::{self, page};
use crate::exchange::{Call, Grouped, Page, Paged, operations};
use crate::mode::Mode;
use crate::model::{Timestamp, Uid, model};

/// The calls that find users of a product.
#[derive(Clone, Debug)]
pub struct Users<M>(Product<M>);

impl<M: Mode> Product<M> {
    /// The calls that find users of the product.
    #[must_use]
    pub fn users(&self) -> Users<M> {
        Users(self.clone())
    }
}

impl<M: Mode> Users<M> {
    /// Returns the users who registered in an app of the product, in pages of 20.
    ///
    /// The list in the API documentation swaps the descriptions of this call and of [`bound`](Self::bound).
    #[doc = page!(USERS)]
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Done {
    /// # let (server, product): (_, gizwits_enterprise_client::Product) = simulated()?;
    /// let users = product.users().registered().send().await?;
    /// assert_eq!(users.total(), Some(1));
    /// # Ok(())
    /// # }
    /// ```
    pub fn registered(&self) -> Call<M, Registered> {
        let key = self.0.key().clone();
        self.0
            .call(endpoint::USERS, Registered)
            .parameter("product_key", key)
    }

    /// Returns the users who bound a device of the product, in pages of 20.
    #[doc = page!(BOUND_USERS)]
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Done {
    /// # let (server, product): (_, gizwits_enterprise_client::Product) = simulated()?;
    /// use gizwits_enterprise_client::users::UserKey;
    ///
    /// let owners = product.users().bound().by(UserKey::Mac, "virtual:site").send().await?;
    /// println!("{:?}", owners.objects);
    /// # Ok(())
    /// # }
    /// ```
    pub fn bound(&self) -> Call<M, Bound> {
        self.0.call(endpoint::BOUND_USERS, Bound)
    }
}

operations! {
    /// The operation of [`Users::registered`].
    Registered => Page<User>;
    /// The operation of [`Users::bound`].
    Bound => Page<User> [Grouped];
}

impl Paged for Registered {
    type Item = User;
}

impl Paged for Bound {
    type Item = User;
}

impl<M: Mode> Call<M, Registered> {
    /// Returns only users of this app. Default: all apps.
    pub fn appid(self, appid: impl Into<String>) -> Self {
        self.parameter("appid", appid)
    }

    /// Returns only users with this name. Default: all users.
    pub fn username(self, username: impl Into<String>) -> Self {
        self.parameter("username", username)
    }

    /// Returns only users with this phone number. Default: all users.
    pub fn phone(self, phone: impl Into<String>) -> Self {
        self.parameter("phone", phone)
    }

    /// Returns only users with this e-mail address. Default: all users.
    pub fn email(self, email: impl Into<String>) -> Self {
        self.parameter("email", email)
    }
}

/// The property that [`Users::bound`] searches for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UserKey {
    /// The id of the user.
    Uid,
    /// The name of the user.
    Username,
    /// The phone number of the user.
    Phone,
    /// The e-mail address of the user.
    Email,
    /// The id of a device. Only a search by did returns [`User::is_owner`].
    Did,
    /// The MAC of a device.
    Mac,
    /// The serial number of a device.
    DeviceSn,
}

impl<M: Mode> Call<M, Bound> {
    /// Returns only users with this value of a property. Default: all users.
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
        /// The id of the user.
        uid: Uid,
    } or {
        /// The name that the user logs in with.
        username: String,
        /// The display name.
        name: String,
        /// The phone number.
        phone: String,
        /// The e-mail address.
        email: String,
        /// The day of birth.
        birthday: String,
        /// The gender, as the app set it.
        gender: String,
        /// The address, as the app set it.
        address: String,
        /// The remark, as the app set it.
        remark: String,
        /// Whether the user has registered without a name.
        is_anonymous or "is_anomymous": bool,
        /// The time of the registration.
        created_at: Timestamp,
        /// The time of the last change.
        updated_at: Timestamp,
        /// The login service, if the user doesn't log in with Gizwits.
        auth_src: Value,
        /// Whether the user owns the device. Only in the result of a search by did.
        is_owner: bool,
    }
}
