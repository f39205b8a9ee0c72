//! The generated code of every fixture, and [`each_fixture`](crate::each_fixture).

include!(concat!(env!("OUT_DIR"), "/generated.rs"));
