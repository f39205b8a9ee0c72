//! A small world, and calls to it.
#![allow(dead_code, unreachable_pub)]

pub mod load;
pub mod wire;

use gizwits_simulator::{Request, Response, Scenario, Simulator, Time};
use serde_json::Value;

/// 2017-12-31 12:00:00 in China.
pub const START: i64 = 1_514_692_800_000;
pub const HOUR: i64 = 3_600_000;
pub const DAY: i64 = 24 * HOUR;

pub const ENTERPRISE: &str = "e0e1e2e3e4e5e6e7e8e9eaebecedeeef";
pub const SECRET: &str = "5ec0e75ec0e75ec0e75ec0e75ec0e75e";
pub const AC: &str = "a1b2c3d4e5f60718293a4b5c6d7e8f90";
pub const AC_SECRET: &str = "9ac9ac9ac9ac9ac9ac9ac9ac9ac9ac9a";
pub const PUMP: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
pub const PUMP_SECRET: &str = "3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b";
pub const APP: &str = "a44100000000000000000000000000a1";
pub const UID: &str = "25a5324c807842348f63ade277eb413a";
pub const DID: &str = "cBYkSjoE2xspYMhaUHdk5k";
pub const MAC: &str = "virtual:site";
pub const PUMP_DID: &str = "wPvL4xQ9mRt2Kd7Hs3Jn6b";

/// Two products with still devices, one user.
pub const SMALL: &str = r#"
seed = 7
[[enterprise]]
id = "e0e1e2e3e4e5e6e7e8e9eaebecedeeef"
secret = "5ec0e75ec0e75ec0e75ec0e75ec0e75e"
quota = 1000000
[[enterprise]]
id = "other"
secret = "other secret"
[[app]]
appid = "a44100000000000000000000000000a1"
products = ["a1b2c3d4e5f60718293a4b5c6d7e8f90"]
[[product]]
definition = "air-conditioner"
key = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
secret = "9ac9ac9ac9ac9ac9ac9ac9ac9ac9ac9a"
[[product]]
definition = "wave-pump"
key = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
secret = "3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b"
[[product]]
key = "bare"
secret = "bare secret"
[[product]]
key = "broken"
secret = "broken secret"
definition = '{"name": "broken", "entities": 5}'
unchecked = true
[[product]]
key = "nobody"
secret = "nobody secret"
enterprise = ""
[[device]]
product = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
mac = "virtual:site"
did = "cBYkSjoE2xspYMhaUHdk5k"
place = { country = "China", region = "Guangdong", city = "Guangzhou", longitude = 113.280637, latitude = 23.125178 }
initial = { switch = true, set_temp = 16 }
[[device]]
product = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
mac = "5CCF7F0A1B2C"
did = "second"
place = { country = "China", region = "Guangdong", city = "Shenzhen" }
[[device]]
product = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
mac = "nowhere"
did = "third"
disabled = true
[[device]]
product = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
mac = "later"
did = "later"
after = "30d"
[[device]]
product = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
mac = "A4CF12D0E5F6"
did = "wPvL4xQ9mRt2Kd7Hs3Jn6b"
initial = { power = true, mode = "pulse", flow = 60, frequency = 2.5, water_temp = 24.5 }
[[device]]
product = "bare"
mac = "bare"
did = "bare"
[[device]]
product = "broken"
mac = "broken"
did = "broken"
[[user]]
uid = "25a5324c807842348f63ade277eb413a"
app = "a44100000000000000000000000000a1"
place = { country = "China", region = "Beijing", city = "Beijing" }
binds = ["virtual:site"]
[[user]]
uid = "2ac80784a695a5f88f63ade277eb413b"
app = "a44100000000000000000000000000a1"
username = "linlin"
visits = "1d"
"#;

pub fn small() -> Simulator {
    world(SMALL, START)
}

pub fn world(scenario: &str, start: i64) -> Simulator {
    let simulator = Simulator::builder()
        .scenario(Scenario::from_toml(scenario, None).unwrap())
        .time(Time::Manual { start })
        .build()
        .unwrap();
    // Everybody has said hello.
    simulator.step(2000).unwrap();
    simulator
}

pub fn json(answer: &Response) -> Value {
    serde_json::from_slice(&answer.body)
        .unwrap_or_else(|error| panic!("{error}: {}", answer.text()))
}

pub fn code(answer: &Response) -> u64 {
    match json(answer)["error_code"].as_u64() {
        Some(code) => code,
        None => panic!("no error: {} {}", answer.status, answer.text()),
    }
}

pub fn credentials(product_secret: &str) -> String {
    serde_json::json!({
        "enterprise_id": ENTERPRISE,
        "enterprise_secret": SECRET,
        "product_secret": product_secret,
    })
    .to_string()
}

pub fn token_of(simulator: &Simulator, key: &str, secret: &str) -> String {
    let target = format!("/v1/products/{key}/access_token");
    let request = Request::new("POST", target).body(credentials(secret));
    let answer = simulator.answer(&request);
    assert_eq!(answer.status, 201, "{}", answer.text());
    json(&answer)["token"].as_str().unwrap().to_owned()
}

/// A product's API, with a token.
pub struct Client<'s> {
    pub simulator: &'s Simulator,
    pub key: &'static str,
    pub token: String,
}

pub fn ac(simulator: &Simulator) -> Client<'_> {
    client(simulator, AC, AC_SECRET)
}

pub fn pump(simulator: &Simulator) -> Client<'_> {
    client(simulator, PUMP, PUMP_SECRET)
}

pub fn client<'s>(simulator: &'s Simulator, key: &'static str, secret: &str) -> Client<'s> {
    Client {
        simulator,
        key,
        token: token_of(simulator, key, secret),
    }
}

impl Client<'_> {
    pub fn call(&self, method: &str, rest: &str, body: &str) -> Response {
        let target = format!("/v1/products/{}/{rest}", self.key);
        let request = Request::new(method, target).token(&self.token).body(body);
        self.simulator.answer(&request)
    }

    pub fn get(&self, rest: &str) -> Value {
        let answer = self.call("GET", rest, "");
        assert_eq!(answer.status, 200, "{rest}: {}", answer.text());
        json(&answer)
    }

    pub fn send(&self, method: &str, rest: &str, body: &str) -> Value {
        let answer = self.call(method, rest, body);
        assert!(answer.status < 300, "{rest}: {}", answer.text());
        json(&answer)
    }

    pub fn refused(&self, method: &str, rest: &str, body: &str) -> u64 {
        code(&self.call(method, rest, body))
    }
}

/// A call with the enterprise's headers.
pub fn enterprise(simulator: &Simulator, target: &str) -> Response {
    simulator.answer(
        &Request::new("GET", target)
            .header("X-Gizwits-Enterprise-ID", ENTERPRISE)
            .header("X-Gizwits-Enterprise-Secret", SECRET),
    )
}
