//! The first reject of each kind, for people.

use std::io::{self, Write};

use serde::Deserialize;

use crate::text::printable;

/// The maximum number of rejects that are shown.
const MOST: usize = 5;

/// A writer of rejects that keeps the first one of each kind.
#[derive(Default)]
pub(super) struct FirstRejects {
    /// The bytes of an incomplete line.
    part: Vec<u8>,
    kinds: Vec<String>,
    /// The rejects as text: file, line and message.
    pub(super) texts: Vec<String>,
}

/// The members of a reject that are shown.
#[derive(Deserialize)]
struct Reject {
    file: String,
    line: u64,
    reason: Reason,
}

#[derive(Deserialize)]
struct Reason {
    kind: String,
    message: String,
}

impl FirstRejects {
    fn add(&mut self, line: &[u8]) {
        // Most lines are of a kind that is there already: only others are parsed. No text of JSON has these quotes.
        const KIND: &[u8] = br#""reason":{"kind":""#;
        let at = line.windows(KIND.len()).position(|some| some == KIND);
        let rest = at.and_then(|at| line.get(at + KIND.len()..));
        let is_known = |kind: &String| {
            rest.and_then(|rest| rest.strip_prefix(kind.as_bytes()))
                .is_some_and(|rest| rest.starts_with(b"\""))
        };
        if self.kinds.iter().any(is_known) {
            return;
        }
        if let Ok(reject) = serde_json::from_slice::<Reject>(line) {
            let (file, message) = (printable(&reject.file), printable(&reject.reason.message));
            let text = format!("{file}:{}: {message}", reject.line);
            self.texts.push(text);
            self.kinds.push(reject.reason.kind);
        }
    }
}

impl Write for FirstRejects {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.kinds.len() < MOST {
            for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
                self.part.extend_from_slice(piece);
                if piece.ends_with(b"\n") && self.kinds.len() < MOST {
                    let line = std::mem::take(&mut self.part);
                    self.add(&line);
                }
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_each_kind_is_kept() {
        let mut first = FirstRejects::default();
        let reject = |line: u32, kind: &str| {
            format!(
                "{{\"file\":\"a.csv\",\"line\":{line},\"reason\":{{\"kind\":\"{kind}\",\"message\":\"of {kind}\"}},\"record\":\"\"}}\n"
            )
        };
        for (line, kind) in (1..).zip(["a", "b", "a", "ab", "b", "c", "d", "e"]) {
            let text = reject(line, kind);
            let (head, rest) = text.split_at(30);
            first.write_all(head.as_bytes()).unwrap();
            first.write_all(rest.as_bytes()).unwrap();
        }
        let texts = [
            "a.csv:1: of a",
            "a.csv:2: of b",
            "a.csv:4: of ab",
            "a.csv:6: of c",
            "a.csv:7: of d",
        ];
        assert_eq!(first.texts, texts);
    }
}
