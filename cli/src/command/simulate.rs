//! `gizwits simulate`: serves a simulated Enterprise API.

use std::fmt::Display;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::mpsc::channel;

use clap::Args;
use gizwits_simulator::{Error, Options, Scenario, Server, Simulator};

use crate::definition;
use crate::failure::{Failure, usage};
use crate::signals::{self, HUNG_UP, Ignored};
use crate::text::{counted, printable, printable_lines, tell};

/// Serve a simulated Enterprise API with simulated devices on this machine
#[derive(Args)]
#[command(
    after_help = EXAMPLES,
    long_about = "Serve a simulated Enterprise API with simulated devices on this machine. The devices send and \
        receive the frames of real devices.\n\n\
        The output can be pasted into a shell: it sets the address and the credentials of the first \
        product as environment variables, which the other commands read. Open the address in a browser \
        on this machine to watch and control the devices, or /debugger/ to try calls of the API.\n\n\
        The scenario describes the products and devices of the simulation. The default scenario has air \
        conditioners and wave pumps. State is kept in SQLite: in memory by default, or in the file given \
        with --db, which a later run continues.\n\n\
        A raw control with values outside their limits is refused. In the mode `unchecked_raw` of the \
        administration it is sent to the device instead. The device ignores those points and adds a \
        remark, which its page and /devices/DID/remarks of the administration show."
)]
pub(crate) struct Simulate {
    /// The address and port of the API; port 0 selects a free port
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// The SQLite file that keeps the state. Its folder must be writable. Default: in memory
    #[arg(long, value_name = "FILE")]
    db: Option<PathBuf>,
    /// The scenario to start with, as TOML; - is standard input. Default: the built-in scenario
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// The port of the administration, which listens on 127.0.0.1 only; port 0 selects a free port
    #[arg(long, value_name = "PORT", default_value = "0")]
    admin_port: u16,
    /// Print the built-in scenario, as a template for your own, and exit
    #[arg(long, exclusive = true)]
    print_scenario: bool,
}

const EXAMPLES: &str = "\
Examples:
  gizwits simulate --print-scenario > world.toml

These run until Ctrl-C:
  gizwits simulate
  gizwits simulate --listen 127.0.0.1:8080 --db world.db --scenario world.toml

To switch off the check of raw controls (PORT is the port of the administration):
  curl -d '{\"route\":\"*\",\"mode\":\"unchecked_raw\"}' http://127.0.0.1:PORT/modes";

impl Simulate {
    pub(crate) fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        if self.print_scenario {
            return Ok(out.write_all(Scenario::builtin_text().as_bytes())?);
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
            path.unwrap_or_else(|| usage(error))
        })?;
        let both = format_args!(
            "can't listen on {} or 127.0.0.1:{}",
            self.listen, self.admin_port
        );
        let server = Server::start(simulator, options).map_err(|error| at(both, &error))?;
        if !self.listen.ip().is_loopback() {
            tell(format_args!(
                "warning: {} can be reached from other machines, which can read the secrets of its answers",
                server.address()
            ));
        }
        // Watch for signals before the addresses are printed: whoever reads them may end the process at once.
        let (end, ended) = channel();
        signals::on_signal(Ignored::Heed, move |status| match status {
            HUNG_UP => std::process::exit(status),
            _ => drop(end.send(())),
        });
        announce(out, &server)?;
        out.flush()?;
        // If no thread could be started for signals, they end the process by default.
        while ended.recv().is_err() {
            std::thread::park();
        }
        server.stop();
        Ok(())
    }
}

/// Returns the failure of a file or an address.
fn at(what: impl Display, error: &Error) -> Failure {
    let text = printable_lines(&format!("{what}: {error}"));
    Failure::Usage(format!("error: {text}"))
}

/// Quotes a value for a shell, if necessary.
fn quoted(value: &str) -> String {
    let plain = |one: char| one.is_ascii_alphanumeric() || "._:/-".contains(one);
    match !value.is_empty() && value.chars().all(plain) {
        true => value.to_owned(),
        // A line break would end the comment that a value may be in, so `printable` escapes it.
        false => format!("'{}'", printable(value).replace('\'', r"'\''")),
    }
}

/// Prints the addresses and credentials as lines for a shell. Only the variables of the first product and
/// its first device are set; all others are comments.
fn announce(out: &mut impl Write, server: &Server) -> Result<(), Failure> {
    let all = server.simulator().credentials().map_err(usage)?;
    writeln!(out, "# The Enterprise API, simulated until Ctrl-C.")?;
    match server.page_url() {
        Some(page) => writeln!(out, "# Device page: {page}")?,
        None => writeln!(
            out,
            "# No device page: it shows secrets, so it is served on loopback only (--listen 127.0.0.1:0)"
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
