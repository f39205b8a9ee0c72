//! The laws of the core in one test, so that the first law that is broken ends the run.

#[test]
fn the_laws_of_the_core_hold() {
    gizwits_portable_laws::check_core();
}
