//! A program that controls a device by the Enterprise API.

// README: begin
use gizwits_enterprise_client::{Error, blocking::Product};
use serde_json::json;

fn cool_down(product: &Product, did: &str) -> Result<(), Error> {
    let device = product.device(did);
    device
        .control(json!({"set_temp": 18, "mode": "制冷"}))
        .send()?;
    for record in device.cmd_log().send()?.objects {
        println!("{} {:?}", record.timestamp, record.decoded);
    }
    Ok(())
}
// README: end

#[test]
fn runs() {
    use gizwits_enterprise_client::blocking::Enterprise;
    use gizwits_simulator::{Options, Server, Simulator};

    let server = Server::start(Simulator::builder().build().unwrap(), Options::default()).unwrap();
    let credentials = server.simulator().credentials().unwrap().remove(0);
    let enterprise = Enterprise::builder()
        .id(credentials.enterprise_id)
        .secret(credentials.enterprise_secret)
        .base_url(server.url())
        .no_proxy()
        .build()
        .unwrap();
    let product = enterprise.product(credentials.product_key, credentials.product_secret);
    let did = credentials.dids[0].as_str();
    cool_down(&product, did).unwrap();
    let log = product.device(did).cmd_log().send().unwrap();
    assert!(!log.objects.is_empty());
}
