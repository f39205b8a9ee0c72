//! Pages, and walking them to the end.
//!
//! A walk goes on by what it got, not by what it asked for, since the server may cut pages short. It
//! ends with an empty page, with the server's total, or when the server gives one page for ever.
//! `next` links are never followed: they could lead elsewhere, with the token.
//!
//! Equal objects are different ones: two reports of a second may be the same. Doubles are taken out
//! only where there must be some: at the second that two windows share, and as many as a total grew
//! by between two pages. A list that moves while its total stays may give a double, and loses nothing.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::pin::Pin;
use std::task::{Context as Task, Poll, ready};

use futures_core::Stream;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::exchange::call::{Call, Context, Operation};
use crate::mode::{Async, Front};
use crate::model::scalar::{Extra, model};

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
    #[serde(default, skip_serializing_if = "Option::is_none")]
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

    /// Whether another window may have the same one.
    #[doc(hidden)]
    fn is_shared(&self, item: &Self::Item) -> bool {
        let _ = item;
        false
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
        let number = |parts: &crate::exchange::driver::Parts, name: &str| {
            let found = parts.query.iter().find(|(one, _)| one == name);
            found.and_then(|(_, value)| value.parse::<u64>().ok())
        };
        let skip = number(&self.parts, "skip").unwrap_or(0);
        if number(&self.parts, "limit").is_none() {
            self.parts.set("limit", "100");
        }
        let context = Context {
            now: self.enterprise.core.now(),
            ours: self.enterprise.core.ours(),
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
    /// How many the server counted but didn't give, by the windows walked so far: it ignores `skip`,
    /// or they came or went meanwhile. At least one if it linked to a next page without a count, and
    /// gave the page before again.
    ///
    /// ```no_run
    /// # async fn run(product: gizwits_enterprise_client::Product) -> Result<(), gizwits_enterprise_client::Error> {
    /// let mut devices = product.devices().search().stream();
    /// while let Some(device) = devices.next().await {
    ///     println!("{}", device?.did);
    /// }
    /// if devices.missing() > 0 {
    ///     eprintln!("{} more were counted and not given", devices.missing());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn missing(&self) -> u64 {
        self.walk.missing
    }

    fn call(&self, operation: O, skip: u64) -> Call<C, O> {
        let call = Call {
            operation,
            ..self.call.clone()
        };
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
    /// Where the next page of the window begins.
    skip: u64,
    /// How many of the first are not wanted, if there are several windows: what the first of them
    /// has is only known then.
    unwanted: u64,
    ready: VecDeque<Result<O::Item, Error>>,
    /// The page before, of the same window.
    before: Option<Came>,
    /// A page like the one before, until it is known whether the server knows of `skip` at all.
    held: Option<(Page<O::Item>, Vec<u64>)>,
    /// How many of the window came, without doubles.
    came: u64,
    given: Given,
    shared: Shared,
    missing: u64,
}

/// What a page was.
struct Came {
    keys: Vec<u64>,
    total: Option<u64>,
}

enum Step<O: Paged> {
    Item(Result<O::Item, Error>),
    Fetch(O, u64),
    End,
}

impl<O: Paged> Walk<O> {
    fn new(windows: Vec<O>, skip: u64) -> Self {
        let (skip, unwanted) = match windows.len() {
            0 | 1 => (skip, 0),
            _ => (0, skip),
        };
        Walk {
            windows: windows.into(),
            skip,
            unwanted,
            ready: VecDeque::new(),
            before: None,
            held: None,
            came: skip,
            given: Given::default(),
            shared: Shared::default(),
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
        let Some(operation) = self.windows.front() else {
            return Step::End;
        };
        let behind_all = self.held.as_ref().and_then(|(page, _)| page.total());
        Step::Fetch(operation.clone(), behind_all.unwrap_or(self.skip))
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
        let keys: Vec<u64> = page.objects.iter().map(key).collect();
        if let Some((held, same)) = self.held.take() {
            // Who has the same page behind the end has it everywhere.
            if keys == same {
                self.end(held.total());
            } else {
                self.take(held, same);
            }
            return;
        }
        let repeats = |before: &Came| !keys.is_empty() && before.keys == keys;
        if !self.before.as_ref().is_some_and(repeats) {
            return self.take(page, keys);
        }
        let echo = page.meta.as_ref().and_then(|meta| meta.skip);
        let link = page.meta.as_ref().is_some_and(|meta| meta.next.is_some());
        match page.total() {
            Some(total) if total > self.skip && echo.is_none_or(|echo| echo == self.skip) => {
                self.held = Some((page, keys));
            }
            // How many are missing is not known, but that some are.
            None if link => self.end(Some(self.came.saturating_add(1))),
            total => self.end(total),
        }
    }

    fn take(&mut self, page: Page<O::Item>, keys: Vec<u64>) {
        let total = page.total();
        let got = page.objects.len() as u64;
        self.skip = self.skip.saturating_add(got);
        // Without a total, or with one that can't be, the link is a hint to go on.
        let link = page.meta.is_some_and(|meta| meta.next.is_some());
        let over = got == 0
            || match total {
                Some(total) if total >= self.skip => total == self.skip,
                _ => !link,
            };
        // What came in front moved as many to this page that were on the last.
        let grown = self.before.as_ref().and_then(|before| before.total);
        let moved = total
            .zip(grown)
            .map_or(0, |(now, then)| now.saturating_sub(then));
        let moved = self.given.repeats(&keys, moved);
        let Some(window) = self.windows.front() else {
            return;
        };
        for ((item, key), moved) in page.objects.into_iter().zip(&keys).zip(moved) {
            let shared = self.shared.has(*key, window.is_shared(&item));
            if moved && !shared {
                continue;
            }
            self.came = self.came.saturating_add(1);
            if shared {
                continue;
            }
            self.given.add(*key);
            if self.unwanted > 0 {
                self.unwanted -= 1;
            } else {
                self.ready.push_back(Ok(item));
            }
        }
        self.before = Some(Came { keys, total });
        if over {
            self.end(total);
        }
    }

    /// Ends the window.
    fn end(&mut self, total: Option<u64>) {
        let missing = total.unwrap_or(0).saturating_sub(self.came);
        if missing > 0 {
            tracing::warn!(missing, "the server counts more than it gives");
        }
        self.missing = self.missing.saturating_add(missing);
        self.windows.pop_front();
        self.skip = 0;
        self.came = 0;
        self.before = None;
        self.shared.next_window();
    }
}

fn key(object: &impl Serialize) -> u64 {
    let mut hasher = DefaultHasher::new();
    serde_json::to_string(object)
        .unwrap_or_default()
        .hash(&mut hasher);
    hasher.finish()
}

/// What was given lately.
#[derive(Default)]
struct Given(VecDeque<u64>);

impl Given {
    const MOST: usize = 20_000;

    fn add(&mut self, key: u64) {
        if self.0.len() == Given::MOST {
            self.0.pop_front();
        }
        self.0.push_back(key);
    }

    /// Which of these were given before: `most` of them, and of equal ones as many as were given.
    fn repeats(&self, keys: &[u64], most: u64) -> Vec<bool> {
        let mut counts: HashMap<u64, usize> = HashMap::new();
        if most > 0 {
            for key in &self.0 {
                *counts.entry(*key).or_default() += 1;
            }
        }
        let mut left = most;
        let repeats = keys.iter().map(|key| match counts.get_mut(key) {
            Some(count) if *count > 0 && left > 0 => {
                *count -= 1;
                left -= 1;
                true
            }
            _ => false,
        });
        repeats.collect()
    }
}

/// What several windows may have, and how often each is there.
#[derive(Default)]
struct Shared {
    /// In the window before.
    before: HashMap<u64, usize>,
    here: HashMap<u64, usize>,
}

impl Shared {
    /// Whether the window before had it; as often as it had it.
    fn has(&mut self, key: u64, shared: bool) -> bool {
        let had = match self.before.get_mut(&key) {
            Some(count) if *count > 0 => {
                *count -= 1;
                true
            }
            _ => false,
        };
        if had || shared {
            *self.here.entry(key).or_default() += 1;
        }
        had
    }

    fn next_window(&mut self) {
        self.before = std::mem::take(&mut self.here);
    }
}
