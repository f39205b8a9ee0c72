//! The benchmarks of the workspace: our programs and the programs that they are measured against.
//!
//! A [`Kernel`](kernel::Kernel) is one program with one input. A file in `group` lists the kernels of a group, and a new
//! kernel is one entry there. Kernels whose names differ in their last part only have the same input and must
//! have the same output, which [`check`](kernel::check) compares before anything is timed. The first of them is
//! ours, and the table shows the others as multiples of it.
//!
//! `cargo measure` runs them all and prints the table. `docs/performance.md` describes what is measured and how.

pub mod fixture;
pub mod generated;
pub mod group;
pub mod growth;
pub mod instructions;
pub mod kernel;
pub mod page;
pub mod peer;
pub mod plot;
pub mod table;
pub mod timing;
