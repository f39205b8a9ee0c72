//! Names in generated code: those that follow from a definition, and those that are given.

use std::collections::HashSet;

use gizwits_codec_std::codegen::{Names, Options};
use gizwits_codec_std::{Attr, Product, codegen};
use gizwits_tests::generated;
use gizwits_tests::vectors::{fixtures, product};

use super::is_formatted_with;

/// Asserts that the starter of a product's names changes nothing, and that all its lines are names.
pub(crate) fn starts(product: &Product) {
    let starter = Names::starter(product);
    let names = Names::from_toml(&starter, product).unwrap();
    assert_eq!(names, Names::default());
    let lines =
        starter
            .replace("\n# ", "\n")
            .replacen("A name has at most", "# A name has at most", 1);
    let names =
        Names::from_toml(&lines, product).unwrap_or_else(|invalid| panic!("{invalid}\n{lines}"));
    let options = Options::new().names(names);
    is_formatted_with("started", product, &options);
    // A label that occurs twice is named once, and its name may have letters of any script.
    let is_distinct = |attr: &Attr| {
        let labels: HashSet<&String> = attr.labels().iter().collect();
        labels.len() == attr.labels().len()
    };
    let code = options.rust(product);
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    assert!(
        !product.attrs().all(is_distinct)
            || code.lines().filter(is_code).all(|line| line.is_ascii()),
        "{code}"
    );
}

#[test]
fn a_starter_of_names_changes_nothing_and_has_all() {
    for name in fixtures() {
        starts(&product(&name));
    }
    let starter = Names::starter(&product("names"));
    for line in [
        "# type = \"type\"",
        "# \"开关\" = \"point_3\"",
        "[labels.status]",
        "# self = \"label0\"",
        "# 3D = \"label5\"",
    ] {
        assert!(
            starter.contains(&format!("\n{line}\n")),
            "{line}: {starter}"
        );
    }
}

/// Given names are taken before those that follow from the definition, in each language.
#[test]
fn given_names() {
    use generated::renamed::{ControlPoint, Status, StatusPoint, id};
    let Status {
        power,
        fault_uart,
        fault_uart_7,
        fault_uart_9,
        loop_,
        blob,
        ..
    } = Status::new();
    assert_eq!((power, fault_uart, fault_uart_9), (false, 8, 0));
    assert_eq!(
        (fault_uart_7.to_string(), loop_.to_string()),
        ("-98".into(), "-90.49".into())
    );
    assert_eq!(blob, [0; 3]);
    assert_eq!(
        (
            id::POWER.0,
            id::FAULT_UART.0,
            id::FAULT_UART_7.0,
            id::LOOP.0
        ),
        (3, 6, 7, 10)
    );
    assert_eq!(StatusPoint::from(1), StatusPoint::Auto);
    assert_eq!(StatusPoint::from(2), StatusPoint::Auto2);
    assert_eq!(StatusPoint::from(5), StatusPoint::ThreeD);
    assert_eq!(ControlPoint::from(4), ControlPoint::HighSpeed);

    let product = product("names");
    let text = std::fs::read_to_string("names.toml").unwrap();
    let names = Names::from_toml(&text, &product).unwrap();
    let header = Options::new().names(names).c(&product, "odd").header;
    for line in [
        "    bool power;",
        "    int16_t fault_uart;",
        "#define ODD_ID_POWER 3u",
        "#define ODD_ID_FAULT_UART 6u",
        "#define ODD_STATUS_AUTO 1u /* 自动 */",
        "#define ODD_CONTROL_HIGH_SPEED 4u /* x4 */",
    ] {
        assert!(header.contains(line), "{line}: {header}");
    }
}

/// Every problem of names is told, with its place and what would be right.
#[test]
fn wrong_names_are_refused() {
    let product = product("air-conditioner");
    let told = |text: &str| Names::from_toml(text, &product).unwrap_err().to_string();
    let text = "[points]
set_tmp = \"target\"
switch = \"2nd\"
room_temp = \"room\"
on_timing = \"Room\"

[labels.mode]
\"制冷\" = \"unknown\"
\"制令\" = \"cool\"

[labels.set_temp]
\"16\" = \"cold\"

[labels.fan]
";
    let expected = "2:1: error: unknown point `set_tmp`: did you mean `set_temp`?
3:10: error: `2nd` is not a name: expected at most 40 ASCII letters, digits and underscores, the first a letter
5:13: error: `Room` is the name of both `room_temp` and `on_timing`: choose another name
8:8: error: `unknown` is not available: each enum has the variant `Unknown`, and `Self` is a keyword
9:1: error: `mode` has no label `制令`: its labels are 制冷, 送风, 除湿, 自动
11:9: error: `set_temp` is not an enum: only enums have labels
14:9: error: unknown point `fan`: did you mean `fan_speed`?";
    assert_eq!(told(text), expected);
    assert!(
        told("point.switch = 'on'")
            .starts_with("1:1: error: unknown field `point`, expected `points` or `labels`")
    );
    assert!(told("[points]\nswitch = on").starts_with("2:10: error: "));
    assert!(told("points.switch = 1").starts_with("1:17: error: "));
    assert!(told("labels.mode.'热' = 'hot'").contains("its labels are 制冷, "));
}

/// Names that can't be names in Rust, or not twice, become others.
#[test]
fn an_enum_may_have_the_name_of_a_trait_that_the_code_uses() {
    let definition = serde_json::json!({
        "name": "traits", "product_key": "", "protocolType": "standard", "packetVersion": "0x00000004",
        "entities": [{"id": 0, "name": "entity0", "attrs": [{
            "id": 0, "name": "fn_mut", "type": "status_writable", "data_type": "enum", "enum": ["a", "b"],
            "position": {"byte_offset": 0, "bit_offset": 0, "len": 1, "unit": "bit"},
        }]}],
    });
    let product = Product::from_json(&definition.to_string()).unwrap();
    let code = codegen::rust(&product);
    // All functions of the model take an `impl FnMut`.
    assert!(code.contains("pub enum FnMutPoint {"), "{code}");
}

#[test]
fn names() {
    use generated::names::{ControlPoint, Status, StatusPoint, id};
    let status = Status::new();
    let Status {
        type_,
        type_1,
        self_,
        开关,
        status,
        control,
        fault_uart,
        fault_uart_9,
        point_8,
        ..
    } = status;
    assert!(!(type_ || type_1 || self_ || 开关));
    assert_eq!(
        (status, control),
        (StatusPoint::SelfPoint, ControlPoint::X0)
    );
    assert_eq!(StatusPoint::from(1), StatusPoint::自动);
    assert_eq!(StatusPoint::from(4), StatusPoint::Auto4);
    assert_eq!(StatusPoint::from(5), StatusPoint::Label5);
    assert_eq!(StatusPoint::from(7).index(), 7);
    assert_eq!(fault_uart.to_string(), "-98");
    assert_eq!((fault_uart_9, point_8), (0, 5));
    assert_eq!(id::FAULT_UART_9.0, 9);
}
