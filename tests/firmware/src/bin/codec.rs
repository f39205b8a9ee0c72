//! Codec and framing without a link: controls in, reports out, over two registers.

#![no_std]
#![no_main]

use gizwits_codec_core::Action;
use gizwits_codec_core::model::{self, DefaultPolicy, Model};
use gizwits_codec_core::uart::{Command, Decoder, Event, Writer};
use gizwits_firmware::board::register;
use gizwits_firmware::product::{Product, Status};

#[unsafe(no_mangle)]
extern "C" fn start() -> ! {
    let mut status = Status::new();
    let mut buffer = [0; 40];
    let mut decoder = Decoder::new(&mut buffer);
    loop {
        let byte = register::read(0x4000_4000) as u8;
        let Some(Event::Frame(frame)) = decoder.push(byte) else {
            continue;
        };
        match model::update::<Product>(frame.payload) {
            Some(update) => update.apply(&mut status, |_, _| {}),
            None => continue,
        }
        let mut values = Product::VALUES;
        let last = Product::VALUES;
        Product::encode::<DefaultPolicy>(&status, &last, &mut values, &mut |_, _| {});
        let sink = |byte: u8| register::write(0x4000_4004, byte.into());
        let mut report = Writer::begin(sink, Command::FROM_DEVICE, frame.sn, 0, 1 + values.len());
        report.put(&[Action::Report.code(Product::LAYOUT.protocol())]);
        report.put(&values);
        report.end();
    }
}
