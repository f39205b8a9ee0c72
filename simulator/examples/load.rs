//! Measures calls per second on loopback:
//! `cargo run --profile dist -p gizwits-simulator --example load -- [--long] [--file PATH]`.
//!
//! 64 connections send calls for five seconds, or for two minutes with `--long`. The world is in memory, or in the file
//! that `--file` names.

#[path = "../tests/support/load.rs"]
mod load;
#[path = "../tests/support/wire.rs"]
mod wire;

use std::error::Error;
use std::time::Duration;

use gizwits_simulator::{Options, Request, Server, Simulator, Switch};

fn main() -> Result<(), Box<dyn Error>> {
    let mut span = Duration::from_secs(5);
    let mut builder = Simulator::builder();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--long" => span = Duration::from_secs(120),
            "--file" => builder = builder.file(arguments.next().ok_or("--file PATH")?),
            other => {
                return Err(
                    format!("unknown argument `{other}`: expected --long or --file PATH").into(),
                );
            }
        }
    }
    let server = Server::start(builder.build()?, Options::default())?;
    let simulator = server.simulator();
    let credentials = simulator.credentials()?.swap_remove(0);
    simulator.switch(&Switch::Quota {
        enterprise_id: credentials.enterprise_id.clone(),
        calls: i64::from(u32::MAX),
    })?;
    let target = format!("/v1/products/{}/access_token", credentials.product_key);
    let body = serde_json::to_vec(&credentials)?;
    let answer = simulator.answer(&Request::new("POST", target).body(body));
    let token: serde_json::Value = serde_json::from_slice(&answer.body)?;
    let token = token["token"].as_str().ok_or("no token")?;
    let did = &credentials.dids[0];
    let figures = load::run(
        server.address(),
        &credentials.product_key,
        did,
        token,
        64,
        span,
    );
    println!("{figures}");
    server.stop();
    Ok(())
}
