//! The client against the simulator: two witnesses of one API, which share no type and no code.

use gizwits_enterprise_client::blocking::{Device, Enterprise, Product};
use gizwits_enterprise_client::codec::Action;
use gizwits_enterprise_client::endpoint::{self as e, Endpoint};
use gizwits_enterprise_client::{
    Attrs, Coding, Date, Error, ErrorCode, Month, Period, RetryPolicy, Week, users,
};
use gizwits_simulator::{Mode, Options, ROUTES, Server, Simulator};
use serde_json::json;

#[allow(dead_code)]
#[path = "../enterprise-client/examples/control_verified.rs"]
mod control_verified;
#[allow(dead_code)]
#[path = "../enterprise-client/examples/decode_a_day.rs"]
mod decode_a_day;
#[allow(dead_code)]
#[path = "../enterprise-client/examples/group_tree.rs"]
mod group_tree;
#[allow(dead_code)]
#[path = "../enterprise-client/examples/online_history.rs"]
mod online_history;

const ROOT: &str = "tests/world.rs: the world that there is without a scenario";
const MAC: &str = "virtual:site";
const UID: &str = "25a5324c807842348f63ade277eb413a";
const APP: &str = "a44100000000000000000000000000a1";

/// A simulator that listens, and its credentials.
struct World {
    server: Server,
    product: Product,
    device: Device,
}

impl World {
    /// The `nth` product of the built-in world.
    fn of(nth: usize) -> Self {
        let simulator = Simulator::builder().build().expect(ROOT);
        let server = Server::start(simulator, Options::default()).expect("loopback");
        let credentials = server.simulator().credentials().expect(ROOT);
        let one = &credentials[nth];
        let product = Enterprise::builder()
            .id(one.enterprise_id.as_str())
            .secret(one.enterprise_secret.as_str())
            .base_url(server.url())
            .no_proxy()
            .retry(RetryPolicy::NONE)
            .build()
            .expect("a client")
            .product(one.product_key.as_str(), one.product_secret.as_str());
        let device = product.device(one.dids[0].as_str());
        World {
            server,
            product,
            device,
        }
    }

    /// Lets a device do what it has to.
    fn step(&self, millis: i64) {
        self.server.simulator().step(millis).expect("a step");
    }

    /// Sets a mode of this endpoint, from the next call on, or for a number of calls.
    fn mode(&self, endpoint: &Endpoint, mode: Mode, count: Option<u32>) {
        let simulator = self.server.simulator();
        simulator
            .set_mode(endpoint.id, &mode, count)
            .expect("a mode");
    }

    fn latest(&self) -> Attrs {
        let page = self.device.data().limit(1).send().expect("data");
        page.objects[0].attrs.clone()
    }
}

fn day(text: &str) -> Date {
    text.parse().expect("a day")
}

/// Both know the same endpoints, by name, method and path.
#[test]
fn the_tables_are_one() {
    for endpoint in e::ALL {
        let route = ROUTES.iter().find(|route| route.name == endpoint.id);
        let route = route.unwrap_or_else(|| panic!("no route {}", endpoint.id));
        assert_eq!(route.method, endpoint.method.as_str(), "{}", endpoint.id);
        for path in endpoint.templates {
            assert!(route.paths.contains(path), "{}: {path}", endpoint.id);
        }
    }
    assert_eq!((e::ALL.len(), ROUTES.len()), (33, 33));
}

type Call = Box<dyn Fn(&Product, &Device) -> Result<String, Error>>;

/// Every endpoint, called by its method.
#[test]
fn every_endpoint_answers() {
    macro_rules! call {
        (|$product:pat_param, $device:pat_param| $call:expr) => {
            Box::new(move |$product: &Product, $device: &Device| Ok(format!("{:?}", $call.send()?)))
                as Call
        };
    }
    let month: fn(&str) -> Month = |text| text.parse().expect("a month");
    let week: fn(&str) -> Week = |text| text.parse().expect("a week");
    // What is done, and a word of what has to come back.
    let calls: Vec<(Endpoint, &str, Call)> = vec![
        (e::ACCESS_TOKEN, "", call!(|p, _| p.access_token())),
        (e::DATAPOINT, "room_temp", call!(|p, _| p.datapoint())),
        (e::USERS, UID, call!(|p, _| p.users().registered())),
        (
            e::BOUND_USERS,
            UID,
            call!(|p, d| p.users().bound().by(users::UserKey::Did, d.did().as_str())),
        ),
        (
            e::DEVICE_BY_MAC,
            "cBYkSjoE2xspYMhaUHdk5k",
            call!(|p, _| p.devices().by_mac(MAC)),
        ),
        (
            e::DEVICE_DETAIL,
            "normal",
            call!(|p, _| p.devices().detail(MAC)),
        ),
        (
            e::DEVICES,
            MAC,
            call!(|p, _| p.devices().search().city("Guangzhou").is_online(true)),
        ),
        (
            e::CONTROL,
            "",
            call!(|_, d| d.control(json!({"set_temp": 25}))),
        ),
        (e::ONLINE, "total", call!(|_, d| d.online())),
        (e::CMD, "Report", call!(|_, d| d.cmd_log())),
        (e::DATA, "set_temp", call!(|_, d| d.data())),
        (e::CREATE_GROUP, "Gid", call!(|p, _| p.groups().create())),
        (e::GROUPS, "GroupNode", call!(|p, _| p.groups().tree())),
        (
            e::CHANGE_GROUP,
            MAC,
            call!(|p, _| p.group(root(p)).assign([MAC])),
        ),
        (e::GROUP_MACS, MAC, call!(|p, _| p.group(root(p)).macs())),
        (
            e::BIND,
            "cBYkSjoE2xspYMhaUHdk5k",
            call!(|p, d| p.bindings().bind(UID, APP, [d.did().as_str()])),
        ),
        (
            e::UNBIND,
            "cBYkSjoE2xspYMhaUHdk5k",
            call!(|p, d| p.bindings().unbind(UID, APP, [d.did().as_str()])),
        ),
        (
            e::ACTIVATION,
            "",
            call!(|p, _| p
                .device_reports()
                .activation()
                .parameter("cycle", "date")
                .parameter("start", "2020-01-01")
                .parameter("end", "2020-01-02")),
        ),
        (
            e::LOCATIONS,
            "Guangzhou",
            call!(|p, _| p.device_reports().locations()),
        ),
        (
            e::SUMMARY,
            "total",
            call!(|p, _| p.device_reports().summary()),
        ),
        (
            e::NEW_DEVICES,
            "",
            call!(|p, _| p.device_reports().new_devices()),
        ),
        (
            e::ACTIVE_DEVICES,
            "",
            call!(|p, _| p.device_reports().active_devices()),
        ),
        (
            e::LIVENESS,
            "2020-01",
            call!(|p, _| p
                .device_reports()
                .liveness(Period::Months(month("2020-01"), month("2020-02")))),
        ),
        (
            e::REALTIME,
            "activated",
            call!(|p, _| p.device_reports().realtime()),
        ),
        (
            e::FAULT_DEVICES,
            "total",
            call!(|p, _| p.device_reports().fault_devices()),
        ),
        (
            e::ALERT_DEVICES,
            "total",
            call!(|p, _| p.device_reports().alert_devices()),
        ),
        (
            e::FAULT_EVENTS,
            "fault_roomtemp",
            call!(|p, _| p.device_reports().fault_events()),
        ),
        (
            e::ALERT_EVENTS,
            "alert_full",
            call!(|p, _| p.device_reports().alert_events()),
        ),
        (
            e::NEW_USERS,
            "2020-01",
            call!(|p, _| p
                .user_reports()
                .new_users(Period::Weeks(week("2020-01"), week("2020-02")))),
        ),
        (
            e::USER_LIVENESS,
            "",
            call!(|p, _| p
                .user_reports()
                .liveness(day("2020-01-01"), day("2020-01-02"))),
        ),
        (
            e::USER_LOCATIONS,
            "China",
            call!(|p, _| p.user_reports().locations()),
        ),
        (
            e::USER_TOTAL,
            "total",
            call!(|p, _| p.user_reports().total()),
        ),
        (
            e::DELETE_GROUP,
            "",
            call!(|p, _| {
                let left = p.group(root(p)).unassign([MAC]).send()?;
                assert!(left.failed.is_empty());
                p.group(root(p)).delete()
            }),
        ),
    ];
    let world = World::of(0);
    let mut called: Vec<&str> = Vec::new();
    for (endpoint, word, call) in &calls {
        let answered = call(&world.product, &world.device);
        let answer = answered.unwrap_or_else(|error| panic!("{}: {error}", endpoint.id));
        assert!(answer.contains(word), "{}: {answer}", endpoint.id);
        called.push(endpoint.id);
        // The report after a control.
        world.step(1000);
    }
    called.sort_unstable();
    let mut all: Vec<&str> = e::ALL.iter().map(|endpoint| endpoint.id).collect();
    all.sort_unstable();
    assert_eq!(called, all);
}

fn root(product: &Product) -> gizwits_enterprise_client::Gid {
    let tree = product.groups().tree().send().expect("a tree");
    tree.0[0].gid.clone()
}

/// Returns the values of the newest record with this action. Devices also report by themselves.
fn newest(device: &Device, action: Action) -> Attrs {
    let mut records = device
        .cmd_log()
        .limit(10)
        .send()
        .expect("a log")
        .objects
        .into_iter();
    let found = records.find_map(|record| {
        let message = record.decoded.expect("decoded").expect("sound");
        (message.action() == Some(action)).then(|| message.attrs().expect("attrs").clone())
    });
    found.expect("such a record")
}

/// A control by any of its forms is what the device reports a little later, and what its log holds.
#[test]
fn controls_come_back_as_reports() {
    // A standard product.
    let world = World::of(0);
    let device = &world.device;
    for (temp, control) in [
        (24, device.control(json!({"set_temp": 24}))),
        (25, device.control(json!({"set_temp": 25})).encoded()),
        (
            26,
            device
                .control(json!({"set_temp": 26}))
                .encoded()
                .binary_coding(Coding::Hex),
        ),
        (
            27,
            device
                .control(json!({"set_temp": 27}))
                .encoded()
                .binary_coding(Coding::Base64),
        ),
    ] {
        control.send().expect("a control");
        world.step(1000);
        assert_eq!(world.latest()["set_temp"], temp.into());
        for action in [Action::Control, Action::Report] {
            assert_eq!(newest(device, action)["set_temp"], temp.into());
        }
    }
    // What the definition refuses costs no call.
    let left = world.product.enterprise().rate_limit().remaining;
    for wrong in [
        json!({"set_temp": 31}),
        json!({"room_temp": 20}),
        json!({"mode": "warm"}),
    ] {
        let error = device
            .control(wrong)
            .send()
            .expect_err("it is refused here");
        assert_eq!((error.code(), error.status()), (None, None), "{error}");
    }
    assert_eq!(world.product.enterprise().rate_limit().remaining, left);
    // Unchecked, it is the server that refuses.
    for (wrong, code) in [
        (json!({"set_temp": 31}), ErrorCode::AttrInvalid),
        (json!({"nobody": 1}), ErrorCode::AttrsNotExist),
    ] {
        let error = device
            .control(wrong)
            .unchecked()
            .send()
            .expect_err("it is refused there");
        assert_eq!(error.code(), Some(code));
    }

    // A var_len product: the report holds what changed, but for a full one now and then.
    let world = World::of(1);
    let mut reported = Vec::new();
    for flow in [74, 75] {
        world
            .device
            .control(json!({"flow": flow}))
            .send()
            .expect("a control");
        world.step(1000);
        assert_eq!(newest(&world.device, Action::Control).len(), 1);
        let report = newest(&world.device, Action::Report);
        assert_eq!(report["flow"], flow.into());
        reported.push(report.len());
    }
    assert!(reported.contains(&1), "{reported:?}");
    assert_eq!(world.latest()["flow"], 75.into());
}

/// The client accepts the variants of servers, and reports faults as errors.
#[test]
fn oddities_and_faults() {
    let world = World::of(0);
    let (product, device) = (&world.product, &world.device);
    let found = || product.devices().search().send();
    let plain = found().expect("devices");
    world.mode(&e::DEVICES, Mode::BoolAsInt, None);
    world.mode(&e::DEVICES, Mode::PlaceAsText, None);
    let odd = found().expect("devices");
    for (one, two) in plain.objects.iter().zip(&odd.objects) {
        assert_eq!(
            (one.is_online, one.longitude),
            (two.is_online, two.longitude)
        );
    }

    let frames =
        |page: gizwits_enterprise_client::Page<gizwits_enterprise_client::log::Command>| {
            let messages = page
                .objects
                .into_iter()
                .map(|record| record.decoded.expect("decoded"));
            messages.collect::<Vec<_>>()
        };
    let hex = frames(device.cmd_log().send().expect("a log"));
    world.mode(&e::CMD, Mode::Base64Payloads, None);
    let base64 = frames(device.cmd_log().send().expect("a log"));
    assert!(!hex.is_empty() && hex.iter().all(Result::is_ok));
    assert_eq!(hex, base64);

    // Refused tokens are fetched anew, once.
    world.mode(&e::DATA, Mode::TokenRevoked, Some(1));
    device.data().send().expect("another token");

    // A gateway's page keeps its status; codes may be text.
    world.mode(&e::DATA, Mode::Html502, Some(1));
    let error = device.data().send().expect_err("a gateway");
    assert_eq!(error.status(), Some(502), "{error}");
    world.mode(&e::DATA, Mode::CodeAsText, Some(1));
    world.mode(&e::DATA, Mode::Error { code: 5304 }, Some(1));
    let error = device.data().send().expect_err("disabled");
    assert_eq!(error.code(), Some(ErrorCode::DeviceDisabled));

    // Retries make up for what passes.
    world.mode(&e::DATA, Mode::Html502, Some(1));
    device
        .data()
        .retry(RetryPolicy::default())
        .send()
        .expect("a second try");
    // A control whose answer is lost is not sent again.
    let controls = || {
        let records = device
            .cmd_log()
            .iter()
            .collect::<Result<Vec<_>, _>>()
            .expect("a log");
        let mut actions = records
            .into_iter()
            .map(|one| one.decoded.expect("decoded").expect("sound").action());
        actions
            .by_ref()
            .filter(|action| *action == Some(Action::Control))
            .count()
    };
    let before = controls();
    world.mode(&e::CONTROL, Mode::Drop, Some(1));
    let lost = device
        .control(json!({"set_temp": 29}))
        .retry(RetryPolicy::default());
    lost.send().expect_err("nothing came back");
    world.step(1000);
    assert_eq!(controls(), before + 1);
    assert_eq!(world.latest()["set_temp"], 29.into());

    // Pages: a server that ignores `skip`, and links to elsewhere.
    let all = || {
        product
            .devices()
            .search()
            .limit(2)
            .iter()
            .collect::<Result<Vec<_>, _>>()
    };
    let devices = all().expect("pages").len();
    assert!(devices > 2);
    world.mode(&e::DEVICES, Mode::ForeignNext, None);
    assert_eq!(all().expect("pages").len(), devices);
    world.mode(&e::DEVICES, Mode::SkipIgnored, None);
    assert_eq!(all().expect("the first page").len(), 2);
}

/// The client finds an endpoint at either of two paths, if the documents contradict each other.
#[test]
fn either_path() {
    for (endpoint, call) in [
        (
            e::SUMMARY,
            (|p| p.device_reports().summary().send().map(drop))
                as fn(&Product) -> Result<(), Error>,
        ),
        (e::REALTIME, |p| {
            p.device_reports().realtime().send().map(drop)
        }),
        (e::ALERT_EVENTS, |p| {
            p.device_reports().alert_events().send().map(drop)
        }),
    ] {
        let world = World::of(0);
        world.mode(&endpoint, Mode::OnlyPath { index: 1 }, None);
        for _ in 0..2 {
            call(&world.product).unwrap_or_else(|error| panic!("{}: {error}", endpoint.id));
        }
        let enterprise = world.product.enterprise();
        assert_eq!(
            enterprise.answering_path(&endpoint),
            Some(endpoint.templates[1])
        );
    }
}

/// The client's examples, which its own tests run against fixtures, do the same here.
#[test]
fn examples() {
    let world = World::of(0);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(all_examples(&world));
}

async fn all_examples(world: &World) {
    let credentials = world.server.simulator().credentials().expect(ROOT);
    let one = &credentials[0];
    let product = gizwits_enterprise_client::Enterprise::builder()
        .id(one.enterprise_id.as_str())
        .secret(one.enterprise_secret.as_str())
        .base_url(world.server.url())
        .no_proxy()
        .build()
        .expect("a client")
        .product(one.product_key.as_str(), one.product_secret.as_str());
    let device = product.device(one.dids[0].as_str());
    let text = |out: Vec<u8>| String::from_utf8(out).expect("text");

    let mut out = Vec::new();
    decode_a_day::run(&product, &device, &mut out)
        .await
        .expect("a day");
    let shown = text(out);
    assert!(
        shown.starts_with("air conditioner: 11 data points\n"),
        "{shown}"
    );
    assert!(shown.contains("FromDevice Report"), "{shown}");

    let mut out = Vec::new();
    let control = control_verified::run(&product, &device, r#"{"set_temp":28}"#, &mut out);
    control.await.expect("a control");
    assert!(text(out).contains("done at "));

    let mut out = Vec::new();
    let offline = product.device(one.dids[2].as_str());
    online_history::run(&product, &offline, &mut out)
        .await
        .expect("a history");
    assert!(text(out).contains("no_heartbeat"));

    let mut out = Vec::new();
    let wanted = ["east/floor 1=virtual:site".to_owned()];
    group_tree::run(&product, &wanted, &mut out)
        .await
        .expect("a tree");
    let tree = product.groups().tree().send().await.expect("a tree");
    assert!(!tree.0.is_empty(), "{}", text(out));
}
