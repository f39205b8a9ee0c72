//! A short run of the load program.

use std::time::Duration;

use gizwits_simulator::{Options, Server};

use crate::support::{self, *};

#[test]
fn sixty_four_callers() {
    let simulator = small();
    let token = token_of(&simulator, AC, AC_SECRET);
    let server = Server::start(simulator, Options::default()).unwrap();
    let span = Duration::from_millis(1500);
    let figures = support::load::run(server.address(), AC, DID, &token, 64, span);
    println!("{figures}");
    assert_eq!(figures.failed, 0);
    assert!(figures.calls > 64, "{figures}");
    assert!(server.simulator().is_sound().unwrap());
}
