//! The laws of the std layer.

#[test]
fn the_laws_of_the_std_layer_hold() {
    gizwits_portable_laws::check_std();
}
