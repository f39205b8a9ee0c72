// The cloud of the examples in the documentation, which include this file: a simulator on loopback.

use gizwits_enterprise_client::{Mode, client};
use gizwits_simulator::{Scenario, Server, Simulator};

type Done<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A small part of the built-in world, with the same ids.
const WORLD: &str = r#"
    history = "3h"
    [[enterprise]]
    id = "e0e1e2e3e4e5e6e7e8e9eaebecedeeef"
    secret = "5ec0e75ec0e75ec0e75ec0e75ec0e75e"
    [[app]]
    appid = "a44100000000000000000000000000a1"
    products = ["a1b2c3d4e5f60718293a4b5c6d7e8f90"]
    [[product]]
    definition = "air-conditioner"
    key = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
    secret = "9ac9ac9ac9ac9ac9ac9ac9ac9ac9ac9a"
    [[device]]
    product = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
    mac = "virtual:site"
    did = "cBYkSjoE2xspYMhaUHdk5k"
    place = { country = "China", region = "Guangdong", city = "Guangzhou", longitude = 113.28, latitude = 23.12 }
    initial = { switch = true, set_temp = 16, room_temp = 21 }
    report_every = "30m"
    [[device]]
    product = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
    mac = "5CCF7F0A1B2C"
    place = { country = "China", region = "Guangdong", city = "Shenzhen", longitude = 114.06, latitude = 22.54 }
    report_every = "30m"
    [[user]]
    uid = "25a5324c807842348f63ade277eb413a"
    app = "a44100000000000000000000000000a1"
    place = { country = "China", region = "Guangdong", city = "Guangzhou" }
    binds = ["virtual:site"]
    visits = "1h"
"#;

/// A simulator, and a client of its product. The simulator ends when it is dropped.
fn simulated<M: Mode>() -> Done<(Server, client::Product<M>)> {
    let scenario = Scenario::from_toml(WORLD, None)?;
    let simulator = Simulator::builder().scenario(scenario).build()?;
    let server = Server::start(simulator, Default::default())?;
    let account = server.simulator().credentials()?.swap_remove(0);
    let enterprise = client::Enterprise::builder()
        .id(&account.enterprise_id)
        .secret(account.enterprise_secret)
        .base_url(server.url())
        .build()?;
    let product = enterprise.product(&account.product_key, account.product_secret);
    Ok((server, product))
}
