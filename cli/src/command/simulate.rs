//! `gizwits simulate`: serves a simulated Enterprise API.

use std::fmt::Display;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;
use std::sync::mpsc::channel;

use clap::Args;
use gizwits_simulator::{Error, LanOptions, Options, Scenario, Server, Simulator};

use crate::definition;
use crate::failure::{Failure, usage};
use crate::shell::Shell;
use crate::signals::{self, HUNG_UP, Ignored};
use crate::text::{counted, printable, printable_lines, tell};

/// Serve a simulated Enterprise API with simulated devices on this machine
#[derive(Args)]
#[command(
    after_help = EXAMPLES,
    long_about = "Serve a simulated Enterprise API with simulated devices on this machine. The devices send and \
        receive the frames of real devices.\n\n\
        The output can be pasted into a shell: it sets the address and the credentials of the first \
        product as environment variables, which the other commands read. --shell chooses the shell; a script \
        that reads the lines should name it. Open the address in a browser \
        on this machine to watch and control the devices, or /debugger/ to try calls of the API.\n\n\
        The scenario describes the products and devices of the simulation. The default scenario has air \
        conditioners and wave pumps. --print-scenario --annotated explains every table and key, as does \
        docs/scenario.md. State is kept in SQLite: in memory by default, or in the file given \
        with --db, which a later run continues.\n\n\
        A raw control with values outside their limits is refused. In the mode `unchecked_raw` of the \
        administration it is sent to the device instead. The device ignores those points and adds a \
        remark, which its page and /devices/DID/remarks of the administration show.\n\n\
        With --lan the devices are on the local network as well, for `gizwits lan` and for any other client of the \
        LAN protocol. The API and the local network reach the same devices: a control from either shows in both. A \
        broadcast does not reach loopback, so name the address: gizwits lan discover 127.0.0.2.\n\n\
        The administration makes devices do what no call can, lets calls fail and moves the clock. Its page \
        /help lists all of that."
)]
pub(crate) struct Simulate {
    /// The address and port of the API: 8080, localhost:8080 or 127.0.0.1:8080; port 0 selects a free port. A
    /// port alone is one of 127.0.0.1
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0", value_parser = address)]
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
    /// Put the devices on the local network, too: each accepts connections on an address of its own, TCP port 12416, and
    /// answers discoveries on UDP port 12414
    #[arg(long)]
    lan: bool,
    /// The address of the first device on the local network. Each further device has the next address. Default: 127.0.0.2
    #[arg(long, value_name = "ADDR", requires = "lan")]
    lan_address: Option<Ipv4Addr>,
    /// The TCP and UDP port of the devices on the local network; port 0 selects free ports. Default: 12416 and 12414
    #[arg(long, value_name = "PORT", requires = "lan")]
    lan_port: Option<u16>,
    /// The shell that the printed lines are for. Default: the shell that the variable SHELL names. Where it is not set, that is
    /// PowerShell on Windows and bash elsewhere
    #[arg(long, value_name = "SHELL")]
    shell: Option<Shell>,
    /// Print the built-in scenario, as a template for your own, and exit
    #[arg(long, conflicts_with_all = ["listen", "db", "scenario", "admin_port", "lan", "shell"])]
    print_scenario: bool,
    /// With --print-scenario: print a scenario with every table and key instead, each with an explanation
    #[arg(long, requires = "print_scenario")]
    annotated: bool,
}

/// Parses an address: a port of loopback, an IP address and a port, or a host name and a port.
fn address(text: &str) -> Result<SocketAddr, String> {
    let expected = "expected a port such as 8080, or an address with a port such as localhost:8080";
    if let Ok(port) = text.parse() {
        return Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("a port is a number from 0 to 65535".to_owned());
    }
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let Some((host, port)) = text.rsplit_once(':') else {
        return Err(format!("the port is missing: {expected}"));
    };
    if host.is_empty() || port.parse::<u16>().is_err() {
        return Err(expected.to_owned());
    }
    let found = text.to_socket_addrs();
    let found = found.map_err(|error| format!("the host {host} is unknown: {error}"))?;
    let found: Vec<SocketAddr> = found.collect();
    // The administration listens on IPv4, and most programs mean IPv4 by localhost.
    let first = found.iter().find(|address| address.is_ipv4());
    let first = first.or(found.first()).copied();
    first.ok_or_else(|| format!("the host {host} has no address"))
}

const EXAMPLES: &str = "\
Examples:
  gizwits simulate --print-scenario > world.toml
  gizwits simulate --print-scenario --annotated

These run until Ctrl-C:
  gizwits simulate
  gizwits simulate --lan
  gizwits simulate --listen 127.0.0.1:8080 --db world.db --scenario world.toml

To switch off the check of raw controls (PORT is the port of the administration):
  curl -d '{\"route\":\"*\",\"mode\":\"unchecked_raw\"}' http://127.0.0.1:PORT/modes
All calls of the administration:
  curl http://127.0.0.1:PORT/help";

impl Simulate {
    pub(crate) fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        if self.print_scenario {
            let text = match self.annotated {
                true => Scenario::annotated_text(),
                false => Scenario::builtin_text(),
            };
            return Ok(out.write_all(text.as_bytes())?);
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
        if self.lan {
            let mut lan = LanOptions::default();
            lan.address = self.lan_address.unwrap_or(lan.address);
            lan.port = self.lan_port;
            options.lan = Some(lan);
        }
        let simulator = builder.build().map_err(|error| {
            let path = match error {
                Error::Scenario(_) => &self.scenario,
                _ => &self.db,
            };
            let path = path.as_ref().map(|path| at(path.display(), &error));
            path.unwrap_or_else(|| usage(error))
        })?;
        let server = Server::start(simulator, options).map_err(|error| {
            let option = match &error {
                Error::Listen { service, .. } if service.contains("administration") => {
                    "\n  choose another port with --admin-port"
                }
                Error::Listen { service, .. } if service.contains("device") => {
                    "\n  choose other addresses with --lan-address, or free ports with --lan-port 0"
                }
                Error::Listen { .. } => "\n  choose another address with --listen",
                _ => "",
            };
            Failure::Usage(format!("error: {}{option}", printable(&error.to_string())))
        })?;
        if !self.listen.ip().is_loopback() {
            tell(format_args!(
                "warning: {} can be reached from other machines, which can read the secrets of its answers",
                server.address()
            ));
        }
        if server.lan().iter().any(|one| !one.tcp.ip().is_loopback()) {
            tell(
                "warning: the devices can be reached from other machines, which can control them: devices hand out \
                 their passcodes",
            );
        }
        // Watch for signals before the addresses are printed: whoever reads them may end the process at once.
        let (end, ended) = channel();
        signals::on_signal(Ignored::Heed, move |status| match status {
            HUNG_UP => std::process::exit(status),
            _ => drop(end.send(())),
        });
        announce(out, self.shell.unwrap_or_else(Shell::guessed), &server)?;
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

/// Prints the addresses and credentials as lines for a shell. Only the variables of the first product and
/// its first device are set; all others are comments.
fn announce(out: &mut impl Write, shell: Shell, server: &Server) -> Result<(), Failure> {
    let all = server.simulator().credentials().map_err(usage)?;
    let mut comment = |text: &str| writeln!(out, "{}", shell.comment(text));
    comment("The Enterprise API, simulated until Ctrl-C.")?;
    comment(match shell {
        Shell::Bash => "Lines for bash and zsh. Others: --shell fish, powershell or cmd",
        Shell::Fish => "Lines for fish. Others: --shell bash, powershell or cmd",
        Shell::Powershell => "Lines for PowerShell. Others: --shell cmd, bash or fish",
        Shell::Cmd => "Lines for the command prompt. Others: --shell powershell, bash or fish",
    })?;
    comment(&match server.page_url() {
        Some(page) => format!("Device page: {page}"),
        None => "No device page: it shows secrets, so it is served on loopback only (--listen 127.0.0.1:0)".to_owned(),
    })?;
    comment(&format!("Administration: {}", server.admin_url()))?;
    for device in server.lan() {
        let did = printable(&device.did);
        comment(&format!(
            "On the local network: {did} TCP {} UDP {}",
            device.tcp, device.udp
        ))?;
    }
    let set = |name: &str, value: &str| shell.variable(&format!("GIZWITS_{name}"), value);
    writeln!(out, "{}", set("BASE_URL", &server.url()))?;
    for (n, one) in all.iter().enumerate() {
        let (name, devices) = (
            printable(&one.product_name),
            counted(one.dids.len(), "device"),
        );
        writeln!(
            out,
            "\n{}",
            shell.comment(&format!("Product {name}: {devices}"))
        )?;
        let credentials = [
            ("ENTERPRISE_ID", &one.enterprise_id),
            ("ENTERPRISE_SECRET", &one.enterprise_secret),
            ("PRODUCT_KEY", &one.product_key),
            ("PRODUCT_SECRET", &one.product_secret),
        ];
        for (name, value) in credentials {
            line(out, shell, n == 0, &set(name, value))?;
        }
        for (m, did) in one.dids.iter().enumerate() {
            line(out, shell, n == 0 && m == 0, &set("DID", did))?;
        }
    }
    Ok(())
}

/// Prints a line that the shell carries out, or the same line as a comment.
fn line(out: &mut impl Write, shell: Shell, is_active: bool, text: &str) -> Result<(), Failure> {
    match is_active {
        true => writeln!(out, "{text}")?,
        false => writeln!(out, "{}", shell.comment(text))?,
    }
    Ok(())
}
