//! The files of a log, and their division into partitions.

use std::cmp::Reverse;
use std::ops::Range;

use datafusion::catalog::Session;
use datafusion::common::{Result, plan_datafusion_err, plan_err};
use datafusion::datasource::listing::{ListingTableUrl, PartitionedFile};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::object_store::{self, ObjectMeta, ObjectStore, ObjectStoreExt as _};
use futures::TryStreamExt as _;
use gizwits_codec_std::log::Source;
use glob::{MatchOptions, Pattern};

/// The files that a path, URL or glob names.
#[derive(Debug)]
pub(super) struct Files {
    /// The path, URL or glob of the query.
    pub(super) given: String,
    pub(super) url: ListingTableUrl,
    pub(super) glob: Option<Pattern>,
    /// Whether the files are read by a cluster, on behalf of a client.
    pub(super) on_cluster: bool,
}

/// The files of a log by format.
#[derive(Debug, Default)]
pub(super) struct LogFiles {
    pub(super) parquet: Vec<PartitionedFile>,
    /// NDJSON, plain or compressed.
    pub(super) text: Vec<ObjectMeta>,
}

/// The characters that a glob has and a plain path has not.
const GLOB: [char; 3] = ['*', '?', '['];

/// A path means the same on all machines, or the scheduler does not find the log of the client.
const SHARED: &str =
    ": logs must be in object storage, or in a file system that all machines of the cluster have";

impl Files {
    pub(super) fn parse(given: &str) -> Result<Self> {
        let first = given.find(GLOB).unwrap_or(given.len());
        let folder = given[..first].rfind('/').map_or(0, |slash| slash + 1);
        let (base, glob) = match given.split_at(folder) {
            _ if first == given.len() => (given, None),
            ("", glob) => ("./", Some(glob)),
            (folder, glob) => (folder, Some(glob)),
        };
        let glob = glob.map(Pattern::new).transpose();
        let glob = glob.map_err(|error| plan_datafusion_err!("invalid glob `{given}`: {error}"))?;
        Ok(Files {
            given: given.to_owned(),
            url: ListingTableUrl::parse(base)?,
            glob,
            on_cluster: false,
        })
    }

    pub(super) fn store(&self) -> ObjectStoreUrl {
        self.url.object_store()
    }

    /// Lists the files, in the order of their names.
    pub(super) async fn list(&self, state: &dyn Session) -> Result<LogFiles> {
        let store = state.runtime_env().object_store(&self.url)?;
        let prefix = self.url.prefix();
        let mut found = Vec::new();
        if self.glob.is_none() && !self.url.is_collection() {
            match store.head(prefix).await {
                Ok(file) => found.push(file),
                Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        } else {
            let all: Vec<ObjectMeta> = store.list(Some(prefix)).try_collect().await?;
            found.extend(all.into_iter().filter(|file| self.matches(file)));
        }
        if found.is_empty() {
            let given = &self.given;
            return match self.on_cluster {
                true => plan_err!("no file matches `{given}`{SHARED}"),
                false => plan_err!("no file matches `{given}`"),
            };
        }
        found.sort_by(|one, two| one.location.cmp(&two.location));
        let mut files = LogFiles::default();
        for file in found {
            match file.location.extension() {
                Some("parquet") => files.parquet.push(PartitionedFile::new_from_meta(file)),
                _ => files.text.push(file),
            }
        }
        Ok(files)
    }

    /// Whether a file of the folder belongs to the log. Hidden files do not.
    fn matches(&self, file: &ObjectMeta) -> bool {
        let Some(below) = self.url.strip_prefix(&file.location) else {
            return false;
        };
        let below: Vec<&str> = below.collect();
        let options = MatchOptions {
            require_literal_separator: true,
            require_literal_leading_dot: true,
            ..MatchOptions::new()
        };
        match &self.glob {
            Some(glob) => glob.matches_with(&below.join("/"), options),
            None => !below.iter().any(|name| name.starts_with(['.', '_'])),
        }
    }
}

/// A file or a part of it: the lines that begin in a range of bytes.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) file: ObjectMeta,
    pub(super) range: Range<u64>,
}

impl Part {
    pub(super) fn len(&self) -> u64 {
        self.range.end - self.range.start
    }
}

/// Divides files among up to `count` partitions of about the same size. Plain files are cut into parts of at
/// least `min_len` bytes.
pub(super) async fn partitions(
    store: &dyn ObjectStore,
    files: Vec<ObjectMeta>,
    count: usize,
    min_len: u64,
) -> Result<Vec<Vec<Part>>> {
    let count = count.max(1);
    let total: u64 = files.iter().map(|file| file.size).sum();
    let len = total.div_ceil(count as u64).max(min_len).max(1);
    let mut parts = Vec::new();
    for file in files {
        let size = file.size;
        let is_cut = size > len && is_plain(store, &file).await?;
        let pieces = if is_cut { size.div_ceil(len) } else { 1 };
        let cut = |n: u64| (u128::from(size) * u128::from(n) / u128::from(pieces)) as u64;
        parts.extend((0..pieces).map(|n| Part {
            file: file.clone(),
            range: cut(n)..cut(n + 1),
        }));
    }
    // The largest parts first, each to the partition that has the least.
    parts.sort_by_key(|part| Reverse(part.len()));
    let mut partitions: Vec<(u64, Vec<Part>)> = vec![(0, Vec::new()); count.min(parts.len())];
    for part in parts {
        if let Some((len, parts)) = partitions.iter_mut().min_by_key(|(len, _)| *len) {
            *len += part.len();
            parts.push(part);
        }
    }
    Ok(partitions.into_iter().map(|(_, parts)| parts).collect())
}

/// Whether every line of a file can be read without the lines before.
async fn is_plain(store: &dyn ObjectStore, file: &ObjectMeta) -> Result<bool> {
    let head = store
        .get_range(&file.location, 0..file.size.min(4096))
        .await?;
    Ok(Source::has_records_in_lines(&head))
}
