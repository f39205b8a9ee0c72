//! The summary that a log command prints on stderr.

use std::cmp::Reverse;
use std::path::Path;

use gizwits_codec_std::log::Summary;
use indicatif::HumanCount;

use crate::failure::Failure;
use crate::text::{printable, tell};

/// The maximum number of rejects that are shown.
const SHOWN: usize = 5;

/// The counts of a decoded log and the time that decoding took.
pub(super) struct Totals<'i> {
    pub(super) summary: Summary,
    pub(super) seconds: f64,
    /// The file of --rejects.
    pub(super) rejects: Option<&'i Path>,
    /// The number of decoded records that --action left out.
    pub(super) left_out: Option<u64>,
    /// A remark on the output, on a line of its own.
    pub(super) remark: Option<String>,
}

impl Totals<'_> {
    /// Prints the counts and the output files that were written.
    ///
    /// # Errors
    /// If a record was rejected.
    pub(super) fn report(&self, written: &[String]) -> Result<(), Failure> {
        let summary = &self.summary;
        let mut text = format!(
            "{} record{}   {} decoded   {} rejected",
            HumanCount(summary.records),
            if summary.records == 1 { "" } else { "s" },
            HumanCount(summary.decoded),
            HumanCount(summary.records - summary.decoded),
        );
        if let Some(left_out) = self.left_out {
            text += &format!("   {} left out by --action", HumanCount(left_out));
        }
        if summary.inexact > 0 {
            text += &format!("   {} of another length", HumanCount(summary.inexact));
        }
        if !summary.rejected.is_empty() {
            let mut kinds: Vec<_> = summary.rejected.iter().collect();
            kinds.sort_by_key(|(_, count)| Reverse(**count));
            let counts = kinds.iter();
            let counts = counts.map(|(kind, count)| format!("{} {kind}", HumanCount(**count)));
            text += &format!(" ({})", counts.collect::<Vec<_>>().join(", "));
            if let Some(path) = self.rejects {
                text += &format!(" -> {}", path.display());
            }
        }
        let rate = summary.bytes as f64 / 1e6 / self.seconds.max(1e-9);
        text += &format!("\n{:.1} s   {rate:.0} MB/s", self.seconds);
        for file in written {
            text += &format!("   {file}");
        }
        if let Some(remark) = &self.remark {
            text += &format!("\n{remark}");
        }
        if self.rejects.is_none() && !summary.first_rejects.is_empty() {
            for reject in summary.first_rejects.iter().take(SHOWN) {
                let (input, message) = (printable(&reject.input), printable(&reject.message));
                text += &format!("\n{input}:{}: {message}", reject.line);
            }
            text += "\nThese are the first of their kinds: --rejects FILE keeps all rejects";
        }
        if summary.rejected.contains_key("unknown_device") {
            text += "\nSome records name no device. Use --did DID for a log of one device, or \
                     --did-from file-name|folder";
        }
        tell(text);
        match summary.rejected.is_empty() {
            true => Ok(()),
            false => Err(Failure::Some),
        }
    }
}
