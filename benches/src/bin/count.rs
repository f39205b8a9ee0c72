//! Decodes payloads with one kernel and does nothing else, for an instruction counter.
//!
//! `count A/raw/layout 5000`: the number is rounded up to whole rounds of 1000. Without arguments it
//! lists the kernels. See `benches/decode.rs` for how to count with it.

use std::process::ExitCode;

use gizwits_benches::kernels::{self, Kernel};
use gizwits_benches::{fixture, log};

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let (name, payloads) = (args.next(), args.next());
    let found = kernels::all()
        .into_iter()
        .chain(log::kernels())
        .find(|kernel| Some(kernel.name) == name.as_deref());
    match (found, payloads.map(|payloads| payloads.parse::<usize>())) {
        (Some(mut kernel), Some(Ok(payloads))) => {
            measured(&mut kernel, payloads.div_ceil(fixture::PAYLOADS));
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("count KERNEL PAYLOADS, with one of these kernels:");
            for kernel in kernels::all().into_iter().chain(log::kernels()) {
                eprintln!("  {}", kernel.name);
            }
            ExitCode::FAILURE
        }
    }
}

/// Runs a kernel. The instruction counter counts what happens in this function.
#[inline(never)]
fn measured(kernel: &mut Kernel, rounds: usize) {
    for _ in 0..rounds {
        (kernel.run)();
    }
}
