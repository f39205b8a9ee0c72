//! Pages of long answers.

use serde::Serialize;

use crate::call::Call;
use crate::error::{Failure, refuse};
use crate::http;
use crate::mode::Mode;

const DEFAULT_LIMIT: i64 = 20;
const MAX_LIMIT: i64 = 1000;

/// Some objects of many, and where the others are.
#[derive(Debug, Serialize)]
pub(crate) struct Page<T> {
    meta: Meta,
    objects: Vec<T>,
}

#[derive(Debug, Serialize)]
struct Meta {
    total: i64,
    limit: i64,
    skip: i64,
    /// Path and query without a host.
    previous: Option<String>,
    next: Option<String>,
}

/// Which objects are wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paging {
    pub(crate) limit: i64,
    pub(crate) skip: i64,
}

impl Call<'_> {
    /// What the call says of `limit` and `skip`.
    pub(crate) fn paging(&self) -> Result<Paging, Failure> {
        let limit = self.int("limit")?.unwrap_or(DEFAULT_LIMIT);
        let skip = self.int("skip")?.unwrap_or(0);
        if limit < 1 || skip < 0 {
            return refuse(5002, "limit is at least 1, skip at least 0");
        }
        let ignored = self.modes.has(&Mode::SkipIgnored);
        Ok(Paging {
            limit: limit.min(MAX_LIMIT),
            skip: if ignored { 0 } else { skip },
        })
    }

    /// The page that these objects are.
    pub(crate) fn page<T>(&self, paging: Paging, total: i64, objects: Vec<T>) -> Page<T> {
        let Paging { limit, skip } = paging;
        let link = |skip: i64| {
            let mut link = self.request.path().to_owned();
            link.push('?');
            for (name, value) in &self.query {
                if name != "limit" && name != "skip" {
                    link.push_str(&http::encode(name));
                    link.push('=');
                    link.push_str(&http::encode(value));
                    link.push('&');
                }
            }
            link.push_str(&format!("skip={skip}&limit={limit}"));
            link
        };
        let end = skip.saturating_add(limit);
        Page {
            meta: Meta {
                total,
                limit,
                skip,
                previous: (skip > 0).then(|| link(skip.saturating_sub(limit).max(0))),
                next: (end < total).then(|| link(end)),
            },
            objects,
        }
    }
}
