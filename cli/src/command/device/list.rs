//! `gizwits device list`.

use std::io::Write;

use clap::Args;
use gizwits_enterprise_client::blocking::Product;

use super::answers::{all_came, to_json};
use crate::account::refused;
use crate::failure::Failure;
use crate::output::table::table;
use crate::text::tell;

#[derive(Args)]
pub(crate) struct List {
    /// Only those in this city
    #[arg(long)]
    city: Option<String>,
    /// Only those in this region
    #[arg(long)]
    region: Option<String>,
    /// Only those in this country
    #[arg(long)]
    country: Option<String>,
    /// Only those that are online
    #[arg(long)]
    online: bool,
    /// Only those with a fault
    #[arg(long)]
    faulty: bool,
    /// Only those with an alert
    #[arg(long)]
    alert: bool,
}

impl List {
    pub(super) fn run(
        &self,
        product: &Product,
        json: bool,
        out: &mut impl Write,
    ) -> Result<(), Failure> {
        let mut search = product.devices().search();
        if let Some(city) = &self.city {
            search = search.city(city);
        }
        if let Some(region) = &self.region {
            search = search.region(region);
        }
        if let Some(country) = &self.country {
            search = search.country(country);
        }
        if self.online {
            search = search.is_online(true);
        }
        if self.faulty {
            search = search.is_faulty(true);
        }
        if self.alert {
            search = search.is_alert(true);
        }
        let mut rows = vec![["DID", "MAC", "ONLINE", "SINCE", "PLACE", ""].map(str::to_owned)];
        let mut count = 0;
        let mut ended = Ok(());
        let mut items = search.iter();
        for found in items.by_ref() {
            let found = match found {
                Ok(found) => found,
                Err(error) => {
                    ended = Err(refused(&error));
                    break;
                }
            };
            count += 1;
            if json {
                writeln!(out, "{}", to_json(&found))?;
                continue;
            }
            let yes = |flag: Option<bool>, word: &str| {
                if flag == Some(true) { word } else { "" }.to_owned()
            };
            let places = [&found.country, &found.region, &found.city];
            let mut place: Vec<&str> = places.into_iter().flatten().map(String::as_str).collect();
            place.dedup();
            let trouble = [yes(found.is_faulty, "fault"), yes(found.is_alert, "alert")];
            rows.push([
                found.did.to_string(),
                found.mac.to_string(),
                match found.is_online {
                    Some(true) => "yes",
                    Some(false) => "no",
                    None => "",
                }
                .to_owned(),
                found
                    .online_latest
                    .map(|moment| moment.to_string())
                    .unwrap_or_default(),
                place.join(", "),
                trouble.join(" ").trim().to_owned(),
            ]);
        }
        if !json && (count > 0 || ended.is_ok()) {
            table(out, &rows)?;
            out.flush()?;
            tell(format_args!(
                "{count} device{}",
                if count == 1 { "" } else { "s" }
            ));
        }
        ended.and_then(|()| all_came(items.missing()))
    }
}
