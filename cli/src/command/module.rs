//! `gizwits module`: the Wi-Fi module of a device, for its MCU.

mod controls;
mod effect;
mod port;
mod printer;
mod session;

use std::io::{self, IsTerminal as _, Write};
use std::path::PathBuf;

use clap::Args;
use gizwits_codec_core::module::Timing;
use gizwits_codec_core::uart::OVERHEAD;
use gizwits_codec_std::{Action, Product};

use self::controls::Controls;
use self::printer::Printer;
use self::session::Session;
use crate::definition;
use crate::failure::Failure;
use crate::output::line::Output;

/// Play the Wi-Fi module to an MCU on a serial line
#[derive(Args)]
#[command(
    after_help = EXAMPLES,
    long_about = "Play the Wi-Fi module to an MCU on a serial line, so that its firmware is tested without a module, a \
        cloud or an account.\n\n\
        The command asks the MCU for the description of the device, sends heartbeats and a status (online), acknowledges \
        what the MCU sends and prints it, decoded. The network time that it answers is UTC. It reads controls from \
        standard input or from a script, one per line, in the syntax of `gizwits encode`: `switch=on set_temp=24`. The line \
        `read` asks for the status. Values with spaces stand in quotation marks: `level='50 %'`. Lines that are empty or begin with # are skipped. Each line is sent when the one \
        before it is acknowledged.\n\n\
        On a terminal, the output is one line of text per message, with the values that changed. On a pipe, in a file or \
        with --json, it is one JSON object per message. Messages with a payload are records that `gizwits log` commands \
        accept.\n\n\
        The command ends at Ctrl-C. With --script, it ends when the last line is acknowledged and the MCU has \
        reported its values, or has not for 3 seconds."
)]
pub(crate) struct ModuleArgs {
    /// The serial port that leads to the MCU, such as /dev/ttyUSB0 or COM3, a pseudo-terminal, or tcp://HOST:PORT for the
    /// serial port of an emulator
    #[arg(value_name = "PORT")]
    port: String,
    /// The product's definition, as the Enterprise API returns it
    #[arg(short, long, value_name = "FILE")]
    definition: PathBuf,
    /// The speed of the serial port in bits per second. It also says how long frames take, before they are sent again
    #[arg(long, value_name = "BITS", default_value_t = 9600, value_parser = clap::value_parser!(u32).range(1..))]
    baud: u32,
    /// A file of controls, one per line, or - for standard input. All lines are checked before the first is sent
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
    /// Print JSON, one object per line, on a terminal too; on a pipe or in a file, the output is always JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Exit status: 0 on success, 1 if the MCU does not answer, a value is refused or the port goes away, 2 for wrong usage or a \
port that cannot be opened.

Examples:
  gizwits module /dev/ttyUSB0 -d ac.json
  echo 'switch=on set_temp=24' | gizwits module COM3 -d ac.json --script -
  qemu-system-arm -M mps2-an385 -display none -kernel panel -serial tcp:127.0.0.1:4000,server=on &
  gizwits module tcp://127.0.0.1:4000 -d panel.json";

impl ModuleArgs {
    pub(crate) fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        let product = definition::load(&self.definition)?;
        let controls = match &self.script {
            Some(script) => Controls::of_script(script, &product)?,
            None => Controls::typed(),
        };
        let output = Output {
            json: self.json || !io::stdout().is_terminal(),
            out,
            command: String::new(),
        };
        let printer = Printer::new(&product, output);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let ended = runtime.block_on(async {
            let port = port::open(&self.port, self.baud).await?;
            let timing = timing(&product, self.baud);
            Session::new(&self.port, timing, controls, printer)
                .run(port)
                .await
        });
        // A name that is being looked up would keep the process.
        runtime.shutdown_background();
        ended
    }
}

/// The length in bytes of the question for the description of a device and of the answer, without what a gateway adds.
const DESCRIPTION: usize = 74 + 2 * OVERHEAD;

/// The timing of the vendor's module, which waits longer by the time that a control or the description, and the answer to
/// it, take at this speed of the line.
fn timing(product: &Product, baud: u32) -> Timing {
    let p0 = |action| product.layout().p0_len(action);
    let messages = p0(Action::Control) + p0(Action::Report) + 2 * OVERHEAD;
    // A byte has a start bit and a stop bit.
    let bits = 10 * messages.max(DESCRIPTION) as u64;
    let line = bits * 1_000 / u64::from(baud);
    let resend = u64::from(Timing::VENDOR.resend) + line;
    Timing {
        resend: u16::try_from(resend).unwrap_or(u16::MAX),
        ..Timing::VENDOR
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_line_has_more_time() {
        let definition = include_str!("../../../tests/fixtures/air-conditioner.json");
        let product = Product::from_json(definition).unwrap();
        let resend = |baud| timing(&product, baud).resend;
        assert_eq!((resend(9_600), resend(1)), (295, u16::MAX));
        assert_eq!(resend(4_000_000), Timing::VENDOR.resend);
    }
}
