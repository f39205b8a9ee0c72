//! The module on an open port: bytes, controls and time to output.

use std::io;
use std::pin::pin;
use std::time::Duration;

use gizwits_codec_core::module::{Event, Module, Timing};
use gizwits_codec_core::uart::{Command, Illegal};
use jiff::Timestamp;
use jiff::tz::Offset;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, sleep_until, timeout};

use super::controls::{Control, Controls};
use super::effect::Effect;
use super::port::Line;
use super::printer::Printer;
use crate::failure::{Failure, refused};
use crate::text::tell;

/// The time in which an MCU has to describe its device before a script fails.
const ANSWER: Duration = Duration::from_secs(10);
/// The time in which an MCU has to report the effect of the last line of a script.
const REPORT: Duration = Duration::from_secs(3);
/// The causes to look at if no MCU answers.
const HINT: &str = "is it on, are RX and TX crossed, and is the speed right (--baud)?";
/// The number of bytes that wait to be sent from which on no more are received.
const MAX_OUTGOING: usize = 64 * 1024;

/// A module, with the controls that are sent and the output of what comes back.
pub(super) struct Session<'o> {
    /// The name of the port.
    port: String,
    module: Module,
    controls: Controls,
    printer: Printer<'o>,
    start: Instant,
    outgoing: Vec<u8>,
    /// The control without an outcome.
    waiting: Option<Control>,
    /// The time by which the MCU has to describe the device, or a script fails. `None` once it has.
    description_due: Option<Instant>,
    /// Whether the user was warned that no MCU answers.
    is_warned: bool,
    /// The time at which a script ends if the MCU reports nothing. Set after its last outcome.
    end: Option<Instant>,
    /// The effect of the last control.
    effect: Effect,
}

impl<'o> Session<'o> {
    pub(super) fn new(
        port: &str,
        timing: Timing,
        controls: Controls,
        printer: Printer<'o>,
    ) -> Self {
        let mut module = Module::new();
        module.timing = timing;
        Session {
            port: port.to_owned(),
            module,
            controls,
            printer,
            start: Instant::now(),
            outgoing: Vec::new(),
            waiting: None,
            description_due: Some(Instant::now() + ANSWER),
            is_warned: false,
            end: None,
            effect: Effect::default(),
        }
    }

    /// The time of the module in ms, which wraps around.
    fn now(&self) -> u32 {
        self.start.elapsed().as_millis() as u32
    }

    /// Runs until the end of the script, Ctrl-C, or a failure of the port.
    pub(super) async fn run(mut self, port: Box<dyn Line>) -> Result<(), Failure> {
        let (mut reader, mut writer) = tokio::io::split(port);
        let mut incoming = vec![0; 4096];
        let mut interrupted = pin!(tokio::signal::ctrl_c());
        loop {
            self.poll()?;
            self.printer.flush()?;
            if self.is_over() {
                // The acknowledgement of the last report.
                let _ = timeout(REPORT, writer.write_all(&self.outgoing)).await;
                return Ok(());
            }
            let description_due = self.description_due.filter(|_| self.controls.is_script());
            if description_due.is_some_and(|due| Instant::now() >= due) {
                let (port, seconds) = (&self.port, ANSWER.as_secs());
                return Err(refused(format_args!(
                    "{port}: the MCU has not described its device within {seconds} s: {HINT}"
                )));
            }
            let wait = Duration::from_millis(self.module.wait(self.now()).into());
            let due = Instant::now() + wait;
            let deadlines = [self.end, description_due].into_iter().flatten();
            let deadline = deadlines.fold(due, Instant::min);
            let takes_control =
                self.waiting.is_none() && self.description_due.is_none() && self.end.is_none();
            tokio::select! {
                read = reader.read(&mut incoming), if self.outgoing.len() < MAX_OUTGOING => {
                    let bytes = match read {
                        Ok(len @ 1..) => incoming.get(..len).unwrap_or_default(),
                        Ok(0) => return Err(self.gone(None)),
                        Err(error) => return Err(self.gone(Some(&error))),
                    };
                    self.module.time = network_time();
                    for byte in bytes {
                        self.receive(*byte)?;
                    }
                }
                written = writer.write(&self.outgoing), if !self.outgoing.is_empty() => {
                    match written {
                        Ok(len) => _ = self.outgoing.drain(..len),
                        Err(error) => return Err(self.gone(Some(&error))),
                    }
                }
                control = self.controls.next(&self.printer.product), if takes_control => {
                    match control {
                        Ok(control) => self.send(control)?,
                        // Only typed lines are checked so late.
                        Err(why) => tell(format_args!("error: {why}")),
                    }
                }
                () = sleep_until(deadline) => {}
                interrupted = &mut interrupted => return Ok(interrupted?),
            }
        }
    }

    /// Whether the script has ended.
    fn is_over(&mut self) -> bool {
        if self.waiting.is_none() && self.controls.is_over() && self.description_due.is_none() {
            let end = *self.end.get_or_insert_with(|| Instant::now() + REPORT);
            return self.effect.is_reported() || Instant::now() >= end;
        }
        false
    }

    /// The failure of a port that has ended.
    fn gone(&self, error: Option<&io::Error>) -> Failure {
        let port = &self.port;
        match error {
            None => refused(format_args!(
                "{port}: the port is closed from the other side"
            )),
            Some(error) => refused(format_args!("{port}: the port is gone: {error}")),
        }
    }

    fn send(&mut self, control: Control) -> Result<(), Failure> {
        let request = self.module.request(Command::TO_DEVICE, &control.p0);
        match request {
            Ok(()) => {
                self.effect = Effect::of(&self.printer.product, &control.p0);
                self.waiting = Some(control);
                Ok(())
            }
            Err(error) => self.failed(&control, &error.to_string()),
        }
    }

    /// Tells that a control has failed, which ends a script.
    fn failed(&self, control: &Control, why: &str) -> Result<(), Failure> {
        let (line, port) = (control.line, &self.port);
        match self.controls.is_script() {
            true => Err(refused(format_args!("{port}: line {line}: {why}"))),
            false => {
                tell(format_args!("error: line {line}: {why}"));
                Ok(())
            }
        }
    }

    /// Sends what is due, and tells what was not acknowledged.
    fn poll(&mut self) -> Result<(), Failure> {
        let now = self.now();
        while let Some(event) = self.module.poll(now, &mut |byte| self.outgoing.push(byte)) {
            match event {
                Event::Unanswered(Command::TO_DEVICE) => {
                    if let Some(control) = self.waiting.take() {
                        let why = "the MCU has not acknowledged the control, which was sent three times. \
                            It may have executed it";
                        return self.failed(&control, why);
                    }
                }
                Event::Unanswered(Command::INFO) => {
                    self.ask_again();
                    if !self.is_warned && !self.controls.is_script() {
                        tell(format_args!("{}: no MCU answers so far: {HINT}", self.port));
                        self.is_warned = true;
                    }
                }
                Event::Lost => {
                    self.ask_again();
                    let port = &self.port;
                    tell(format_args!(
                        "warning: {port}: the MCU has left four heartbeats unanswered"
                    ));
                }
                Event::Unanswered(command) => {
                    let port = &self.port;
                    tell(format_args!(
                        "warning: {port}: the MCU has not acknowledged {command:?}"
                    ));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Gives the MCU time to describe the device, unless it has some already.
    fn ask_again(&mut self) {
        self.description_due
            .get_or_insert_with(|| Instant::now() + ANSWER);
    }

    /// Reads a byte of the MCU and prints the frame that it completes.
    fn receive(&mut self, byte: u8) -> Result<(), Failure> {
        let (now, port) = (self.now(), &self.port);
        let outgoing = &mut self.outgoing;
        let Some(event) = self
            .module
            .receive(byte, now, &mut |byte| outgoing.push(byte))
        else {
            return Ok(());
        };
        match event {
            Event::Device(info) => {
                self.description_due = None;
                self.printer.device(&info)?;
            }
            Event::Request(frame)
                if frame.command == Command::FROM_DEVICE && frame.flags & 1 == 0 =>
            {
                self.effect.reported(&self.printer.product, frame.payload);
                self.printer.p0("dev2app", frame.payload)?;
            }
            Event::Request(frame) => {
                self.printer.request(&frame)?;
            }
            Event::Answer(frame) if frame.command == Command::TO_DEVICE_ACK => {
                if let Some(control) = self.waiting.take() {
                    self.effect.acknowledged(&self.printer.product, &control.p0);
                    self.printer.p0("app2dev", &control.p0)?;
                    if !frame.payload.is_empty() {
                        self.effect.reported(&self.printer.product, frame.payload);
                        self.printer.p0("dev2app", frame.payload)?;
                    }
                }
            }
            Event::Rejected {
                command, reason, ..
            } => {
                let why = rejection(reason);
                match (
                    command,
                    self.waiting
                        .take_if(|_| command == Some(Command::TO_DEVICE)),
                ) {
                    (_, Some(control)) => {
                        return self.failed(
                            &control,
                            &format!("the MCU has rejected the control: {why}"),
                        );
                    }
                    (Some(command), None) => {
                        tell(format_args!(
                            "warning: {port}: the MCU has rejected {command:?}: {why}"
                        ));
                    }
                    (None, None) => {
                        tell(format_args!(
                            "warning: {port}: the MCU has rejected a frame: {why}"
                        ));
                    }
                }
            }
            Event::Frame(frame) => {
                let (command, sn) = (frame.command, frame.sn);
                tell(format_args!(
                    "warning: {port}: {command:?} of the MCU is not supported, and was refused"
                ));
                self.module
                    .refuse(sn, Illegal::COMMAND, &mut |byte| outgoing.push(byte));
            }
            Event::Refused { frame, reason } => {
                let (command, why) = (frame.command, rejection(reason));
                tell(format_args!(
                    "warning: {port}: {command:?} of the MCU was refused: {why}"
                ));
            }
            Event::Corrupt {
                expected, found, ..
            } => tell(format_args!(
                "warning: {port}: a frame of the MCU has the checksum {found:#04x}, expected {expected:#04x}"
            )),
            Event::Unexpected(frame) => {
                let (command, sn) = (frame.command, frame.sn);
                tell(format_args!(
                    "warning: {port}: {command:?} of the MCU acknowledges no frame that waits (sn {sn})"
                ));
            }
            _ => {}
        }
        Ok(())
    }
}

/// The reason for which a frame is illegal, as text.
fn rejection(reason: Illegal) -> String {
    match reason {
        Illegal::CHECKSUM => "the checksum is wrong".to_owned(),
        Illegal::COMMAND => "the command is unknown".to_owned(),
        Illegal::OTHER => "the frame is illegal (reason 3)".to_owned(),
        Illegal::FILE_TYPE => "files of this type are not accepted".to_owned(),
        Illegal(reason) => format!("reason {reason}"),
    }
}

/// The network time that the module answers, in UTC.
fn network_time() -> [u8; 11] {
    let now = Timestamp::now();
    let date = Offset::UTC.to_datetime(now);
    let [high, low] = date.year().to_be_bytes();
    let [a, b, c, d] = (now.as_second() as u32).to_be_bytes();
    let [month, day] = [date.month(), date.day()].map(|part| part as u8);
    let [hour, minute, second] = [date.hour(), date.minute(), date.second()].map(|part| part as u8);
    [high, low, month, day, hour, minute, second, a, b, c, d]
}
