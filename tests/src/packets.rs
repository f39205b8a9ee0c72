//! Packets of tshark, in each of its JSON forms, and the law that all of them have the same records.

use std::io::{self, Read};

use gizwits_codec_std::log::{Log, Ndjson, Options, Products, Source};

use crate::arbitrary::Draw;
use crate::vectors;

/// Frames of the air conditioner.
const FRAMES: [&str; 3] = [
    "0000000309000090010101000010",
    "000000030b0000910401000010000000",
    "0000000303000015",
];

/// A packet: its time in milliseconds, and the frames in each of its payloads.
struct Packet {
    millis: u64,
    payloads: Vec<Vec<&'static str>>,
    /// The payload of a tunnel around the packet.
    tunnel: Option<String>,
}

/// A form in which tshark writes packets.
#[derive(Clone, Copy, Debug)]
enum Form {
    /// `-T ek`: two lines for each packet; layers of the same protocol are an array.
    Ek,
    /// `-T ek -e tcp.payload`.
    EkFields,
    /// `-T json`: an array over many lines; layers of the same protocol have the same key.
    Json,
    /// `-T json --no-duplicate-keys`.
    JsonArrays,
    /// `-T json -e frame.time_epoch -e tcp.payload`.
    JsonFields,
    /// `-T jsonraw`: payloads with their places in the packet, and no times.
    Raw,
}

const FORMS: [Form; 6] = [
    Form::Ek,
    Form::EkFields,
    Form::Json,
    Form::JsonArrays,
    Form::JsonFields,
    Form::Raw,
];

fn packet(draw: &mut Draw<'_>) -> Packet {
    let payloads = [0, 1, 1, 1, 2, 3][draw.below(6) as usize];
    let payloads: Vec<Vec<&str>> = (0..payloads)
        .map(|_| (0..=draw.below(3)).map(|_| draw.pick(&FRAMES)).collect())
        .collect();
    let inner: String = payloads.concat().concat();
    Packet {
        millis: 1_517_384_252_000 + u64::from(draw.below(1000)),
        tunnel: (payloads.len() == 1 && draw.chance(20))
            .then(|| format!("0800000000000100{}{inner}", "45".repeat(28))),
        payloads,
    }
}

fn colons(hex: &str) -> String {
    let pairs: Vec<&str> = (0..hex.len())
        .step_by(2)
        .map(|at| &hex[at..at + 2])
        .collect();
    pairs.join(":")
}

impl Packet {
    fn texts(&self) -> Vec<String> {
        self.payloads.iter().map(|frames| frames.concat()).collect()
    }

    /// The time as the form writes it.
    fn time(&self, form: Form) -> Option<String> {
        let (seconds, millis) = (self.millis / 1000, self.millis % 1000);
        match form {
            Form::Ek | Form::EkFields => Some(self.millis.to_string()),
            Form::Raw => None,
            _ => Some(format!("{seconds}.{millis:03}000000")),
        }
    }

    fn text(&self, form: Form) -> String {
        let time = self.time(form).unwrap_or_default();
        let texts = self.texts();
        let list = |texts: &[String]| {
            let quoted: Vec<String> = texts.iter().map(|text| format!("\n\"{text}\"")).collect();
            format!("[{}\n]", quoted.join(","))
        };
        let tunnel = |key: &str| {
            let tunnel = self.tunnel.iter();
            let layers = tunnel.map(|hex| format!("\n\"udp\":{{\"{key}\":\"{}\"}},", colons(hex)));
            layers.collect::<String>()
        };
        let layers = match form {
            Form::Ek => {
                let layer = |hex: &String| format!("{{\"tcp_tcp_payload\":\"{}\"}}", colons(hex));
                let layers: Vec<String> = texts.iter().map(layer).collect();
                let layers = match &layers[..] {
                    [layer] => layer.clone(),
                    layers => format!("[{}]", layers.join(",")),
                };
                let data = texts
                    .first()
                    .map(|hex| format!(",\"data\":{{\"data_data_data\":\"{}\"}}", colons(hex)));
                format!(
                    "{}\"tcp\":{layers}{}",
                    tunnel("udp_udp_payload"),
                    data.unwrap_or_default()
                )
            }
            Form::EkFields => format!("\"tcp_payload\":{}", list(&texts)),
            Form::Json => {
                let layer = |hex: &String| {
                    let hex = colons(hex);
                    format!(
                        ",\n\"tcp\":{{\n\"tcp.len\":\"8\",\n\"tcp.payload\":\"{hex}\"\n}},\n\"data\":{{\n\"data.data\":\"{hex}\"\n}}"
                    )
                };
                let layers: String = texts.iter().map(layer).collect();
                let tunnel = tunnel("udp.payload");
                format!("{tunnel}\n\"frame\":{{\n\"frame.time_epoch\":\"{time}\"\n}}{layers}")
            }
            Form::JsonArrays => {
                let layer = |hex: &String| format!("\n{{\n\"tcp.payload\":\"{}\"\n}}", colons(hex));
                let layers: Vec<String> = texts.iter().map(layer).collect();
                let tunnel = tunnel("udp.payload");
                format!(
                    "{tunnel}\"tcp\":[{}\n],\n\"frame\":{{\n\"frame.time_epoch\":\"{time}\"\n}}",
                    layers.join(",")
                )
            }
            Form::JsonFields => {
                let data = list(&texts);
                format!(
                    "\n\"frame.time_epoch\":[\n\"{time}\"\n],\n\"tcp.payload\":{data},\n\"data.data\":{data}"
                )
            }
            Form::Raw => {
                let layer = |hex: &String| {
                    format!(
                        "\n\"tcp\":{{\n\"tcp.payload_raw\":[\n\"{hex}\",\n54,\n8,\n0,\n30\n]\n}},"
                    )
                };
                let layers: String = texts.iter().map(layer).collect();
                format!("{layers}\"frame_raw\":[\"ff{}\",0,62,0,1]", texts.concat())
            }
        };
        match form {
            Form::Ek | Form::EkFields => format!(
                "{{\"index\":{{\"_index\":\"packets\"}}}}\n{{\"timestamp\":\"{time}\",\"layers\":{{{}}}}}\n",
                layers.replace('\n', "")
            ),
            _ => format!(
                "{{\n\"_index\":\"packets\",\n\"_score\":null,\n\"_source\":{{\n\"layers\":{{{layers}\n}}\n}}\n}}"
            ),
        }
    }

    /// The records of the packet, as lines of JSON.
    fn records(&self, form: Form) -> String {
        let time = self.time(form);
        let time = time
            .map(|time| format!("\"timestamp\":{time},"))
            .unwrap_or_default();
        let mut lines = String::new();
        for (number, frames) in (1..).zip(&self.payloads) {
            let position = match self.payloads.len() {
                1 => String::new(),
                _ => format!("\"packet_payload\":{number},"),
            };
            for frame in frames {
                lines += &format!("{{{time}{position}\"payload\":\"{frame}\"}}\n");
            }
        }
        lines
    }
}

/// A text that is read in pieces.
struct Pieces(io::Cursor<String>, usize);

impl Read for Pieces {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let len = self.1.min(to.len());
        self.0.read(&mut to[..len])
    }
}

fn decode(products: &Products, text: String, piece: usize, threads: usize) -> (String, u64) {
    let mut out = Vec::new();
    let options = Options {
        keep: true,
        ..Options::default()
    };
    let source = Source::new("packets", Pieces(io::Cursor::new(text), piece));
    let summary = Log::new(products)
        .options(options)
        .threads(threads)
        .decode([source], Ndjson::new(products, &mut out))
        .expect("memory");
    assert_eq!(summary.rejected, Default::default());
    (String::from_utf8(out).expect("UTF-8"), summary.records)
}

/// Packets have the records of their payloads in every form, compact or over many lines, once or several times in a file.
///
/// # Panics
/// If the law is broken.
pub fn forms(bytes: &[u8]) {
    let mut draw = Draw::new(bytes);
    let products = Products::one(vectors::product("air-conditioner"));
    let packets: Vec<Packet> = (0..=draw.below(6)).map(|_| packet(&mut draw)).collect();
    let form = draw.pick(&FORMS);
    let texts: Vec<String> = packets.iter().map(|packet| packet.text(form)).collect();
    let mut text = match form {
        Form::Ek | Form::EkFields => texts.concat(),
        _ => format!("[\n{}\n]\n", texts.join(",\n")),
    };
    if draw.chance(30) && !matches!(form, Form::Ek | Form::EkFields) {
        text = text.replace('\n', "");
    }
    let times = 1 + draw.below(2) as usize;
    let text = text.repeat(times);
    let records: String = packets.iter().map(|packet| packet.records(form)).collect();
    let records = records.repeat(times);
    let (piece, threads) = (1 + draw.below(700) as usize, 1 + draw.below(2) as usize);
    let (expected, _) = decode(&products, records, usize::MAX, 1);
    let (found, count) = decode(&products, text.clone(), piece, threads);
    assert_eq!(found, expected, "{form:?} {text}");
    assert_eq!(count, expected.lines().count() as u64);
}
