//! What the codec does before a control is sent and after a log came.

use gizwits_enterprise_client::codec::{self, Action, Rounding};
use gizwits_enterprise_client::{
    Attrs, Body, Coding, Error, ErrorCode, Message, Product, Timestamp, endpoint,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::common::{
    self, DID, NOW, Server, TOKEN, answer, fixture, is_token, product, refusal, token_answer,
};

/// Has the definition, and answers everything else with this.
fn server(body: impl Into<String>) -> Server {
    let body = body.into();
    Server::new(move |request| {
        if is_token(request) {
            token_answer(TOKEN)
        } else if request.path().ends_with("/datapoint") {
            answer(200, fixture(endpoint::DATAPOINT.id))
        } else {
            answer(200, body.clone())
        }
    })
}

/// How often the definition was asked for.
fn definitions(server: &Server) -> usize {
    let calls = server.calls();
    let asked = calls
        .iter()
        .filter(|call| call.path().ends_with("/datapoint"));
    asked.count()
}

fn sent(server: &Server) -> Value {
    let calls = server.calls();
    serde_json::from_slice(calls.last().unwrap().body().unwrap()).unwrap()
}

async fn control(attrs: Value) -> Result<Value, Error> {
    let server = server("{}");
    let result = product(&server).device(DID).control(attrs).send().await;
    let result = result.map(|_| sent(&server));
    if matches!(result, Err(Error::Codec(_))) {
        // The definition, and nothing else.
        assert_eq!(server.calls().len(), 1);
    }
    result
}

#[tokio::test]
async fn a_control_is_checked_and_completed() {
    let body = control(json!({"switch": 1, "mode": "night", "warmth": 5.32, "code": "1234567"}));
    assert_eq!(
        body.await.unwrap(),
        json!({"attrs": {"switch": true, "mode": "night", "warmth": 5.32, "code": "1234567000"}})
    );
    assert_eq!(
        control(json!({"mode": 2})).await.unwrap(),
        json!({"attrs": {"mode": "party"}})
    );
    for (attrs, kind) in [
        (json!({"swich": 1}), "unknown_point"),
        (json!({"humidity": 40}), "not_writable"),
        (json!({"warmth": 9}), "above_max"),
        (json!({"warmth": -3}), "below_min"),
        (json!({"warmth": 5.325}), "off_step"),
        (json!({"mode": "dusk"}), "unknown_label"),
        (json!({"code": "010203040506"}), "binary_length"),
        (json!({"switch": "maybe"}), "wrong_kind"),
    ] {
        match control(attrs.clone()).await {
            Err(Error::Codec(error)) => assert_eq!(error.kind, kind, "{attrs}"),
            other => panic!("{attrs}: {other:?}"),
        }
    }
    assert!(matches!(control(json!([1])).await, Err(Error::Invalid(_))));
}

/// A control of nothing is a mistake, whether or not it is checked, and costs no call.
#[tokio::test]
async fn an_empty_control_is_refused() {
    let server = server("{}");
    let device = product(&server).device(DID);
    for call in [
        device.control(json!({})),
        device.control(json!({})).unchecked(),
        device.control(Attrs::new()).encoded(),
        device.control_raw([]),
        device.control_raw([]).unchecked(),
    ] {
        let error = call.send().await.unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{error}");
        assert!(error.to_string().contains("can't be sent: it "), "{error}");
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn raw_bytes_are_checked_where_the_definition_is_known() {
    let server = server("{}");
    let product = product(&server);
    let device = product.device(DID);
    // The flags of all writable points; mode 3 of three labels; a warmth past its maximum.
    let good: &[u8] = &[1, 15, 5, 2, 220, 1, 2, 3, 4, 5];
    let past_labels = [1, 2, 6, 0, 0, 0, 0, 0, 0, 0];
    let above_max = [1, 4, 0, 255, 255, 0, 0, 0, 0, 0];
    // Nobody knows yet.
    device.control_raw(past_labels).send().await.unwrap();
    product.definition().await.unwrap();
    let calls = server.calls().len();
    let framed = |p0: &[u8]| codec::wrap_m2m(p0, Action::Control, None, None).unwrap();
    for (bytes, kind) in [
        (past_labels.to_vec(), "past_labels"),
        (above_max.to_vec(), "above_max"),
        (framed(&above_max), "above_max"),
        (vec![1, 16, 0, 0, 0, 0, 0, 0, 0, 0], "not_writable"),
        (vec![1, 128, 0, 0, 0, 0, 0, 0, 0, 0], "unknown_flag"),
        (good[..9].to_vec(), "incomplete"),
        ([good, &[0]].concat(), "trailing"),
        (vec![1, 0, 0, 0, 0, 0, 0, 0, 0, 0], "nothing_set"),
        (vec![0x11, 1, 1], "other_protocol"),
        (b"abc".to_vec(), "unknown_action"),
    ] {
        let error = device.control_raw(bytes.clone()).send().await.unwrap_err();
        let Error::Codec(error) = error else {
            panic!("{bytes:?}: {error}");
        };
        assert_eq!(error.kind, kind, "{bytes:?}: {error}");
        assert!(
            error
                .message
                .ends_with("; `unchecked` sends the bytes as they are")
        );
        // Nor is there a command for a shell.
        assert!(device.control_raw(bytes).curl().is_err());
    }
    assert_eq!(server.calls().len(), calls);
    for bytes in [good.to_vec(), framed(good), vec![2], vec![5, 1, 2]] {
        device.control_raw(bytes.clone()).send().await.unwrap();
        assert_eq!(sent(&server), json!({"raw": bytes}));
    }
    device
        .control_raw(above_max)
        .unchecked()
        .send()
        .await
        .unwrap();
    assert_eq!(sent(&server), json!({"raw": above_max}));
}

proptest! {
    /// What passes sets only points that are writable, to values that the definition allows.
    #[test]
    fn raw_bytes_that_pass_are_a_control_in_range(flags: u8, values: [u8; 8]) {
        let server = server("{}");
        let product = product(&server);
        let definition = codec::Product::from_json(&fixture(endpoint::DATAPOINT.id)).unwrap();
        product.set_definition(definition.clone());
        let bytes = [&[1, flags][..], &values].concat();
        let passes = product.device(DID).control_raw(bytes.as_slice()).curl().is_ok();
        let decoded = Message::decode(&definition, &bytes);
        let sound = decoded.is_ok_and(|decoded| match decoded.body {
            Body::Points { attrs, flagged, .. } => !attrs.is_empty() && flagged.is_empty(),
            _ => false,
        });
        prop_assert_eq!(passes, sound);
    }
}

#[tokio::test]
async fn every_form_on_the_wire() {
    let server = server("{}");
    let device = product(&server).device(DID);
    let attrs = json!({"switch": true, "code": "01"});
    device
        .control(&attrs)
        .binary_coding(Coding::Base64)
        .send()
        .await
        .unwrap();
    assert_eq!(
        sent(&server),
        json!({"binary_coding": "base64", "attrs": {"switch": true, "code": "AQAAAAA="}})
    );
    device
        .control(&attrs)
        .binary_coding(Coding::Hex)
        .send()
        .await
        .unwrap();
    assert_eq!(
        sent(&server),
        json!({"binary_coding": "hex", "attrs": {"switch": true, "code": "0100000000"}})
    );
    device.control(&attrs).encoded().send().await.unwrap();
    assert_eq!(
        sent(&server),
        json!({"raw": [1, 9, 1, 0, 0, 1, 0, 0, 0, 0]})
    );
    device
        .control(&attrs)
        .encoded()
        .binary_coding(Coding::Hex)
        .send()
        .await
        .unwrap();
    assert_eq!(
        sent(&server),
        json!({"binary_coding": "hex", "raw": "01090100000100000000"})
    );
    device
        .control_raw(*b"abc")
        .unchecked()
        .send()
        .await
        .unwrap();
    assert_eq!(sent(&server), json!({"raw": [97, 98, 99]}));
    device
        .control_raw(*b"abc")
        .unchecked()
        .binary_coding(Coding::Base64)
        .send()
        .await
        .unwrap();
    assert_eq!(
        sent(&server),
        json!({"binary_coding": "base64", "raw": "YWJj"})
    );
    device
        .control(json!({"warmth": 5.324}))
        .rounding(Rounding::HalfUp)
        .send()
        .await
        .unwrap();
    assert_eq!(sent(&server), json!({"attrs": {"warmth": 5.32}}));
    device
        .control(json!({"new_point": 1}))
        .unchecked()
        .send()
        .await
        .unwrap();
    assert_eq!(sent(&server), json!({"attrs": {"new_point": 1}}));
    // One definition for all of them.
    assert_eq!(definitions(&server), 1);
}

#[tokio::test]
async fn data_and_decoded_frames_are_the_same_values() {
    let log = server(fixture(endpoint::CMD.id));
    let page = product(&log).device(DID).cmd_log().send().await.unwrap();
    let [control, report] = page.objects.as_slice() else {
        panic!("two commands");
    };
    let report = report.decoded.as_ref().unwrap().as_ref().unwrap();
    assert_eq!(
        (report.command, report.action()),
        (Some(0x91), Some(Action::Report))
    );

    let data = server(fixture(endpoint::DATA.id));
    let page = product(&data).device(DID).data().send().await.unwrap();
    let snapshot = &page.objects[0];
    assert_eq!(Some(&snapshot.attrs), report.attrs());
    assert_eq!(
        snapshot.attrs["warmth"].as_decimal().unwrap().to_string(),
        "5.32"
    );
    assert_eq!(snapshot.attrs["switch"].as_bool(), Some(true));

    // What a device tells, a control takes.
    let writable: Attrs = snapshot
        .attrs
        .clone()
        .into_iter()
        .filter(|(name, _)| ["switch", "mode", "warmth", "code"].contains(&name.as_str()))
        .collect();
    product(&data)
        .device(DID)
        .control(&writable)
        .send()
        .await
        .unwrap();
    assert_eq!(sent(&data)["attrs"]["warmth"], json!(5.32));

    let control = control.decoded.as_ref().unwrap().as_ref().unwrap();
    assert_eq!(control.action(), Some(Action::Control));
    assert_eq!(
        serde_json::to_value(control.attrs().unwrap()).unwrap(),
        json!({"switch": 1, "code": "0100000000"})
    );
}

#[tokio::test]
async fn a_payload_that_can_not_be_decoded_is_kept() {
    let payloads = [
        "AAAAAw8AAJEEAwLcAQIDBAUoAAA=", // base64 of the report
        "04ff02dc0102030405280000",     // bare, with a mode past the labels
        "0000000305000090050a",         // transparent
        "00000003040000900a",           // no action
        "hello!",
    ];
    let objects: Vec<Value> = payloads.iter().map(|payload| json!({"timestamp": NOW, "type": "dev2app", "payload": payload, "ip": "1.2.3.4"})).collect();
    let log = server(json!({"objects": objects}).to_string());
    let page = product(&log).device(DID).cmd_log().send().await.unwrap();
    let decoded: Vec<_> = page
        .objects
        .iter()
        .map(|one| one.decoded.clone().unwrap())
        .collect();
    assert_eq!(
        decoded[0].as_ref().unwrap().attrs().unwrap()["mode"].as_str(),
        Some("night")
    );
    let Body::Points { flagged, attrs, .. } = &decoded[1].as_ref().unwrap().body else {
        panic!("points");
    };
    assert_eq!(flagged, &[("mode".to_owned(), "past_labels")]);
    assert_eq!(attrs["mode"].as_f64(), Some(3.0));
    assert_eq!(
        decoded[2].as_ref().map(|message| message.body.clone()),
        Ok(Body::Bytes(vec![10]))
    );
    assert_eq!(decoded[3].as_ref().unwrap_err().kind, "unknown_action");
    assert_eq!(decoded[4].as_ref().unwrap_err().kind, "not_hex_or_base64");
    for (object, payload) in page.objects.iter().zip(payloads) {
        assert_eq!(
            (object.payload.as_str(), &object.extra["ip"]),
            (payload, &json!("1.2.3.4"))
        );
    }

    let page = product(&log)
        .device(DID)
        .cmd_log()
        .undecoded()
        .send()
        .await
        .unwrap();
    assert!(page.objects[0].decoded.is_none());
    // The definition was asked for once, by the first of the two clients.
    assert_eq!(definitions(&log), 1);
}

#[tokio::test]
async fn a_walk_decodes_with_one_definition() {
    let log = server(fixture(endpoint::CMD.id));
    let device = product(&log).device(DID);
    let now = NOW as i64;
    let (start, end) = (
        Timestamp::from_seconds(now - 6 * 86_400),
        Timestamp::from_seconds(now),
    );
    let mut commands = device.cmd_log().between(start, end).stream();
    let mut count = 0;
    while let Some(command) = commands.next().await {
        assert!(command.unwrap().decoded.unwrap().is_ok());
        count += 1;
    }
    // The same two in each of the four windows.
    assert_eq!((count, log.calls().len()), (2, 5));
}

#[tokio::test]
async fn a_definition_comes_once_for_a_hundred_callers() {
    let server = server("{}");
    let product = product(&server);
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let product: Product = product.clone();
            tokio::spawn(async move { product.definition().await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().unwrap().name(), "test lamp");
    }
    assert_eq!((server.tokens(), server.calls().len()), (1, 1));
}

#[tokio::test]
async fn ten_callers_share_one_failure_of_the_definition() {
    let server = Server::answers([answer(502, "<html>")]);
    let product = product(&server);
    let control = || {
        let control = product.device(DID).control(json!({"switch": true}));
        tokio::spawn(control.send())
    };
    let controls: Vec<_> = (0..10).map(|_| control()).collect();
    for control in controls {
        let error = control.await.unwrap().unwrap_err();
        assert!(error.status() == Some(502) && !error.may_have_arrived());
    }
    assert_eq!(server.calls().len(), 3);
    // The next one tries again.
    control().await.unwrap().unwrap_err();
    assert_eq!(server.calls().len(), 6);
}

#[tokio::test]
async fn a_definition_that_can_not_be_used_is_explained() {
    let broken = Server::answers([answer(
        200,
        r#"{"entities":[{"attrs":[{"id":0,"name":"a","data_type":"float"}]}]}"#,
    )]);
    let error = product(&broken)
        .device(DID)
        .control(json!({"a": 1}))
        .send()
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Definition(_)), "{error}");
    // However much is wrong with it, and however long it is.
    let attrs = |count: usize| {
        let attrs = vec![r#"{"id":0,"name":"a"}"#; count].join(",");
        let body = format!(r#"{{"entities":[{{"attrs":[{attrs}]}}]}}"#);
        Server::answers([answer(200, body)])
    };
    for (count, words) in [(1000, "more errors"), (210_000, "at most 4194304")] {
        let server = attrs(count);
        let error = product(&server).device(DID).control(json!({"a": 1}));
        let error = error.send().await.unwrap_err().to_string();
        assert!(error.contains(words) && error.len() < 2000, "{error}");
    }
    let none = Server::answers([refusal(5402)]);
    let error = product(&none)
        .device(DID)
        .cmd_log()
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::DatapointNotFound));
    // Both work without it.
    product(&Server::answers([answer(200, "{}")]))
        .device(DID)
        .control(json!({"a": 1}))
        .unchecked()
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn a_definition_may_be_known_already() {
    let server = server("{}");
    let product = product(&server);
    product.set_definition(codec::Product::from_json(&fixture(endpoint::DATAPOINT.id)).unwrap());
    product
        .device(DID)
        .control(json!({"switch": true}))
        .send()
        .await
        .unwrap();
    assert_eq!(server.calls().len(), 1);
    // Its data points were changed.
    product.forget_definition();
    product.definition().await.unwrap();
    product.definition().await.unwrap();
    assert_eq!(server.calls().len(), 2);
}

#[tokio::test]
async fn a_command_for_a_shell_is_checked_as_far_as_the_definition_is_known() {
    let server = server("{}");
    let product = product(&server);
    let device = product.device(DID);
    let attrs = json!({"switch": 1});
    assert!(
        device
            .control(&attrs)
            .curl()
            .unwrap()
            .ends_with(r#"'{"attrs":{"switch":1}}'"#)
    );
    assert!(matches!(
        device.control(&attrs).encoded().curl(),
        Err(Error::Invalid(_))
    ));
    product.definition().await.unwrap();
    assert!(
        device
            .control(&attrs)
            .curl()
            .unwrap()
            .ends_with(r#"'{"attrs":{"switch":true}}'"#)
    );
    assert!(matches!(
        device.control(json!({"x": 1})).curl(),
        Err(Error::Codec(_))
    ));
}

/// A product whose messages hold only some of its points.
#[tokio::test]
async fn products_of_variable_length_are_no_different() {
    let attr = |id: u32,
                name: &str,
                access: &str,
                kind: &str,
                unit: &str,
                bit: u32,
                len: u32,
                more: Value| {
        let mut attr = json!({
            "id": id, "name": name, "type": access, "data_type": kind,
            "position": {"unit": unit, "byte_offset": 0, "bit_offset": bit, "len": len},
        });
        attr.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        attr
    };
    let definition = json!({
        "name": "toy", "product_key": common::KEY, "protocolType": "var_len", "packetVersion": "0x00000004",
        "entities": [{"id": 0, "name": "entity0", "attrs": [
            attr(0, "switch", "status_writable", "bool", "bit", 0, 1, json!({})),
            attr(1, "mode", "status_writable", "enum", "bit", 1, 2, json!({"enum": ["day", "night", "party"]})),
            attr(2, "volume", "status_writable", "uint8", "byte", 0, 1, json!({"uint_spec": {"min": 0, "max": 100, "ratio": 0.5, "addition": 0}})),
            attr(3, "charge", "status_readonly", "uint8", "byte", 0, 1, json!({"uint_spec": {"min": 0, "max": 100, "ratio": 1, "addition": 0}})),
        ]}],
    });
    let definition = codec::Product::from_json(&definition.to_string()).unwrap();
    let encode = |message: codec::Message<'_>| {
        let p0 = message.encode().unwrap();
        let action = Message::decode(&definition, &p0).unwrap().action().unwrap();
        codec::payload::hex(&codec::wrap_m2m(&p0, action, None, None).unwrap())
    };
    let mut report = definition.message(Action::Report);
    report
        .set_json(r#"{"mode":"night","volume":12.5}"#)
        .unwrap();
    let mut read = definition.message(Action::Read);
    read.want("charge").unwrap();
    let objects = [encode(report), encode(read)]
        .map(|payload| json!({"timestamp": NOW, "type": "dev2app", "payload": payload}));
    let server = server(json!({"objects": objects}).to_string());
    let product = product(&server);
    product.set_definition(definition.clone());
    let page = product.device(DID).cmd_log().send().await.unwrap();
    let decoded: Vec<Message> = page
        .objects
        .into_iter()
        .map(|one| one.decoded.unwrap().unwrap())
        .collect();
    assert_eq!(
        serde_json::to_value(decoded[0].attrs().unwrap()).unwrap(),
        json!({"mode": "night", "volume": 12.5})
    );
    let Body::Points {
        action: Action::Read,
        wanted,
        ..
    } = &decoded[1].body
    else {
        panic!("a read");
    };
    assert_eq!(wanted.as_deref(), Some(["charge".to_owned()].as_slice()));

    let device = product.device(DID);
    device
        .control(json!({"volume": 12.5, "switch": 0}))
        .send()
        .await
        .unwrap();
    assert_eq!(
        sent(&server),
        json!({"attrs": {"switch": false, "volume": 12.5}})
    );
    device
        .control(json!({"mode": 1}))
        .encoded()
        .send()
        .await
        .unwrap();
    let raw: Vec<u8> = serde_json::from_value(sent(&server)["raw"].clone()).unwrap();
    let raw = Message::decode(&definition, &raw).unwrap();
    assert_eq!(
        (raw.action(), raw.attrs().unwrap()["mode"].as_str()),
        (Some(Action::Control), Some("night"))
    );
    let error = device
        .control(json!({"charge": 1}))
        .send()
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Codec(error) if error.kind == "not_writable"));
}
