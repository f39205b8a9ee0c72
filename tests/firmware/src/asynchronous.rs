//! A link over `embedded-io-async`: one task, which sleeps while nothing comes in and nothing is due.

use embassy_futures::select::{Either, select};
use embedded_io_async::{ErrorType, Read, Write};
use gizwits_codec_core::link::{Event, Link};
use heapless::Deque;

use crate::application::{INFO, act, note};
use crate::product::{Product, Status};

/// Runs until the module wants a restart, or the port fails. `read` may be dropped before it is done, as
/// that of a buffered port may.
///
/// # Errors
/// Those of the port.
pub async fn run<R, W>(
    rx: &mut R,
    tx: &mut W,
    now: impl Fn() -> u32,
    sleep: impl AsyncFn(u32),
) -> Result<(), R::Error>
where
    R: Read,
    W: Write + ErrorType<Error = R::Error>,
{
    let mut buffer = [0; Link::<Product>::room()];
    let mut link: Link<'_, Product> = Link::new(&INFO, &mut buffer);
    let mut status = Status::new();
    let mut queue: Deque<u8, { Link::<Product>::longest(0) }> = Deque::new();
    let mut goes_on = true;
    while goes_on {
        let mut chunk = [0; 16];
        let len = match select(rx.read(&mut chunk), sleep(link.wait(now()))).await {
            Either::First(read) => read?,
            Either::Second(()) => 0,
        };
        // What doesn't fit is lost, as on a bad line, and sent again.
        let mut sink = |byte| {
            let _ = queue.push_back(byte);
        };
        for byte in chunk.iter().take(len) {
            if let Some(event) = link.receive(*byte, now(), &mut sink) {
                goes_on &= act(event, &mut status);
            }
        }
        match link.poll(now(), &status, &mut sink) {
            None => {}
            Some(Event::Invalid) => link.invalid().for_each(note),
            Some(event) => goes_on &= act(event, &mut status),
        }
        while let Some(byte) = queue.pop_front() {
            tx.write_all(&[byte]).await?;
        }
    }
    tx.flush().await
}
