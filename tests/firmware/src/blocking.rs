//! A link over `embedded-io`: one loop that never waits.

use embedded_io::{Read, ReadReady, Write, WriteReady};
use gizwits_codec_core::link::{Event, Link};
use heapless::Deque;

use crate::application::{INFO, act, note};
use crate::product::{Product, Status};

/// Runs until the module wants a restart, or the port fails.
///
/// # Errors
/// Those of the port.
pub fn run<U>(port: &mut U, mut now: impl FnMut() -> u32) -> Result<(), U::Error>
where
    U: Read + ReadReady + Write + WriteReady,
{
    let mut buffer = [0; Link::<Product>::room()];
    let mut link: Link<'_, Product> = Link::new(&INFO, &mut buffer);
    let mut status = Status::new();
    let mut queue: Deque<u8, { Link::<Product>::longest(0) }> = Deque::new();
    let mut goes_on = true;
    while goes_on || !queue.is_empty() {
        let mut chunk = [0; 16];
        let len = if port.read_ready()? {
            port.read(&mut chunk)?
        } else {
            0
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
        while port.write_ready()? {
            let Some(byte) = queue.pop_front() else { break };
            port.write_all(&[byte])?;
        }
    }
    port.flush()
}
