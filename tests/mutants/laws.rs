//! One test, so that the first law that is broken ends a mutant.

#[test]
fn the_laws_hold() {
    gizwits_mutants::check();
}
