//! Pages, and walks over all pages of a list.
//!
//! A walk skips as many items as it received, not as many as it asked for, because servers may return
//! shorter pages. The walk ends with an empty page, when it has as many items as the total of the server, or
//! when the server returns the same page for any `skip`. The walk never follows a `next` link, because the
//! link could send the token to another server.
//!
//! Two equal objects may be two objects: a device can send the same report twice in a second. A walk
//! therefore removes duplicates only where the server must have returned an item twice: at the second that
//! two windows share, and as many items as the total grew by between two pages. If a list changes and its
//! total doesn't, an item may come twice, but no item is lost.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use std::pin::Pin;
use std::task::{Context as Task, Poll, ready};

use futures_core::Stream;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::exchange::call::{Call, Context, Operation};
use crate::mode::{Async, Mode};
use crate::model::{Extra, model};

model! {
    /// The position of a page in the list.
    Meta {} or {
        /// The number of items on all pages together.
        total: u64,
        /// The maximum number of items of a page.
        limit: u64,
        /// The number of items before this page.
        skip: u64,
        /// The link to the previous page, relative to the server.
        previous: String,
        /// The link to the next page, relative to the server.
        next: String,
    }
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
pub struct Page<T> {
    /// The position of the page in the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
    /// The items of the page.
    pub objects: Vec<T>,
    /// Members of the answer that this crate doesn't know.
    #[serde(flatten)]
    pub extra: Extra,
}

impl<T> Page<T> {
    /// The number of items on all pages together, if the server sent it.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        self.meta.as_ref()?.total
    }
}

/// An operation whose answers are pages.
pub trait Paged: Operation<Output = Page<Self::Item>> {
    /// The items of the pages.
    type Item: Serialize + Send + 'static;

    /// Divides the operation into time windows that the server accepts, in order.
    #[doc(hidden)]
    fn windows(&self, context: &Context<'_>) -> Result<Vec<Self>, Error> {
        let _ = context;
        Ok(vec![self.clone()])
    }

    /// Whether another window may contain the same item.
    #[doc(hidden)]
    fn is_shared(&self, item: &Self::Item) -> bool {
        let _ = item;
        false
    }
}

impl<M: Mode, O: Paged> Call<M, O> {
    /// Sets the maximum number of items of a page. Default: 20, and 100 for the pages of
    /// [`stream`](Call::stream) and `iter`.
    pub fn limit(self, limit: u32) -> Self {
        self.parameter("limit", limit.to_string())
    }

    /// Skips this many items at the beginning of the list. Default: 0.
    pub fn skip(self, skip: u64) -> Self {
        self.parameter("skip", skip.to_string())
    }

    fn items(mut self) -> Items<M, O> {
        let given = |name: &str| {
            let query = self.parts.query.iter();
            query.rev().find(|(known, _)| known == name)
        };
        let skip = given("skip").and_then(|(_, skip)| skip.parse().ok());
        if given("limit").is_none() {
            self = self.limit(100);
        }
        Items {
            walk: Walk::new(skip.unwrap_or(0)),
            call: self,
            fetching: None,
        }
    }
}

impl<O: Paged> Call<Async, O> {
    /// Returns a stream of all items, which requests page after page. A request that fails is the last item
    /// of the stream.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Done {
    /// # let (server, product): (_, gizwits_enterprise_client::Product) = simulated()?;
    /// let mut devices = product.devices().search().stream();
    /// while let Some(device) = devices.next().await {
    ///     println!("{}", device?.mac);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn stream(self) -> Items<Async, O> {
        self.items()
    }
}

#[cfg(feature = "blocking")]
impl<O: Paged> Call<crate::mode::Blocking, O> {
    /// Returns an iterator over all items, which requests page after page. A request that fails is the last
    /// item of the iterator.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/simulated.rs"));
    /// # fn main() -> Done {
    /// # let (server, product): (_, gizwits_enterprise_client::blocking::Product) = simulated()?;
    /// let macs: Result<Vec<_>, _> = product
    ///     .devices()
    ///     .search()
    ///     .iter()
    ///     .map(|device| device.map(|device| device.mac))
    ///     .collect();
    /// assert_eq!(macs?.len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn iter(self) -> Items<crate::mode::Blocking, O> {
        self.items()
    }
}

/// The result of a step of a walk.
enum Fetched<O: Paged> {
    /// The windows of the walk.
    Windows(Vec<O>),
    /// The next page.
    Page(Page<O::Item>),
}

type Fetching<O> = Pin<Box<dyn Future<Output = Result<Fetched<O>, Error>> + Send>>;

/// The items of all pages, one after the other: a [`Stream`] for async calls, an iterator for blocking calls.
#[must_use = "nothing is fetched until an item is asked for"]
pub struct Items<M, O: Paged> {
    call: Call<M, O>,
    walk: Walk<O>,
    fetching: Option<Fetching<O>>,
}

impl<M, O: Paged> fmt::Debug for Items<M, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").finish_non_exhaustive()
    }
}

// Only the boxed future needs pinning, and the box is `Unpin`.
impl<M, O: Paged> Unpin for Items<M, O> {}

impl<M: Mode, O: Paged> Items<M, O> {
    /// The number of items that the server counted but didn't return, in the windows that are complete. Items
    /// are missing if the server ignores `skip`, or if items were added or removed during the walk. The number
    /// is at least 1 if the server sent no total but a link to a next page, and returned the same page again.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Done {
    /// # let (server, product): (_, gizwits_enterprise_client::Product) = simulated()?;
    /// let mut devices = product.devices().search().stream();
    /// while let Some(device) = devices.next().await {
    ///     println!("{}", device?.did);
    /// }
    /// if devices.missing() > 0 {
    ///     eprintln!("{} devices are missing", devices.missing());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn missing(&self) -> u64 {
        self.walk.missing
    }

    /// The next step: the windows, and then page after page. `None` at the end.
    fn next_step(
        &self,
    ) -> Option<impl Future<Output = Result<Fetched<O>, Error>> + Send + use<M, O>> {
        let mut call = self.call.clone();
        let windows = self.walk.windows.as_ref();
        let is_begun = windows.is_some();
        if let Some(windows) = windows {
            call.operation = windows.front()?.clone();
            call = call.skip(self.walk.next_skip());
        }
        Some(async move {
            if is_begun {
                return call.run().await.map(Fetched::Page);
            }
            if call.operation.wants_clock() {
                call.clone().server_time().await?;
            }
            let windows = call.operation.windows(&call.context(None));
            windows.map(Fetched::Windows)
        })
    }
}

impl<O: Paged> Items<Async, O> {
    /// Returns the next item, or `None` at the end of the list.
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
                let fetched = ready!(fetching.as_mut().poll(task));
                this.fetching = None;
                this.walk.fetched(fetched);
            }
            if let Some(item) = this.walk.ready.pop_front() {
                return Poll::Ready(Some(item));
            }
            match this.next_step() {
                Some(step) => this.fetching = Some(Box::pin(step)),
                None => return Poll::Ready(None),
            }
        }
    }
}

#[cfg(feature = "blocking")]
impl<O: Paged> Iterator for Items<crate::mode::Blocking, O> {
    type Item = Result<O::Item, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.walk.ready.is_empty() {
            let fetched = self.call.mode.wait(self.next_step()?);
            self.walk.fetched(fetched);
        }
        self.walk.ready.pop_front()
    }
}

/// The state of a walk over pages and windows.
struct Walk<O: Paged> {
    /// The windows that are left. `None` before the first step.
    windows: Option<VecDeque<O>>,
    /// The number of items of the window before the next page.
    skip: u64,
    /// The number of items to skip at the beginning, if there are several windows. The server can't skip them,
    /// because nobody knows how many items the first window has.
    unwanted: u64,
    ready: VecDeque<Result<O::Item, Error>>,
    /// The keys and the total of the previous page of the window.
    before: Option<(Vec<u64>, Option<u64>)>,
    /// A page that equals the previous page, until the next request shows whether the server ignores `skip`.
    held: Option<(Page<O::Item>, Vec<u64>)>,
    /// The number of items of the window that were received, without duplicates.
    came: u64,
    /// The keys of the last items that the walk returned.
    given: VecDeque<u64>,
    /// The number of items by key that other windows may also contain: in the previous window, and in this
    /// window.
    shared_before: HashMap<u64, usize>,
    shared: HashMap<u64, usize>,
    missing: u64,
}

/// The maximum number of keys in [`Walk::given`], so that the memory of a long walk is limited.
const GIVEN: usize = 20_000;

impl<O: Paged> Walk<O> {
    fn new(skip: u64) -> Self {
        Walk {
            windows: None,
            skip,
            unwanted: 0,
            ready: VecDeque::new(),
            before: None,
            held: None,
            came: skip,
            given: VecDeque::new(),
            shared_before: HashMap::new(),
            shared: HashMap::new(),
            missing: 0,
        }
    }

    fn next_skip(&self) -> u64 {
        let behind_all = self.held.as_ref().and_then(|(page, _)| page.total());
        behind_all.unwrap_or(self.skip)
    }

    fn fetched(&mut self, fetched: Result<Fetched<O>, Error>) {
        match fetched {
            Ok(Fetched::Windows(windows)) => self.begin(windows),
            Ok(Fetched::Page(page)) => self.receive(page),
            Err(error) => {
                self.windows = Some(VecDeque::new());
                self.ready.push_back(Err(error));
            }
        }
    }

    fn begin(&mut self, windows: Vec<O>) {
        if windows.len() > 1 {
            self.unwanted = std::mem::take(&mut self.skip);
            self.came = 0;
        }
        self.windows = Some(windows.into());
    }

    fn receive(&mut self, page: Page<O::Item>) {
        let keys: Vec<u64> = page.objects.iter().map(key).collect();
        if let Some((held, held_keys)) = self.held.take() {
            // A server that returns the same page even past the end ignores `skip`.
            return match keys == held_keys {
                true => self.end(held.total()),
                false => self.take(held, held_keys),
            };
        }
        let before = self.before.as_ref().map(|(keys, _)| keys);
        if keys.is_empty() || before != Some(&keys) {
            return self.take(page, keys);
        }
        let echo = page.meta.as_ref().and_then(|meta| meta.skip);
        let link = page.meta.as_ref().is_some_and(|meta| meta.next.is_some());
        match page.total() {
            Some(total) if total > self.skip && echo.is_none_or(|echo| echo == self.skip) => {
                self.held = Some((page, keys));
            }
            // At least one item is missing: nobody knows how many.
            None if link => self.end(Some(self.came.saturating_add(1))),
            total => self.end(total),
        }
    }

    fn take(&mut self, page: Page<O::Item>, keys: Vec<u64>) {
        let total = page.total();
        let got = page.objects.len() as u64;
        self.skip = self.skip.saturating_add(got);
        // Without a total, or with a total that is too small, only the link shows that there are more items.
        let link = page.meta.is_some_and(|meta| meta.next.is_some());
        let over = got == 0
            || match total {
                Some(total) if total >= self.skip => total == self.skip,
                _ => !link,
            };
        // Items that were added in front have moved as many items from the previous page to this page.
        let total_before = self.before.as_ref().and_then(|(_, total)| *total);
        let grown = total.zip(total_before);
        let mut grown = grown.map_or(0, |(now, before)| now.saturating_sub(before));
        let Some(window) = self.windows.as_ref().and_then(VecDeque::front) else {
            return;
        };
        // Of equal items, at most as many have moved as the walk has returned before.
        let mut given: HashMap<u64, usize> = HashMap::new();
        if grown > 0 {
            for key in &self.given {
                *given.entry(*key).or_default() += 1;
            }
        }
        for (item, key) in page.objects.into_iter().zip(&keys) {
            let moved = grown > 0 && take_one(&mut given, *key);
            grown -= u64::from(moved);
            let was_shared = take_one(&mut self.shared_before, *key);
            if was_shared || window.is_shared(&item) {
                *self.shared.entry(*key).or_default() += 1;
            }
            if moved && !was_shared {
                continue;
            }
            self.came = self.came.saturating_add(1);
            if was_shared {
                continue;
            }
            self.given.push_back(*key);
            if self.unwanted > 0 {
                self.unwanted -= 1;
            } else {
                self.ready.push_back(Ok(item));
            }
        }
        let forgotten = self.given.len().saturating_sub(GIVEN);
        self.given.drain(..forgotten);
        self.before = Some((keys, total));
        if over {
            self.end(total);
        }
    }

    /// Ends the window and begins the next one.
    fn end(&mut self, total: Option<u64>) {
        let missing = total.unwrap_or(0).saturating_sub(self.came);
        if missing > 0 {
            tracing::warn!(missing, "the server counted more items than it returned");
        }
        self.missing = self.missing.saturating_add(missing);
        if let Some(windows) = &mut self.windows {
            windows.pop_front();
        }
        self.skip = 0;
        self.came = 0;
        self.before = None;
        self.shared_before = std::mem::take(&mut self.shared);
    }
}

/// Subtracts an item from the count of its key. Returns false if the count is 0.
fn take_one(counts: &mut HashMap<u64, usize>, key: u64) -> bool {
    let count = counts.get_mut(&key).filter(|count| **count > 0);
    count.map(|count| *count -= 1).is_some()
}

/// The key of an item: equal items have equal keys.
fn key(object: &impl Serialize) -> u64 {
    let json = serde_json::to_string(object).unwrap_or_default();
    BuildHasherDefault::<DefaultHasher>::default().hash_one(json)
}
