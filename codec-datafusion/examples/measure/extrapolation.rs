//! The needs of many devices, calculated from the measured costs.

use crate::{devices, files};

/// A fleet of devices of one product.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fleet {
    pub(crate) devices: f64,
    /// The reports of a device in a day.
    pub(crate) reports: f64,
}

/// Prints the bytes and the cores that a fleet needs.
pub(crate) fn print(fleet: Fleet, formats: &[files::Figures], shuffle: &devices::Figures) {
    let Fleet { devices, reports } = fleet;
    let records = devices * reports;
    let (million, tera) = (records / 1e6, 1e12);
    println!(
        "Extrapolated: {devices:.0} devices, {reports} reports a day each, {records:.3e} records a day"
    );
    println!();
    println!("| | TB a day | PB a year | CPU hours for the means of a day | cores that keep up |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    for format in formats {
        let bytes = records * format.bytes / tera;
        let seconds = million * format.hours;
        println!(
            "| {} | {bytes:.1} | {:.2} | {:.1} | {:.2} |",
            format.title,
            bytes * 365.0 / 1000.0,
            seconds / 3600.0,
            seconds / 86400.0
        );
    }
    let (bytes, seconds) = (records * shuffle.bytes / tera, million * shuffle.fill);
    println!(
        "| shuffle and fill of one attribute by device | {bytes:.1} | | {:.1} | {:.2} |",
        seconds / 3600.0,
        seconds / 86400.0
    );
    println!();
}
