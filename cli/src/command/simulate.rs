//! `gizwits simulate`: the Enterprise API on this machine.

use std::fmt::Display;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::mpsc::channel;

use clap::Args;
use gizwits_simulator::{Error, Options, Scenario, Server, Simulator};

use crate::definition;
use crate::failure::Failure;
use crate::signals::{self, HUNG_UP, Ignored};
use crate::text::{counted, printable, printable_lines, tell};

/// Serve the Enterprise API on this machine, with devices that speak the real frames
#[derive(Args)]
#[command(
    after_help = EXAMPLES,
    long_about = "Serve the Enterprise API on this machine, with devices that speak the real frames.\n\n\
        What it prints can be pasted into a shell: the address, and credentials of the products in \
        the scenario. In a browser on this machine the address shows the devices, live, and \
        /debugger/ every call, to be tried. Without a scenario there are an air conditioner and a \
        wave pump. State lives in SQLite: in memory by default, or in the file given with --db, \
        which a later run continues.\n\n\
        A raw control with values outside their limits is refused. The mode `unchecked_raw` of the \
        administration sends it to the device, which leaves those points out and says so on its page \
        and under /devices/DID/remarks of the administration."
)]
pub(crate) struct Simulate {
    /// Where the API listens; port 0 is a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Keep the state in this file. Its folder must be writable
    #[arg(long, value_name = "FILE")]
    db: Option<PathBuf>,
    /// How the world begins, as TOML; - for standard input
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// The port of the administration, on loopback alone
    #[arg(long, value_name = "PORT", default_value = "0")]
    admin_port: u16,
    /// Print the scenario that there is without --scenario, to begin your own with
    #[arg(long, exclusive = true)]
    print_scenario: bool,
}

const EXAMPLES: &str = "\
Examples:
  gizwits simulate --print-scenario > world.toml

Until Ctrl-C:
  gizwits simulate
  gizwits simulate --listen 127.0.0.1:8080 --db world.db --scenario world.toml

To let raw controls through unchecked, with the address of the administration:
  curl -d '{\"route\":\"*\",\"mode\":\"unchecked_raw\"}' http://127.0.0.1:PORT/modes";

impl Simulate {
    pub(crate) fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        if self.print_scenario {
            out.write_all(Scenario::builtin_text().as_bytes())?;
            return Ok(());
        }
        let mut builder = Simulator::builder();
        if let Some(path) = &self.scenario {
            let scenario = match path.as_os_str() == "-" {
                true => Scenario::from_toml(&definition::read(path)?, None),
                false => Scenario::read(path),
            };
            let scenario = scenario.map_err(|error| at(path.display(), &error))?;
            builder = builder.scenario(scenario);
        }
        if let Some(path) = &self.db {
            builder = builder.file(path);
        }
        let mut options = Options::default();
        options.listen = self.listen;
        options.admin_port = self.admin_port;
        let simulator = builder.build().map_err(|error| {
            let path = match error {
                Error::Scenario(_) => &self.scenario,
                _ => &self.db,
            };
            let path = path.as_ref().map(|path| at(path.display(), &error));
            path.unwrap_or_else(|| error.into())
        })?;
        let both = format_args!("{} or 127.0.0.1:{}", self.listen, self.admin_port);
        let server = Server::start(simulator, options).map_err(|error| at(both, &error))?;
        if !self.listen.ip().is_loopback() {
            tell(format_args!(
                "warning: {} can be reached from other machines, with secrets that stand in the open",
                server.address()
            ));
        }
        // Signals are watched for before there is something to end.
        let (end, ended) = channel();
        signals::on_signal(Ignored::Heed, move |status| match status {
            HUNG_UP => std::process::exit(status),
            _ => drop(end.send(())),
        });
        announce(out, &server)?;
        out.flush()?;
        // Without a thread for signals they end the process.
        while ended.recv().is_err() {
            std::thread::park();
        }
        server.stop();
        Ok(())
    }
}

/// An error about a file or an address.
fn at(what: impl Display, error: &Error) -> Failure {
    let text = printable_lines(&format!("{what}: {error}"));
    Failure::Usage(format!("error: {text}"))
}

/// A value as a shell takes it for itself and nothing else.
fn quoted(value: &str) -> String {
    let plain = |one: char| one.is_ascii_alphanumeric() || "._:/-".contains(one);
    match !value.is_empty() && value.chars().all(plain) {
        true => value.to_owned(),
        // Not even a comment may go on in the next line.
        false => format!("'{}'", printable(value).replace('\'', r"'\''")),
    }
}

/// Lines for a shell: where, and with which credentials. Those of the first product count, the others
/// are comments.
fn announce(out: &mut impl Write, server: &Server) -> Result<(), Failure> {
    let all = server.simulator().credentials()?;
    writeln!(out, "# The Enterprise API, simulated until Ctrl-C.")?;
    match server.page_url() {
        Some(page) => writeln!(out, "# Device page: {page}")?,
        None => writeln!(
            out,
            "# No device page: it shows secrets, so it works on loopback alone (--listen 127.0.0.1:0)"
        )?,
    }
    writeln!(out, "# Administration: {}", server.admin_url())?;
    writeln!(out, "export GIZWITS_BASE_URL={}", server.url())?;
    for (n, one) in all.iter().enumerate() {
        let (name, devices) = (
            printable(&one.product_name),
            counted(one.dids.len(), "device"),
        );
        writeln!(out, "\n# {name}: {devices}")?;
        let comment = if n == 0 { "" } else { "# " };
        for (variable, value) in [
            ("ENTERPRISE_ID", &one.enterprise_id),
            ("ENTERPRISE_SECRET", &one.enterprise_secret),
            ("PRODUCT_KEY", &one.product_key),
            ("PRODUCT_SECRET", &one.product_secret),
        ] {
            writeln!(out, "{comment}export GIZWITS_{variable}={}", quoted(value))?;
        }
        for (n, did) in one.dids.iter().enumerate() {
            let comment = if n == 0 { comment } else { "# " };
            writeln!(out, "{comment}export GIZWITS_DID={}", quoted(did))?;
        }
    }
    Ok(())
}
