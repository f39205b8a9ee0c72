//! Counts of users, by place and time.

use crate::api::device_reports::ByPeriod;
use crate::client::Product;
use crate::endpoint::{self, page};
use crate::exchange::call::{Call, Grouped, Operation, operations, parameters};
use crate::mode::Mode;
use crate::model::ids::Gid;
use crate::model::periods::Period;
use crate::model::places::Places;
use crate::model::scalar::model;
use jiff::civil::Date;

use secrecy::ExposeSecret as _;

/// Reports on the users of a product.
#[derive(Clone, Debug)]
pub struct UserReports<M>(Product<M>);

impl<M: Mode> Product<M> {
    /// Counts of the product's users, by place and time.
    #[must_use]
    pub fn user_reports(&self) -> UserReports<M> {
        UserReports(self.clone())
    }
}

impl<M: Mode> UserReports<M> {
    /// How many users are new by day, week or month. One request answers 30 days, 53 weeks or 12
    /// months; longer spans take several. Made once a day, in China alone.
    #[doc = page!(NEW_USERS)]
    pub fn new_users(&self, period: Period) -> Call<M, ByPeriod> {
        self.0.call(endpoint::NEW_USERS, ByPeriod(period))
    }

    /// How many users were active, day by day. Of the parameter that the page names `product_secret`
    /// it says that it is the product's key, so the key is sent, under either name; see
    /// [`with_product_secret`](Call::with_product_secret).
    #[doc = page!(USER_LIVENESS)]
    pub fn liveness(&self, start: Date, end: Date) -> Call<M, Liveness> {
        let call = self.keyed(self.0.call(endpoint::USER_LIVENESS, Liveness));
        call.query("start_date", start.to_string())
            .query("end_date", end.to_string())
    }

    /// How many users are where. Of the parameter that the page names `product_secret` it says that it
    /// is the product's key, so the key is sent, under either name; see
    /// [`with_product_secret`](Call::with_product_secret).
    #[doc = page!(USER_LOCATIONS)]
    pub fn locations(&self) -> Call<M, Locations> {
        self.keyed(self.0.call(endpoint::USER_LOCATIONS, Locations))
    }

    /// How many users ever bound a device of the product.
    #[doc = page!(USER_TOTAL)]
    pub fn total(&self) -> Call<M, Total> {
        self.0.call(endpoint::USER_TOTAL, Total)
    }

    fn keyed<O>(&self, call: Call<M, O>) -> Call<M, O> {
        let key = self.0.key();
        call.query("product_key", key.as_str())
            .query("product_secret", key.as_str())
    }
}

operations! {
    /// [`UserReports::liveness`]
    Liveness => UserLiveness [Keyed];
    /// [`UserReports::locations`]
    Locations => Places<u64> [Keyed];
    /// [`UserReports::total`]
    Total => UserTotal [Grouped];
}

/// The reports whose parameter `product_secret` is in doubt.
pub trait Keyed: Operation {}

impl<M: Mode, O: Keyed> Call<M, O> {
    /// Sends the product's secret where the page names it, in the query, if the key was refused with
    /// [`ProductSecretError`](crate::ErrorCode::ProductSecretError). Servers write queries to logs.
    pub fn with_product_secret(mut self) -> Self {
        if let Some(product) = &self.handle.product {
            let secret = product.secret.expose_secret();
            self.parts.set("product_secret", secret);
        }
        self
    }
}

parameters!(Liveness {
    /// Only of this app.
    appid => "appid",
});

model! {
    /// How many users were active, day by day.
    UserLiveness {
        /// One entry a day.
        data: Vec<DayCount>,
    } or {}

    /// A count of one day.
    DayCount {} or {
        /// The day.
        date: String,
        /// How many.
        count: u64,
    }

    /// How many users ever bound a device.
    UserTotal {} or {
        /// The group.
        gid: Gid,
        /// How many.
        total: u64,
    }
}
