//! Pages, and walking them to the end.
//!
//! A walk goes on by what it got, not by what it asked for, since the server may cut pages short. It
//! ends with an empty page, with the server's total, or when the server repeats itself. `next` links
//! are never followed: they could lead elsewhere, with the token.

use std::collections::{HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::pin::Pin;
use std::task::{Context as Task, Poll, ready};

use futures_core::Stream;
use serde::{Deserialize, Serialize};

use crate::call::{Call, Context, Operation};
use crate::error::Error;
use crate::front::{Async, Front};
use crate::scalar::{Extra, Field, model};

model! {
    /// What a page says of itself.
    Meta {} or {
        /// How many there are on all pages.
        total: u64,
        /// How many a page has at most.
        limit: u64,
        /// How many come before this page.
        skip: u64,
        /// The page before, relative to the server.
        previous: String,
        /// The page behind, relative to the server.
        next: String,
    }
}

/// One page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
pub struct Page<T> {
    /// What it says of itself.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub meta: Option<Meta>,
    /// What is on it.
    pub objects: Vec<T>,
    /// Members that this crate doesn't know.
    #[serde(flatten)]
    pub extra: Extra,
}

impl<T> Page<T> {
    /// How many there are on all pages, if the server says so.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        self.meta.as_ref()?.total
    }
}

/// Operations that answer pages.
pub trait Paged: Operation<Output = Page<Self::Item>> {
    /// What is on the pages.
    type Item: Serialize + Send + 'static;

    /// Spans that the server answers at once, in order; the operation as it is if it has none.
    #[doc(hidden)]
    fn windows(&self, context: &Context<'_>) -> Result<Vec<Self>, Error> {
        let _ = context;
        Ok(vec![self.clone()])
    }
}

impl<C: Front, O: Paged> Call<C, O> {
    /// At most this many on a page. The server's default is 20; walks ask for 100.
    pub fn limit(self, limit: u32) -> Self {
        self.query("limit", limit.to_string())
    }

    /// Without this many of the first.
    pub fn skip(self, skip: u64) -> Self {
        self.query("skip", skip.to_string())
    }

    fn items(mut self) -> Items<C, O> {
        let number = |parts: &crate::exchange::Parts, name: &str| {
            let found = parts.query.iter().find(|(one, _)| one == name);
            found.and_then(|(_, value)| value.parse::<u64>().ok())
        };
        let skip = number(&self.parts, "skip").unwrap_or(0);
        if number(&self.parts, "limit").is_none() {
            self.parts.set("limit", "100");
        }
        let context = Context {
            now: self.enterprise.core.now(),
            definition: None,
        };
        let walk = match self.operation.windows(&context) {
            Ok(windows) => Walk::new(windows, skip),
            Err(error) => Walk::failed(error),
        };
        Items {
            call: self,
            walk,
            fetching: None,
        }
    }
}

impl<O: Paged> Call<Async, O> {
    /// Everything from here on, page after page. A page that fails ends it with its error.
    pub fn stream(self) -> Items<Async, O> {
        self.items()
    }
}

#[cfg(feature = "blocking")]
impl<O: Paged> Call<crate::blocking::Blocking, O> {
    /// Everything from here on, page after page. A page that fails ends it with its error.
    pub fn iter(self) -> Items<crate::blocking::Blocking, O> {
        self.items()
    }
}

type Fetching<T> = Pin<Box<dyn Future<Output = Result<Page<T>, Error>> + Send>>;

/// What is on all pages, one after the other: a [`Stream`], or an iterator of the blocking front.
#[must_use = "nothing is fetched until it is asked for"]
pub struct Items<C, O: Paged> {
    call: Call<C, O>,
    walk: Walk<O>,
    fetching: Option<Fetching<O::Item>>,
}

// The future is in a box, and nothing else is ever pinned.
impl<C, O: Paged> Unpin for Items<C, O> {}

impl<C: Front, O: Paged> Items<C, O> {
    /// How many the server counted but didn't give, by the pages so far: it ignores `skip`, or they
    /// went away meanwhile.
    #[must_use]
    pub fn missing(&self) -> u64 {
        self.walk.missing
    }

    fn call(&self, operation: O, skip: u64) -> Call<C, O> {
        let mut call = Call::new(
            self.call.enterprise.clone(),
            self.call.product.clone(),
            self.call.parts.clone(),
            operation,
        );
        call.options = self.call.options;
        call.skip(skip)
    }
}

impl<O: Paged> Items<Async, O> {
    /// The next one.
    pub async fn next(&mut self) -> Option<Result<O::Item, Error>> {
        std::future::poll_fn(|task| Pin::new(&mut *self).poll_next(task)).await
    }
}

impl<O: Paged> Stream for Items<Async, O> {
    type Item = Result<O::Item, Error>;

    fn poll_next(self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(fetching) = &mut this.fetching {
                let page = ready!(fetching.as_mut().poll(task));
                this.fetching = None;
                this.walk.fetched(page);
            }
            match this.walk.step() {
                Step::Item(item) => return Poll::Ready(Some(item)),
                Step::End => return Poll::Ready(None),
                Step::Fetch(operation, skip) => {
                    this.fetching = Some(Box::pin(this.call(operation, skip).run()));
                }
            }
        }
    }
}

#[cfg(feature = "blocking")]
impl<O: Paged> Iterator for Items<crate::blocking::Blocking, O> {
    type Item = Result<O::Item, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.walk.step() {
                Step::Item(item) => return Some(item),
                Step::End => return None,
                Step::Fetch(operation, skip) => {
                    let page = self.call(operation, skip).send();
                    self.walk.fetched(page);
                }
            }
        }
    }
}

/// The walk itself: what to fetch next, and what to make of it.
struct Walk<O: Paged> {
    windows: VecDeque<O>,
    /// Of the window being walked; none between windows.
    skip: Option<u64>,
    first_skip: u64,
    /// Whether no page of the window has come yet.
    at_start: bool,
    ready: VecDeque<Result<O::Item, Error>>,
    seen: Seen,
    missing: u64,
}

enum Step<O: Paged> {
    Item(Result<O::Item, Error>),
    Fetch(O, u64),
    End,
}

impl<O: Paged> Walk<O> {
    fn new(windows: Vec<O>, skip: u64) -> Self {
        Walk {
            windows: windows.into(),
            skip: None,
            first_skip: skip,
            at_start: true,
            ready: VecDeque::new(),
            seen: Seen::default(),
            missing: 0,
        }
    }

    fn failed(error: Error) -> Self {
        let mut walk = Walk::new(Vec::new(), 0);
        walk.ready.push_back(Err(error));
        walk
    }

    fn step(&mut self) -> Step<O> {
        if let Some(item) = self.ready.pop_front() {
            return Step::Item(item);
        }
        match self.windows.front() {
            Some(operation) => {
                let first = std::mem::take(&mut self.first_skip);
                Step::Fetch(operation.clone(), *self.skip.get_or_insert(first))
            }
            None => Step::End,
        }
    }

    fn fetched(&mut self, page: Result<Page<O::Item>, Error>) {
        let page = match page {
            Ok(page) => page,
            Err(error) => {
                self.windows.clear();
                self.ready.push_back(Err(error));
                return;
            }
        };
        let asked = self.skip.unwrap_or(0);
        let first = std::mem::take(&mut self.at_start);
        let got = page.objects.len() as u64;
        let end = asked.saturating_add(got);
        let total = page.total();
        let ignores_skip = |meta: &Meta| meta.skip.is_some_and(|skip| skip != asked);
        let ignores_skip = page.meta.as_ref().is_some_and(ignores_skip);
        // Without a total the link is a hint, to go on no further.
        let link = page.meta.is_some_and(|meta| meta.next.is_some());
        let over = got == 0 || total.map_or(!link, |total| end >= total);
        let fresh = self.seen.take_new(page.objects);
        let repeats = !first && (fresh.is_empty() || ignores_skip);
        self.ready.extend(fresh.into_iter().map(Ok));
        if over || repeats || (ignores_skip && asked > 0) {
            let reached = if repeats { asked } else { end };
            let missing = total.unwrap_or(0).saturating_sub(reached);
            if missing > 0 {
                tracing::warn!(missing, "the server counts more than it gives");
            }
            self.missing = self.missing.saturating_add(missing);
            self.windows.pop_front();
            self.skip = None;
            self.at_start = true;
        } else {
            self.skip = Some(end);
        }
    }
}

/// What came lately. Pages move while they are walked, and windows share their borders.
#[derive(Default)]
struct Seen {
    keys: HashSet<u64>,
    order: VecDeque<u64>,
}

impl Seen {
    const MOST: usize = 20_000;

    /// What wasn't on an earlier page. What stands twice on one page is there twice.
    fn take_new<T: Serialize>(&mut self, mut objects: Vec<T>) -> Vec<T> {
        let mut keys = Vec::with_capacity(objects.len());
        objects.retain(|object| {
            let mut hasher = DefaultHasher::new();
            serde_json::to_string(object)
                .unwrap_or_default()
                .hash(&mut hasher);
            let key = hasher.finish();
            keys.push(key);
            !self.keys.contains(&key)
        });
        for key in keys {
            if self.keys.insert(key) {
                self.order.push_back(key);
            }
        }
        while self.order.len() > Seen::MOST {
            if let Some(oldest) = self.order.pop_front() {
                self.keys.remove(&oldest);
            }
        }
        objects
    }
}
