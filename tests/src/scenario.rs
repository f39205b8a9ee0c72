//! Scenarios of the simulator: the law of worlds.

use gizwits_simulator::{Act, Error, Request, Scenario, Simulator, Time};

/// 2024-01-02T00:00:00Z in milliseconds.
const NOW: i64 = 1_704_153_600_000;

/// Any text as a scenario: it is read or refused in a text that fits a screen. What is read makes a world or is refused
/// with the part that is wrong. A world lives on for a minute, answers calls, and its database is sound. Worlds with
/// another history than `"1m"` are not made, because a history of years takes minutes.
///
/// # Panics
/// If the law is broken.
pub fn scenario(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let scenario = match Scenario::from_toml(&text, None) {
        Ok(scenario) => scenario,
        Err(error) => return refused(&error),
    };
    let table: toml::Table = text.parse().expect("the scenario was read");
    let history = table.get("history").and_then(toml::Value::as_str);
    if history.is_some_and(|history| history != "1m") {
        return;
    }
    let time = Time::Manual { start: NOW };
    let world = match Simulator::builder().scenario(scenario).time(time).build() {
        Ok(world) => world,
        Err(error) => return refused(&error),
    };
    let products = world.credentials().expect("a sound database");
    assert_eq!(world.step(60_000).expect("a minute passes"), NOW + 60_000);
    for product in products.iter().take(3) {
        let path = format!("/v1/products/{}/access_token", product.product_key);
        let answer = world.answer(&Request::new("POST", &path));
        assert!(answer.status < 500, "{path}: {}", answer.status);
        for did in product.dids.iter().take(3) {
            let act = world.act(did, &Act::Set("{}".to_owned()));
            assert!(matches!(act, Ok(()) | Err(Error::Invalid(_))), "{act:?}");
        }
    }
    assert!(world.is_sound().expect("a database"));
}

/// A scenario is refused as a scenario, in a text that fits a screen.
fn refused(error: &Error) {
    assert!(matches!(error, Error::Scenario(_)), "{error:?}");
    let text = error.to_string();
    assert!(!text.is_empty() && text.len() < 2000, "{text}");
}
