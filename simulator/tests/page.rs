//! The device page: who may see what is under `/page/`, and what its events tell.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

use gizwits_lan::{ClientOptions, Connection};
use gizwits_simulator::{Act, LanOptions, Options, Server, Simulator};
use serde_json::{Value, json};

use crate::support::wire::{Heard, Wire};
use crate::support::*;

/// Of a page that came from here.
const OWN: &str = "host: 127.0.0.1\r\nreferer: http://127.0.0.1/\r\n";

fn serve() -> Server {
    Server::start(small(), Options::default()).unwrap()
}

fn ask(server: &Server, method: &str, target: &str, head: &str, body: &str) -> Heard {
    let mut wire = Wire::open(server.address()).unwrap();
    let length = body.len();
    let call =
        format!("{method} {target} HTTP/1.1\r\n{head}content-length: {length}\r\n\r\n{body}");
    wire.write(call.as_bytes()).unwrap();
    wire.read().unwrap()
}

#[test]
fn its_files_are_for_everybody_and_call_nobody_else() {
    let server = serve();
    for (target, kind) in [
        ("/", "text/html"),
        ("/tokens.css", "text/css"),
        ("/page.css", "text/css"),
        ("/page.js", "text/javascript"),
        ("/chart.js", "text/javascript"),
        ("/page.svg", "image/svg+xml"),
    ] {
        let heard = ask(&server, "GET", target, "host: elsewhere.example\r\n", "");
        assert_eq!(heard.status, 200, "{target}");
        assert!(heard.header("content-type").unwrap().starts_with(kind));
        let policy = heard.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'self';") && !policy.contains("unsafe"));
        assert!(policy.contains("frame-ancestors 'none'"));
        assert!(!heard.text().contains(SECRET));
        let links = heard.text().replace("http://www.w3.org/2000/svg", "");
        assert!(
            !links.contains("http://") && !links.contains("https://"),
            "{target}"
        );
    }
    let page = server.page_url().unwrap();
    assert!(page.starts_with("http://127.0.0.1:"));
    // A call that the page makes says so; one elsewhere hears nothing of it.
    let heard = ask(&server, "GET", "/", "", "");
    assert_eq!(heard.header("referrer-policy"), Some("same-origin"));
}

#[test]
fn what_only_this_machine_may_see() {
    let server = serve();
    let port = server.address().port();
    let targets = [
        ("GET", "/page/products".to_owned(), ""),
        ("GET", format!("/page/definition/{AC}"), ""),
        ("GET", format!("/page/devices/{AC}"), ""),
        ("GET", format!("/page/events/{AC}"), ""),
        ("GET", format!("/page/events/{AC}/{DID}"), ""),
        ("POST", format!("/page/decode/{AC}"), "[]"),
    ];
    let own = format!("host: 127.0.0.1:{port}\r\nreferer: http://127.0.0.1:{port}/\r\n");
    let named = |host: &str| format!("host: {host}\r\nreferer: http://{host}/\r\n");
    let foreign = [
        // A name that somebody makes lead here, and none.
        named("evil.example"),
        named(&format!("127.0.0.1.evil.example:{port}")),
        named("127.0.0.1@evil.example"),
        named("192.168.1.2"),
        named("[::2]"),
        named("127.0.0.1.1"),
        String::new(),
        format!("referer: http://127.0.0.1:{port}/\r\n"),
        format!("{own}host: evil.example\r\n"),
        // A page that came from elsewhere.
        format!("{own}origin: http://evil.example\r\n"),
        format!("{own}origin: null\r\n"),
        format!("{own}origin: http://127.0.0.1:1\r\n"),
        format!("{own}origin: https://127.0.0.1:{port}\r\n"),
        format!(
            "host: localhost:{port}\r\nreferer: http://localhost:{port}/\r\n\
             origin: http://127.0.0.1:{port}\r\n"
        ),
        format!("{own}sec-fetch-site: cross-site\r\n"),
        format!("{own}sec-fetch-site: same-site\r\n"),
        // Somebody behind a proxy that says so.
        format!("{own}x-forwarded-for: 203.0.113.9\r\n"),
        format!("{own}forwarded: for=203.0.113.9\r\n"),
        // And behind one that writes the name anew and says nothing: the page came from its name, or
        // there is none.
        format!("host: 127.0.0.1:{port}\r\nreferer: http://proxy.example/\r\n"),
        format!(
            "host: 127.0.0.1:{port}\r\nreferer: https://proxy.example/\r\n\
             sec-fetch-site: same-origin\r\n"
        ),
        format!("host: 127.0.0.1:{port}\r\nreferer: https://127.0.0.1:{port}/\r\n"),
        format!("host: 127.0.0.1:{port}\r\nreferer: http://127.0.0.1:{port}.evil.example/\r\n"),
        format!("{own}referer: http://proxy.example/\r\n"),
        format!("{own}sec-fetch-site: none\r\n"),
        format!("host: 127.0.0.1:{port}\r\nsec-fetch-site: none\r\n"),
        format!("host: 127.0.0.1:{port}\r\n"),
    ];
    for (method, target, body) in &targets {
        for head in &foreign {
            let heard = ask(&server, method, target, head, body);
            assert_eq!(heard.status, 403, "{target} {head}");
            assert!(!heard.text().contains(SECRET) && !heard.text().contains(AC));
            let tunnel = format!("ssh -L 8080:127.0.0.1:{port} HOST");
            assert!(heard.text().contains(&tunnel), "{}", heard.text());
        }
    }
    for head in [
        own.clone(),
        named("localhost"),
        named(&format!("[::1]:{port}")),
        named(&format!("127.0.0.2:{port}")),
        format!(
            "{}origin: http://localhost:{port}\r\nsec-fetch-site: same-origin\r\n",
            named(&format!("localhost:{port}"))
        ),
        format!("{own}sec-fetch-site: same-origin\r\n"),
    ] {
        let heard = ask(&server, "GET", "/page/products", &head, "");
        assert_eq!(heard.status, 200, "{head}");
        assert_eq!(heard.header("cache-control"), Some("no-store"));
        let all: Value = serde_json::from_str(heard.text()).unwrap();
        let mut all = all.as_array().unwrap().iter();
        let ac = all.find(|one| one["product_key"] == AC).unwrap();
        assert_eq!(ac["enterprise_secret"], SECRET);
    }
}

#[test]
fn where_it_listens_is_where_the_page_is() {
    let server = |listen: &str| {
        let mut options = Options::default();
        options.listen = listen.parse().unwrap();
        Server::start(small(), options)
    };
    for listen in ["127.0.0.2:0", "0.0.0.0:0", "[::1]:0", "[::]:0"] {
        // Not every machine has all of them.
        let Ok(server) = server(listen) else { continue };
        let page = server.page_url().unwrap();
        let host = page.strip_prefix("http://").unwrap();
        let host = host.strip_suffix('/').unwrap();
        let mut wire = Wire::open(host.parse().unwrap()).unwrap();
        let head = format!("host: {host}\r\nreferer: {page}\r\n");
        wire.write(format!("GET /page/products HTTP/1.1\r\n{head}\r\n").as_bytes())
            .unwrap();
        assert_eq!(wire.read().unwrap().status, 200, "{listen}");
    }
}

/// The time in which a listener gets a line, and an event.
const LIMIT: Duration = Duration::from_secs(20);

/// Somebody who listens to events.
struct Listener {
    stream: BufReader<TcpStream>,
    status: u16,
}

struct Told {
    id: String,
    name: String,
    data: Value,
}

impl Listener {
    fn open(server: &Server, target: &str, last: Option<&str>) -> Self {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        let last = last.map_or(String::new(), |last| format!("last-event-id: {last}\r\n"));
        let call = format!("GET {target} HTTP/1.1\r\n{OWN}{last}\r\n");
        stream.write_all(call.as_bytes()).unwrap();
        let mut one = Listener {
            stream: BufReader::new(stream),
            status: 0,
        };
        let head = one.line().unwrap();
        one.status = head.split(' ').nth(1).unwrap().parse().unwrap();
        while one.line().unwrap() != "" {}
        one
    }

    fn device(server: &Server, product: &str, did: &str, last: Option<&str>) -> Self {
        Self::open(server, &format!("/page/events/{product}/{did}"), last)
    }

    /// None at the end.
    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        match self.stream.read_line(&mut line).unwrap() {
            0 => None,
            _ => Some(line.trim_end().to_owned()),
        }
    }

    /// The next event; between them stand the lengths of chunks. The stream never ends by itself, and lines that keep it
    /// open come before the time limit of a read, so that an event which never comes has a time limit of its own.
    fn next(&mut self) -> Option<Told> {
        self.next_until(Instant::now() + LIMIT)
    }

    fn next_until(&mut self, end: Instant) -> Option<Told> {
        let (mut id, mut name, mut data) = (String::new(), String::new(), None);
        loop {
            assert!(Instant::now() < end, "no event within {LIMIT:?}");
            let line = self.line()?;
            if let Some((key, value)) = line.split_once(": ") {
                match key {
                    "id" => id = value.to_owned(),
                    "event" => name = value.to_owned(),
                    "data" => data = Some(serde_json::from_str(value).unwrap()),
                    _ => {}
                }
            } else if line.is_empty()
                && let Some(data) = data.take()
            {
                return Some(Told { id, name, data });
            }
        }
    }

    /// The next event, which is so named; the clock's are between any others.
    fn expect(&mut self, name: &str) -> Told {
        let end = Instant::now() + LIMIT;
        let mut told = self.next_until(end).expect("an event");
        while told.name == "clock" && name != "clock" {
            told = self.next_until(end).expect("an event");
        }
        assert_eq!(told.name, name, "{}", told.data);
        told
    }
}

fn control(simulator: &Simulator, temperature: u32) {
    let body = format!(r#"{{"attrs":{{"set_temp":{temperature}}}}}"#);
    ac(simulator).send("POST", &format!("devices/{DID}/control"), &body);
}

#[test]
fn a_control_and_its_answer_are_told() {
    let server = serve();
    let simulator = server.simulator().clone();
    let mut events = Listener::device(&server, AC, DID, None);
    let hello = events.expect("hello");
    assert_eq!(hello.data["resumed"], false);
    assert_eq!(hello.data["device"]["is_online"], true);
    assert_eq!(hello.data["known"]["6"]["value"], "16");

    control(&simulator, 24);
    let asked = events.expect("frame");
    assert_eq!(asked.data["type"], "app2dev");
    assert_eq!(asked.data["picture"]["action"], "control");
    assert_eq!(
        asked.data["picture"]["values"],
        json!({"6": {"value": "24", "raw": "24", "flagged": null}})
    );

    simulator.step(1000).unwrap();
    let said = events.expect("frame");
    assert_eq!(said.data["type"], "dev2app");
    assert_eq!(said.data["picture"]["values"]["6"]["value"], "24");
    // What is told is what the log has.
    let log = ac(&simulator).get(&format!("devices/{DID}/cmd?limit=2"));
    for (told, record) in [(&said, &log["objects"][0]), (&asked, &log["objects"][1])] {
        assert_eq!(told.data["payload"], record["payload"]);
        let at = told.data["at"].as_i64().unwrap() as f64 / 1000.0;
        assert_eq!(record["timestamp"].as_f64(), Some(at));
    }
    assert_eq!(events.expect("device").data["last_report"], said.data["at"]);

    // Whoever comes again hears what was missed, once.
    control(&simulator, 25);
    let target = format!("/page/events/{AC}/{DID}?after={}", asked.id);
    for mut again in [
        Listener::device(&server, AC, DID, Some(&asked.id)),
        Listener::open(&server, &target, None),
    ] {
        assert_eq!(again.expect("hello").data["resumed"], true);
        assert_eq!(again.expect("frame").id, said.id);
        let third = again.expect("frame");
        assert_eq!(third.data["picture"]["values"]["6"]["value"], "25");
    }
    // Of another device nothing is told.
    let mut second = Listener::device(&server, AC, "second", Some(&asked.id));
    assert_eq!(second.expect("hello").data["resumed"], true);
    simulator
        .act("second", &Act::Set(r#"{"set_temp":30}"#.to_owned()))
        .unwrap();
    assert_eq!(
        second.expect("frame").data["picture"]["values"]["6"]["value"],
        "30"
    );
}

#[test]
fn what_a_device_remarks_is_told_before_its_answer() {
    let server = serve();
    let simulator = server.simulator();
    let mut events = Listener::device(&server, AC, DID, None);
    let hello = events.expect("hello");
    assert_eq!(hello.data["remarks"], json!([]));
    let route = "post_v1_products_product_key_devices_did_control";
    simulator
        .set_mode(route, &gizwits_simulator::Mode::UncheckedRaw, Some(1))
        .unwrap();
    let body = r#"{"raw":[1,64,0,0,0,99]}"#;
    ac(simulator).send("POST", &format!("devices/{DID}/control"), body);
    simulator.step(1000).unwrap();
    let asked = events.expect("frame").data;
    assert_eq!(asked["picture"]["values"]["6"]["value"], "99");
    let said = events.expect("remark").data;
    let message = "set_temp = 99 is above its maximum 30 (16..30, step 1)";
    let expected = json!({
        "at": said["at"], "type": "left_out", "point": "set_temp", "message": message,
    });
    assert_eq!(said, expected);
    let answer = events.expect("frame").data;
    assert_eq!(answer["at"], said["at"]);
    assert_eq!(answer["picture"]["values"]["6"]["value"], "16");
    // Whoever comes later is told, too; whoever comes again only what was missed.
    let mut later = Listener::device(&server, AC, DID, None);
    assert_eq!(later.expect("hello").data["remarks"], json!([said]));
    let mut again = Listener::device(&server, AC, DID, Some(&hello.id));
    assert_eq!(again.expect("hello").data["resumed"], true);
    for name in ["frame", "remark", "frame"] {
        again.expect(name);
    }
    // The administration has it as well, and nobody else's.
    assert_eq!(simulator.remarks(DID).unwrap().len(), 1);
    assert_eq!(simulator.remarks("second").unwrap(), []);
}

/// Records of one moment are told in one order: a device comes and goes before it reports. Whoever was told up to any of
/// them is told all others, once and in the same order.
#[test]
fn records_of_one_moment_have_one_order() {
    let server = serve();
    let simulator = server.simulator();
    let before = Listener::device(&server, AC, DID, None).expect("hello").id;
    for temperature in [20, 21, 22] {
        for act in [
            Act::Offline("tcp_closed".to_owned()),
            Act::Online,
            Act::Set(format!(r#"{{"room_temp":{temperature}}}"#)),
        ] {
            simulator.act(DID, &act).unwrap();
        }
        simulator.step(1).unwrap();
    }
    let mut again = Listener::device(&server, AC, DID, Some(&before));
    assert_eq!(again.expect("hello").data["resumed"], true);
    let mut told = Vec::new();
    for _ in 0..3 {
        let moment = ["online", "online", "frame"].map(|name| again.expect(name));
        let kinds = moment.each_ref().map(|told| told.data["type"].clone());
        assert_eq!(kinds, ["dev_offline", "dev_online", "dev2app"]);
        assert!(
            moment
                .iter()
                .all(|one| one.data["at"] == moment[0].data["at"])
        );
        told.extend(moment);
    }
    for (seen, one) in told.iter().enumerate() {
        let mut rest = Listener::device(&server, AC, DID, Some(&one.id));
        assert_eq!(rest.expect("hello").data["resumed"], true);
        for expected in &told[seen + 1..] {
            let found = rest.expect(&expected.name);
            assert_eq!((&found.id, &found.data), (&expected.id, &expected.data));
        }
    }
}

#[test]
fn who_was_told_of_another_world_begins_anew() {
    let server = serve();
    let mut events = Listener::device(&server, AC, DID, None);
    let id = events.expect("hello").id;
    let (_, rest) = id.split_once('.').unwrap();
    let ahead = id.replacen(rest, "999999.0.0.0", 1);
    for last in [format!("1.{rest}"), ahead, "nonsense".to_owned()] {
        let mut events = Listener::device(&server, AC, DID, Some(&last));
        assert_eq!(events.expect("hello").data["resumed"], false, "{last}");
    }
    // Who missed too much, too.
    for n in 0..1001 {
        control(server.simulator(), 16 + n % 10);
    }
    let mut events = Listener::device(&server, AC, DID, Some(&id));
    assert_eq!(events.expect("hello").data["resumed"], false);
}

#[test]
fn all_of_many_records_are_told_in_order() {
    let server = serve();
    let mut events = Listener::device(&server, AC, DID, None);
    events.expect("hello");
    for n in 0..450 {
        control(server.simulator(), 16 + n % 10);
    }
    let mut first = None;
    for n in 0..450 {
        let told = events.expect("frame");
        let value = (16 + n % 10).to_string();
        assert_eq!(told.data["picture"]["values"]["6"]["raw"], value, "{n}");
        first.get_or_insert(told.id);
    }
    // A listener that comes again has all records at once, which are more than are read at a time. No later record
    // makes the server look again.
    let mut again = Listener::device(&server, AC, DID, first.as_deref());
    assert_eq!(again.expect("hello").data["resumed"], true);
    for n in 1..450 {
        let value = (16 + n % 10).to_string();
        let told = again.expect("frame");
        assert_eq!(told.data["picture"]["values"]["6"]["raw"], value, "{n}");
    }
}

#[test]
fn a_control_from_the_local_network_is_told_as_one() {
    let mut lan = LanOptions::default();
    (lan.address, lan.port) = (Ipv4Addr::LOCALHOST, Some(0));
    let mut options = Options::default();
    options.lan = Some(lan);
    let server = Server::start(small(), options).unwrap();
    let mut events = Listener::device(&server, AC, DID, None);
    events.expect("hello");
    control(server.simulator(), 24);
    assert_eq!(events.expect("frame").data["local"], false);
    server.simulator().step(1000).unwrap();
    events.expect("frame");

    let device = server.lan().iter().find(|device| device.did == DID);
    let address = device.unwrap().tcp;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut client = Connection::open(address, ClientOptions::default())
            .await
            .unwrap();
        client.control(b"\x01\x40\0\0\0\x19").await.unwrap();
    });
    let asked = std::iter::from_fn(|| events.next())
        .find(|told| told.name == "frame")
        .unwrap();
    assert_eq!(
        (&asked.data["type"], &asked.data["local"]),
        (&json!("app2dev"), &json!(true))
    );
}

#[test]
fn what_becomes_of_the_devices_of_a_product() {
    let server = serve();
    let simulator = server.simulator();
    let mut list = Listener::open(&server, &format!("/page/events/{AC}"), None);
    let mut one = Listener::device(&server, AC, DID, None);
    assert_eq!(list.expect("hello").data["device"], Value::Null);
    one.expect("hello");
    simulator
        .act(DID, &Act::Offline("tcp_closed".to_owned()))
        .unwrap();
    let came = one.expect("online");
    assert_eq!(came.data["payload"]["reason"], "tcp_closed");
    for told in [one.expect("device"), list.expect("device")] {
        assert_eq!(
            (&told.data["did"], &told.data["is_online"]),
            (&json!(DID), &json!(false))
        );
    }
    simulator.act("second", &Act::Disabled(true)).unwrap();
    let told = list.expect("device");
    assert_eq!(
        (&told.data["did"], &told.data["is_disabled"]),
        (&json!("second"), &json!(true))
    );
    simulator.act(DID, &Act::Online).unwrap();
    simulator
        .act(DID, &Act::Set(r#"{"alert_full":true}"#.to_owned()))
        .unwrap();
    // What happens at once may be told at once.
    loop {
        let told = list.expect("device");
        assert_eq!(told.data["did"], DID);
        if told.data["is_alert"] == true {
            break;
        }
    }
}

#[test]
fn devices_are_listed_with_all_that_the_api_does_not_say() {
    let mut devices = String::new();
    for n in 0..250 {
        devices += &format!("[[device]]\nproduct = \"{PUMP}\"\nmac = \"m{n}\"\ndid = \"d/{n}\"\n");
        if n % 100 == 7 {
            devices += "disabled = true\n";
        }
    }
    let world = world(&format!("{SMALL}{devices}"), START);
    let server = Server::start(world, Options::default()).unwrap();
    let list = |after: &str| -> Value {
        let target = format!("/page/devices/{PUMP}{after}");
        let heard = ask(&server, "GET", &target, OWN, "");
        serde_json::from_str(heard.text()).unwrap()
    };
    let mut dids: Vec<String> = Vec::new();
    let mut page = list("");
    let place = page["place"].as_str().unwrap().to_owned();
    loop {
        assert_eq!(page["total"], 251);
        for one in page["devices"].as_array().unwrap() {
            let did = one["did"].as_str().unwrap();
            let disabled = matches!(did, "d/7" | "d/107" | "d/207");
            assert_eq!(one["is_disabled"], disabled, "{did}");
            dids.push(did.to_owned());
        }
        if page["more"] == false {
            break;
        }
        let last = dids.last().unwrap().replace('/', "%2F");
        page = list(&format!("?after={last}"));
    }
    assert_eq!(dids.len(), 251);
    assert_eq!((&*dids[0], &*dids[250]), (PUMP_DID, "d/249"));
    // The search ignores case, and the filter narrows it. Wildcards of SQL are plain characters.
    for (query, total) in [
        ("?search=M10", 11),
        ("?search=M10&state=disabled", 1),
        ("?search=d%2F24&state=online", 11),
        ("?search=%25", 0),
        ("?search=_", 0),
        ("?state=offline", 0),
        ("?state=trouble", 0),
    ] {
        let found = list(query);
        assert_eq!(
            (&found["total"], &found["all"]),
            (&json!(total), &json!(251)),
            "{query}"
        );
        assert_eq!(found["devices"].as_array().unwrap().len(), total, "{query}");
    }
    let names: Vec<&Value> = page["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["name"])
        .collect();
    assert_eq!(names, ["power", "mode", "frequency", "rpm"]);
    let known = &list("")["devices"][0];
    assert_eq!(known["values"].as_array().unwrap().len(), names.len());
    assert!(
        known["values"]
            .as_array()
            .unwrap()
            .iter()
            .all(|value| !value.is_null()),
        "{known}"
    );
    assert_eq!(
        known["trend"].as_array().unwrap().last(),
        Some(&known["values"][3])
    );
    assert!(known["last_report"].as_i64().unwrap() >= START, "{known}");
    // From the list on, everything is told: also what stands in none of the logs.
    server
        .simulator()
        .act("d/7", &Act::Disabled(false))
        .unwrap();
    let target = format!("/page/events/{PUMP}?after={place}");
    let mut events = Listener::open(&server, &target, None);
    assert_eq!(events.expect("hello").data["resumed"], true);
    let told = events.expect("device").data;
    assert_eq!(
        (&told["did"], &told["is_disabled"]),
        (&json!("d/7"), &json!(false))
    );
    for target in ["/page/devices/none", "/page/definition/none"] {
        assert_eq!(ask(&server, "GET", target, OWN, "").status, 404, "{target}");
    }
    // The definition needs no call of the quota.
    let heard = ask(&server, "GET", &format!("/page/definition/{PUMP}"), OWN, "");
    let definition: Value = serde_json::from_str(heard.text()).unwrap();
    assert_eq!(
        definition["entities"][0]["attrs"].as_array().unwrap().len(),
        12
    );
    assert_eq!(heard.header("x-ratelimit-remaining"), None);
}

#[test]
fn the_clock_is_told_first_and_when_it_is_stepped() {
    let server = serve();
    let simulator = server.simulator();
    let mut events = Listener::device(&server, AC, DID, None);
    let clock = |now: i64| json!({"now": now, "runs": false});
    assert_eq!(events.expect("clock").data, clock(simulator.now()));
    events.expect("hello");
    simulator.step(3 * DAY).unwrap();
    // A long step has several times, up to its end.
    let (mut now, end) = (START + 2000, START + 2000 + 3 * DAY);
    while now < end {
        let Told {
            name, data: told, ..
        } = events.next().expect("an event");
        if name != "clock" {
            continue;
        }
        let next = told["now"].as_i64().unwrap();
        assert!((now + 1..=end).contains(&next), "{told}");
        assert_eq!(told, clock(next));
        now = next;
    }
}

#[test]
fn a_device_begins_with_its_last_frame() {
    let server = serve();
    control(server.simulator(), 24);
    server.simulator().step(1000).unwrap();
    let mut events = Listener::device(&server, AC, DID, None);
    let last = events.expect("hello").data["last"].clone();
    assert_eq!(last["type"], "dev2app");
    assert_eq!(last["picture"]["values"]["6"]["value"], "24");
    // None is missed for it, and none is told twice.
    control(server.simulator(), 25);
    let told = events.expect("frame").data;
    assert_eq!(told["picture"]["values"]["6"]["value"], "25");
}

#[test]
fn a_var_len_device() {
    let server = serve();
    let simulator = server.simulator();
    let mut events = Listener::device(&server, PUMP, PUMP_DID, None);
    let known = events.expect("hello").data["known"].clone();
    assert_eq!(known.as_object().unwrap().len(), 12, "{known}");
    assert_eq!(
        known["7"],
        json!({"value": "2.5", "raw": "25", "flagged": null})
    );
    let body = r#"{"attrs":{"frequency":7.3}}"#;
    pump(simulator).send("POST", &format!("devices/{PUMP_DID}/control"), body);
    let picture = events.expect("frame").data["picture"].clone();
    assert_eq!(picture["points"], "1 of 12 points");
    let rows = picture["rows"].as_array().unwrap();
    assert!(
        rows.iter().any(|row| row["what"] == "mask: 1 of 12 points"),
        "{rows:?}"
    );
    let last = json!({"kind": "bytes", "first": 11, "last": 11, "id": 7, "part": 0});
    assert_eq!(rows.last(), Some(&last));
}

#[test]
fn frames_that_are_decoded_for_the_page() {
    let server = serve();
    let decode = |product: &str, body: &str| {
        let target = format!("/page/decode/{product}");
        ask(&server, "POST", &target, OWN, body)
    };
    let heard = decode(AC, r#"["000000030b0000910401000010000000", "0401", "ff"]"#);
    let all: Value = serde_json::from_str(heard.text()).unwrap();
    assert_eq!(all[0]["picture"]["points"], "11 of 11 points");
    assert_eq!(all[0]["picture"]["bytes"], all[0]["payload"]);
    assert!(
        all[1]["error"]
            .as_str()
            .unwrap()
            .contains("6 bytes missing"),
        "{}",
        all[1]
    );
    assert!(all[2]["error"].is_string() && all[2]["picture"].is_null());
    // A product without a definition has frames all the same.
    let heard = decode("bare", r#"["0401"]"#);
    assert!(heard.text().contains("no definition"), "{}", heard.text());
    // In base64 too, as the mode of a server has it; one that is neither spoils no other.
    let heard = decode(AC, r#"["AAAAAwMAABU=", "x!z", "0401"]"#);
    let all: Value = serde_json::from_str(heard.text()).unwrap();
    assert_eq!(all[0]["payload"], "0000000303000015");
    assert!(all[0]["picture"].is_object(), "{}", all[0]);
    assert_eq!(all[1]["payload"], "x!z");
    assert!(all[1]["error"].as_str().unwrap().contains("neither hex"));
    assert_eq!(all[2]["payload"], "0401");
    let many = format!("[{}\"00\"]", "\"00\",".repeat(1000));
    for body in ["", "{}", "[1]", &many] {
        let heard = decode(AC, body);
        assert_eq!(heard.status, 400, "{body}: {}", heard.text());
    }
}

#[test]
fn the_end_of_the_server_ends_them() {
    let server = serve();
    let mut listeners: Vec<Listener> = (0..20)
        .map(|_| Listener::device(&server, AC, DID, None))
        .collect();
    for one in &mut listeners {
        one.expect("hello");
    }
    let began = Instant::now();
    server.stop();
    assert!(began.elapsed() < Duration::from_secs(2));
    for one in &mut listeners {
        assert!(one.next().is_none());
    }
}

#[test]
fn no_more_may_watch_than_there_is_room_for() {
    let server = serve();
    assert_eq!(Listener::device(&server, AC, "nobody", None).status, 404);
    assert_eq!(Listener::device(&server, PUMP, DID, None).status, 404);
    assert_eq!(
        Listener::open(&server, "/page/events/none", None).status,
        404
    );
    let mut all: Vec<Listener> = (0..64)
        .map(|_| Listener::device(&server, AC, DID, None))
        .collect();
    assert!(all.iter().all(|one| one.status == 200));
    assert_eq!(Listener::device(&server, AC, DID, None).status, 503);
    // Who leaves makes room.
    all.pop();
    let began = Instant::now();
    while Listener::device(&server, AC, DID, None).status != 200 {
        assert!(began.elapsed() < Duration::from_secs(20));
    }
}
