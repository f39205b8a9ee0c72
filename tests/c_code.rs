//! Generated C code: it compiles without a warning as C99 and as C++, and says what the layout says that is read
//! at run time. Requires a C compiler with sanitizers, `cc`.

use std::io::Write as _;
use std::process::{Command, Stdio};

use gizwits_codec_std::{Product, codegen, payload};
use gizwits_tests::arbitrary::Draw;
use gizwits_tests::generated_c::{self, Case, GeneratedC, noise, p0};
use gizwits_tests::program::Folder;
use gizwits_tests::targets;
use gizwits_tests::vectors::{fixtures, product, vectors};

/// A program with the generated code of several products and their drivers. One program for all of them takes far
/// less time to build than a program for each.
struct Program {
    products: Vec<GeneratedC>,
    folder: Folder,
}

const STRICT: [&str; 7] = [
    "-Wall",
    "-Wextra",
    "-Wpedantic",
    "-Wconversion",
    "-Wshadow",
    "-Wunused-macros",
    "-Werror",
];

/// The sanitizers: of all accesses, and of all undefined behaviour that the code could have. A trap costs the compiler
/// a third of the time of a message.
const SANITIZERS: [&str; 5] = [
    "-fsanitize=address,shift,signed-integer-overflow,integer-divide-by-zero,bounds,bool",
    "-fno-sanitize-recover=all",
    "-fsanitize-undefined-trap-on-error",
    "--param",
    "asan-instrumentation-with-call-threshold=0",
];

impl Program {
    fn new(name: &str, products: Vec<GeneratedC>) -> Self {
        let folder = Folder::new(name);
        let (mut sources, mut drivers) = (Vec::new(), Vec::new());
        for product in &products {
            let name = &product.name;
            folder.write(&format!("{name}.h"), &product.code.header);
            sources.push(folder.write(&format!("{name}.c"), &product.code.source));
            drivers.push(folder.write(&format!("{name}-driver.c"), product.driver()));
        }
        folder.write("line.h", include_str!("c/line.h"));
        folder.write("driver.c", include_str!("c/driver.c"));
        drivers.push(folder.write("line.c", include_str!("c/line.c")));
        drivers.push(folder.write("main.c", include_str!("c/main.c")));
        drivers.push(folder.write("table.c", generated_c::table(&products)));

        let compile = |options: &[&[&str]], files: &[String]| {
            let output = Command::new("cc")
                .args(options.concat())
                .args(files)
                .current_dir(&folder.0)
                .output()
                .unwrap();
            let told = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{name}: {told}");
        };
        compile(
            &[&STRICT, &["-std=c++20", "-x", "c++", "-fsyntax-only"]],
            &sources,
        );
        compile(&[&STRICT, &["-std=c99", "-c"], &SANITIZERS], &sources);
        compile(&[&["-std=c99", "-c"]], &drivers);
        let object = |source: &String| source.replace(".c", ".o");
        let objects: Vec<_> = sources.iter().chain(&drivers).map(object).collect();
        compile(&[&SANITIZERS, &["-o", "program"]], &objects);
        Program { products, folder }
    }

    /// Compares the answers to cases of the product with this index with the expected answers.
    fn check(&self, index: usize, cases: &[Case]) {
        let name = &self.products[index].name;
        let mut running = Command::new(self.folder.0.join("program"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = running.stdin.take().unwrap();
        let input: String = cases
            .iter()
            .map(|case| format!("{index} {}\n", case.line))
            .collect();
        let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
        let output = running.wait_with_output().unwrap();
        let _ = writer.join().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let mut answers = text.lines();
        for case in cases {
            assert_eq!(answers.next(), Some(&*case.answer), "{name}: {}", case.line);
        }
        assert!(
            output.status.success() && answers.next().is_none(),
            "{name}"
        );
    }

    /// Checks drawn cases of each product: fewer if the product is not a fixture or if its cases are long.
    fn check_drawn(&self, fixtures: &[String]) {
        for (index, product) in self.products.iter().enumerate() {
            let count = if fixtures.contains(&product.name) {
                400
            } else {
                100
            };
            let count = count / product.len().div_ceil(200);
            let bytes = |turn: usize| noise(turn as u64, 400 + 16 * product.len());
            let case = |turn| product.case(&mut Draw::new(&bytes(turn)));
            self.check(index, &(0..count).map(case).collect::<Vec<_>>());
        }
    }

    /// Checks the vectors of the products. Returns their number.
    fn check_vectors(&self) -> usize {
        let files = ["standard.json", "var_len.json", "m2m.json", "lax.json"];
        let vectors: Vec<_> = files.into_iter().flat_map(vectors).collect();
        let mut checked = 0;
        for (index, product) in self.products.iter().enumerate() {
            let mut cases = Vec::new();
            for vector in &vectors {
                let (id, expect) = (&vector["id"], &vector["expect"]);
                let bytes = payload::parse(vector["payload"].as_str().unwrap(), None).unwrap();
                let Some(p0) = p0(&bytes).filter(|_| vector["definition"] == *product.name) else {
                    continue;
                };
                let case = product.decoding(&p0);
                // The layout and the vector agree about the values, and about the bytes if nothing else gives the same
                // values.
                let is_exact = ["missing", "extra", "whole_body"]
                    .iter()
                    .all(|key| expect.get(key).is_none());
                if let (Some(attrs), true) = (expect.get("attrs"), is_exact) {
                    let is_control = expect["action"] == "control";
                    if !is_control || expect.get("flagged").is_none() {
                        let values = product.shown_values(attrs, is_control);
                        assert!(
                            case.answer.contains(&values),
                            "{id}: {values} in {}",
                            case.answer
                        );
                    }
                }
                if vector["canonical"] == true
                    && expect.get("flagged").is_none()
                    && expect["action"] != "transparent"
                {
                    let again = format!(" 0 x{}", payload::hex(&p0));
                    assert!(
                        case.answer.contains(&again),
                        "{id}: {again} in {}",
                        case.answer
                    );
                }
                cases.push(case);
            }
            self.check(index, &cases);
            checked += cases.len();
        }
        checked
    }

    /// Checks the seeds of the fuzz target `generated_c` that are about these products. Returns their number.
    fn check_seeds(&self) -> usize {
        let fuzzed = generated_c::products(generated_c::DRAWN_TO_FUZZ);
        let mut checked = 0;
        for seed in targets::seeds("generated_c") {
            let (index, case) = generated_c::drawn_case(&fuzzed, &seed);
            let name = &fuzzed[index].name;
            if let Some(index) = self
                .products
                .iter()
                .position(|product| product.name == *name)
            {
                self.check(index, &[case]);
                checked += 1;
            }
        }
        checked
    }
}

/// A product with these attrs, whose ids are their indexes.
fn product_of(protocol: &str, attrs: Vec<serde_json::Value>) -> Product {
    let mut attrs = attrs;
    for (id, attr) in attrs.iter_mut().enumerate() {
        attr["id"] = id.into();
    }
    let definition = serde_json::json!({
        "name": "drawn up", "product_key": "", "protocolType": protocol, "packetVersion": "0x00000004",
        "entities": [{"id": 0, "name": "entity0", "attrs": attrs}],
    });
    Product::from_json(&definition.to_string()).unwrap()
}

fn a_bool(name: &str, bit: u32) -> serde_json::Value {
    serde_json::json!({
        "name": name, "type": "status_writable", "data_type": "bool",
        "position": {"byte_offset": 0, "bit_offset": bit, "len": 1, "unit": "bit"},
    })
}

fn an_enum(name: &str, labels: &[&str]) -> serde_json::Value {
    serde_json::json!({
        "name": name, "type": "status_writable", "data_type": "enum", "enum": labels,
        "position": {"byte_offset": 0, "bit_offset": 0, "len": 8, "unit": "bit"},
    })
}

fn an_integer(
    name: &str,
    at: u32,
    (kind, len): (&str, u32),
    (ratio, addition): (f64, i64),
) -> serde_json::Value {
    let max = u32::MAX >> (32 - 8 * len);
    serde_json::json!({
        "name": name, "type": "status_writable", "data_type": kind,
        "position": {"byte_offset": at, "bit_offset": 0, "len": len, "unit": "byte"},
        "uint_spec": {"min": 0, "max": max, "ratio": ratio, "addition": addition},
    })
}

const NAMES: [&str; 28] = [
    "bitand",
    "bitor",
    "compl",
    "concept",
    "consteval",
    "constinit",
    "and_eq",
    "not_eq",
    "or_eq",
    "xor_eq",
    "static_assert",
    "static_cast",
    "const_cast",
    "dynamic_cast",
    "reinterpret_cast",
    "thread_local",
    "co_await",
    "co_return",
    "co_yield",
    "wchar_t",
    "char8_t",
    "char16_t",
    "typeof_unqual",
    "uint8_t",
    "int32_t",
    "has",
    "complex",
    "noreturn",
];

/// Products with names that the code could use itself, with numbers at the limits of their members, and with the most
/// points.
fn odd_products(protocol: &str) -> Vec<GeneratedC> {
    let mut products = Vec::new();
    let mut add =
        |name: &str, attrs| products.push(GeneratedC::new(name, product_of(protocol, attrs)));

    let mut attrs: Vec<_> = (0..)
        .zip(NAMES)
        .map(|(bit, name)| a_bool(name, bit))
        .collect();
    attrs.push(an_integer("number", 4, ("uint8", 1), (1.0, 0)));
    attrs.push(an_integer("tenths", 5, ("uint16", 2), (0.1, -7)));
    add("keywords", attrs);

    for prefix in ["encode", "put", "get", "copy", "int", "at"] {
        add(prefix, vec![a_bool("power", 0)]);
    }

    add(
        "limits",
        vec![
            an_integer("highest16", 0, ("uint8", 1), (128.0, 127)),
            an_integer("lowest16", 1, ("uint8", 1), (1.0, -32_767)),
            an_integer("highest32", 2, ("uint16", 2), (1.0, 2_147_418_112)),
            an_integer("lowest32", 4, ("uint16", 2), (1.0, -2_147_483_647)),
            an_integer("past32", 6, ("uint16", 2), (1.0, -2_147_483_648)),
            an_integer("wide", 8, ("uint32", 4), (1.0, -2_147_483_648)),
            an_integer("steps", 12, ("uint32", 4), (0.000_001, -5)),
        ],
    );

    // The compiler takes seconds for a control with 1,024 points.
    let mut attrs: Vec<_> = (0..304)
        .map(|bit| a_bool(&format!("switch{bit}"), bit))
        .collect();
    for bit in 0..696 {
        let mut read_only = a_bool(&format!("state{bit}"), bit);
        read_only["type"] = "status_readonly".into();
        read_only["position"]["byte_offset"] = 38.into();
        attrs.push(read_only);
    }
    for n in 0..24 {
        let mut number = an_integer(&format!("number{n}"), 125 + 2 * n, ("uint16", 2), (0.5, -3));
        number["type"] = "status_readonly".into();
        attrs.push(number);
    }
    add("most", attrs);
    products
}

/// Builds the program of the fixtures, of drawn products and of odd products of a protocol, and checks its answers.
fn check(protocol: &str) {
    let is_var_len = protocol == "var_len";
    let mut products = generated_c::products(8);
    products.retain(|product| product.is_var_len() == is_var_len);
    products.extend(odd_products(protocol));
    let program = Program::new(&format!("c-code-{protocol}"), products);
    program.check_drawn(&fixtures());
    let vectors = program.check_vectors();
    assert!(vectors > 120, "{vectors} vectors");
    assert!(program.check_seeds() > 0, "no seed is about a product");
}

#[test]
fn the_code_of_standard_products_says_what_the_layout_says() {
    check("standard");
}

#[test]
fn the_code_of_var_len_products_says_what_the_layout_says() {
    check("var_len");
}

/// A macro of a standard header has another meaning than a constant, also if the header is one that the code does not
/// include.
#[test]
fn no_constant_is_a_macro_of_a_standard_header() {
    let headers = "assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdalign stdarg \
        stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string tgmath time uchar wchar wctype";
    let folder = Folder::new("c-code-macros");
    let includes = headers
        .split_whitespace()
        .map(|name| format!("#include <{name}.h>\n"));
    let file = folder.write("headers.c", includes.collect::<String>());
    let output = Command::new("cc")
        .args(["-std=c11", "-dM", "-E", &file])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let macros = text
        .lines()
        .filter_map(|line| line.split([' ', '(']).nth(1));
    let mut checked = 0;
    for name in macros.filter(|name| !name.starts_with('_')) {
        let words: Vec<_> = name.split('_').collect();
        let join = |words: &[&str]| words.join("_").to_lowercase();
        for middle in 1..words.len() {
            for last in middle..words.len() {
                let (prefix, label) = (join(&words[..middle]), join(&words[last..]));
                let point = match last == middle {
                    true => "x".to_owned(),
                    false => join(&words[middle..last]),
                };
                let attrs = vec![an_enum(&point, &[&label, "x"]), a_bool("power", 8)];
                let header = |attrs| codegen::c(&product_of("standard", attrs), &prefix).header;
                let number = vec![an_integer(&point, 0, ("uint8", 1), (1.0, 0))];
                for line in (header(attrs) + &header(number))
                    .lines()
                    .filter_map(|line| line.strip_prefix("#define "))
                {
                    assert_ne!(
                        line.split([' ', '(']).next(),
                        Some(name),
                        "{prefix}.h, {point}: {label}"
                    );
                }
                checked += 1;
            }
        }
    }
    assert!(checked > 500, "{checked}");
}

/// The limits of numbers are in the units of the members, and none of their constants is another macro.
#[test]
fn limits_are_constants() {
    let mut attrs = vec![
        an_enum("mode", &["count", "off"]),
        an_enum("fan", &["low", "high", "auto"]),
        an_integer("target", 1, ("uint16", 2), (0.5, -10)),
        an_integer("level", 3, ("uint8", 1), (1.0, 0)),
        // ID_MIN, the id of the next point, and three names of its own.
        an_integer("id", 4, ("uint8", 1), (1.0, 0)),
        an_integer("min", 5, ("uint8", 1), (1.0, 0)),
        an_integer("least8", 6, ("uint8", 1), (1.0, 0)),
    ];
    attrs[0]["position"]["len"] = 4.into();
    attrs[1]["position"]["len"] = 4.into();
    attrs[1]["position"]["bit_offset"] = 4.into();
    attrs[2]["uint_spec"]["max"] = 70.into();
    let product = product_of("standard", attrs);
    let header = codegen::c(&product, "ac").header;
    for line in [
        "#define AC_FAN_COUNT 3u",
        "#define AC_MODE_COUNT 0u /* count */",
        // Tenths: 0.5 * 70 - 10 is 25.
        "#define AC_TARGET_MIN (-100)",
        "#define AC_TARGET_MAX 250",
        "#define AC_TARGET_STEP 5",
        "#define AC_LEVEL_MIN 0u",
        "#define AC_LEVEL_MAX 255u",
        "#define AC_LEVEL_STEP 1u",
        "#define AC_ID_MAX 255u",
        "#define AC_MIN_MIN 0u",
    ] {
        assert!(header.lines().any(|one| one == line), "{line}: {header}");
    }
    assert_eq!(header.matches("AC_MODE_COUNT").count(), 1, "{header}");
    assert_eq!(header.matches("#define AC_ID_MIN ").count(), 1, "{header}");
    let header = codegen::c(&product, "int").header;
    assert!(!header.contains("INT_LEAST8_MAX"), "{header}");
    assert!(header.contains("#define INT_LEAST8_STEP 1u\n"), "{header}");
}

/// A compiler whose `size_t` is too short for the messages of a product refuses its code.
#[test]
fn a_short_size_t_is_refused() {
    let mut attrs = vec![an_integer("number", 0, ("uint8", 1), (1.0, 0))];
    attrs.push(serde_json::json!({
        "name": "bytes", "type": "status_writable", "data_type": "binary",
        "position": {"byte_offset": 1, "bit_offset": 0, "len": 65_534, "unit": "byte"},
    }));
    for protocol in ["standard", "var_len"] {
        let longest = codegen::c(&product_of(protocol, attrs.clone()), "longest").header;
        let shorter = codegen::c(&product_of(protocol, attrs[..1].to_vec()), "shorter").header;
        let folder = Folder::new(&format!("c-code-size-{protocol}"));
        let compiles = |header: &str, text: &str, max: &str| {
            let file = folder.write(header, text);
            let lines =
                format!("#include <stdint.h>\n#undef SIZE_MAX\n{max}\n#include \"{file}\"\n");
            let file = folder.write("size.c", lines);
            let output = Command::new("cc")
                .args(["-std=c99", "-fsyntax-only", &file])
                .output()
                .unwrap();
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(
                output.status.success() || told.contains("size_t needs more than 16 bits"),
                "{told}"
            );
            output.status.success()
        };
        for (max, accepts_longest) in [
            ("#define SIZE_MAX 65535u", false),
            ("#define SIZE_MAX 16777215u", true),
            ("", true),
        ] {
            assert_eq!(
                compiles("longest.h", &longest, max),
                accepts_longest,
                "{protocol}: {max}"
            );
            assert!(compiles("shorter.h", &shorter, max), "{protocol}: {max}");
        }
    }
}

/// The code of the page about the vendor's SDK compiles with the code of a product.
#[test]
fn the_example_of_the_docs_compiles() {
    let folder = Folder::new("c-code-docs");
    folder.write(
        "aircon.h",
        codegen::c(&product("air-conditioner"), "aircon").header,
    );
    let page = include_str!("../docs/from-the-vendors-sdk.md");
    let (_, example) = page.split_once("```c\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let file = folder.write("example.c", example);
    let options = ["-std=c99", "-Wno-unused-function", "-fsyntax-only", &file];
    let output = Command::new("cc")
        .args(STRICT)
        .args(options)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
