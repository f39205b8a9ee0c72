//! `gizwits device list`: the devices of the product.

use clap::Args;
use gizwits_enterprise_client::blocking::Product;
use gizwits_enterprise_client::devices::FoundDevice;
use serde_json::json;

use crate::failure::{Failure, check_complete};
use crate::output::line::Output;
use crate::output::table::table;
use crate::text::{counted, tell};

#[derive(Args)]
pub(super) struct List {
    /// List only devices in this city
    #[arg(long)]
    city: Option<String>,
    /// List only devices in this region
    #[arg(long)]
    region: Option<String>,
    /// List only devices in this country
    #[arg(long)]
    country: Option<String>,
    /// List only devices that are online
    #[arg(long)]
    online: bool,
    /// List only devices with a fault
    #[arg(long)]
    faulty: bool,
    /// List only devices with an alert
    #[arg(long)]
    alert: bool,
}

impl List {
    pub(super) fn run(&self, product: &Product, output: &mut Output<'_>) -> Result<(), Failure> {
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
        let mut devices = search.iter();
        let ended = devices.by_ref().try_for_each(|device| {
            let device = device?;
            match output.json {
                true => writeln!(output.out, "{}", json!(device))?,
                false => rows.push(row(&device)),
            }
            Ok::<_, Failure>(())
        });
        if !output.json && (rows.len() > 1 || ended.is_ok()) {
            let count = rows.len() - 1;
            output.out.write_all(table(rows).as_bytes())?;
            output.out.flush()?;
            tell(counted(count, "device"));
        }
        ended.and_then(|()| check_complete(devices.missing()))
    }
}

/// The row of a device in the table.
fn row(device: &FoundDevice) -> [String; 6] {
    let places = [&device.country, &device.region, &device.city];
    let mut places: Vec<&str> = places.into_iter().flatten().map(String::as_str).collect();
    places.dedup();
    let trouble = [(device.is_faulty, "fault"), (device.is_alert, "alert")];
    let trouble = trouble.into_iter().filter(|(flag, _)| *flag == Some(true));
    let trouble: Vec<&str> = trouble.map(|(_, word)| word).collect();
    let online = match device.is_online {
        Some(true) => "yes",
        Some(false) => "no",
        None => "",
    };
    let since = device.online_latest.map(|moment| moment.to_string());
    [
        device.did.to_string(),
        device.mac.to_string(),
        online.to_owned(),
        since.unwrap_or_default(),
        places.join(", "),
        trouble.join(" "),
    ]
}
