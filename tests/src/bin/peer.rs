//! A Wi-Fi module for a firmware under QEMU: `peer IMAGE`, over QEMU's serial port, which is made a bad line.
//!
//! Controls are sent until the image has done each, and its report says so; then it is restarted, which
//! ends the run.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use gizwits_codec_core::link::testing;
use gizwits_codec_core::uart::Command as Frame;
use gizwits_tests::generated::climate::Product;
use gizwits_tests::noise::Noise;

type Module = testing::Module<Product>;

/// The noise of the line: of 1000 bytes, two are lost, one is doubled, two have another before them, and two have a flipped
/// bit.
const NOISE: Noise = Noise([200, 100, 200, 200]);
const CONTROLS: u8 = 40;

struct Line {
    stream: TcpStream,
    began: Instant,
    module: Module,
    noise: Noise,
    state: u32,
    broken: u32,
    /// Controls whose report came unasked.
    reports: u32,
}

impl Line {
    fn chance(state: &mut u32, below: u32) -> u32 {
        // xorshift
        *state ^= *state << 13;
        *state ^= *state >> 17;
        *state ^= *state << 5;
        ((u64::from(*state) * u64::from(below)) >> 32) as u32
    }

    fn pass(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut passed = Vec::new();
        for byte in bytes {
            let (arrived, good) = self
                .noise
                .pass(*byte, &mut |below| Line::chance(&mut self.state, below));
            self.broken += u32::from(!good);
            passed.extend(arrived);
        }
        passed
    }

    /// Sends what is due and takes what came.
    fn turn(&mut self) -> std::io::Result<()> {
        let now = self.began.elapsed().as_millis() as u32;
        let due = self.module.poll(now);
        let due = self.pass(&due);
        self.stream.write_all(&due)?;
        let mut chunk = [0; 256];
        let len = match self.stream.read(&mut chunk) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(len) => len,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => 0,
            Err(error) => return Err(error),
        };
        for byte in self.pass(&chunk[..len]) {
            let answer = self.module.receive(byte);
            let answer = self.pass(&answer);
            self.stream.write_all(&answer)?;
        }
        Ok(())
    }

    fn until(&mut self, what: &str, mut done: impl FnMut(&Module) -> bool) -> Result<(), String> {
        let began = Instant::now();
        while !done(&self.module) {
            self.turn().map_err(|error| format!("{what}: {error}"))?;
            if began.elapsed() > Duration::from_secs(20) {
                return Err(format!("{what}: not within 20 s"));
            }
        }
        Ok(())
    }
}

/// The answer to the last such frame that was acknowledged.
fn answer<'m>(module: &'m Module, command: Frame, payload: &[u8]) -> Option<&'m [u8]> {
    let mut sent = module.sent.iter().rev();
    sent.find_map(
        |sent| match sent.command == command && sent.payload == payload {
            true => sent.answer.as_deref(),
            false => None,
        },
    )
}

/// Sends frames until what they lead to is there: one in 256 of those that are broken has the right sum.
fn insist(
    line: &mut Line,
    what: &str,
    frames: &[(Frame, &[u8])],
    done: impl Fn(&Module) -> bool,
) -> Result<(), String> {
    for _ in 0..20 {
        line.module.sent.clear();
        for (command, payload) in frames {
            line.module.send(*command, payload);
        }
        line.until(what, Module::is_idle)?;
        if done(&line.module) {
            return Ok(());
        }
    }
    Err(format!("{what}: not after 20 times"))
}

fn run(line: &mut Line) -> Result<(), String> {
    let key = b"5c0e1d7a94b24f6f8a3b6c2e90d71f48";
    insist(line, "device info", &[(Frame::INFO, &[])], |module| {
        answer(module, Frame::INFO, &[])
            .is_some_and(|info| info.len() == 74 && info[32..64] == key[..])
    })?;
    for n in 0..CONTROLS {
        // All 31 flags: power, brightness and the target temperature, the others 0.
        let mut values = [0; 24];
        (values[1], values[4]) = (n & 1, n);
        values[14..16].copy_from_slice(&(u16::from(n) * 257).to_be_bytes());
        let control = [&[0x01, 0x7f, 0xff, 0xff, 0xff], &values[..]].concat();
        let shows = |p0: &[u8]| p0.len() == 39 && p0[1..25] == values;
        insist(
            line,
            "a control",
            &[(Frame::TO_DEVICE, &control)],
            |module| answer(module, Frame::TO_DEVICE, &control).is_some(),
        )?;
        let began = Instant::now();
        while !line.module.reports().next_back().is_some_and(shows)
            && began.elapsed() < Duration::from_secs(2)
        {
            line.turn().map_err(|error| format!("a report: {error}"))?;
        }
        let frames: [(Frame, &[u8]); 2] =
            [(Frame::TO_DEVICE, &control), (Frame::TO_DEVICE, &[0x02])];
        if n % 10 == 0 || !line.module.reports().next_back().is_some_and(shows) {
            insist(line, "a read", &frames, |module| {
                answer(module, Frame::TO_DEVICE, &[0x02]).is_some_and(shows)
            })?;
        } else {
            line.reports += 1;
        }
    }
    line.noise = Noise::NONE;
    line.module.send(Frame::REBOOT, &[]);
    // The line may end before its acknowledgement is read; how the image ended says the rest.
    let began = Instant::now();
    while !line.module.is_idle() && began.elapsed() < Duration::from_secs(5) && line.turn().is_ok()
    {
    }
    // Nearly all of them: what is lost is sent again.
    match line.reports >= u32::from(CONTROLS / 2) {
        true => Ok(()),
        false => Err(format!(
            "{} of {CONTROLS} controls were reported by themselves",
            line.reports
        )),
    }
}

fn start(image: &str, port: u16) -> std::io::Result<Child> {
    Command::new("qemu-system-arm")
        .args(["-M", "mps2-an385", "-display", "none", "-monitor", "none"])
        .args(["-semihosting-config", "enable=on,target=native"])
        .args([
            "-serial",
            &format!("tcp:127.0.0.1:{port}"),
            "-kernel",
            image,
        ])
        .stdin(Stdio::null())
        .spawn()
}

fn main() -> ExitCode {
    let Some(image) = std::env::args().nth(1) else {
        eprintln!("usage: peer IMAGE");
        return ExitCode::from(2);
    };
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let mut qemu =
        start(&image, listener.local_addr().expect("its port").port()).expect("qemu-system-arm");
    let (stream, _) = listener.accept().expect("QEMU connects");
    stream
        .set_read_timeout(Some(Duration::from_millis(2)))
        .expect("a timeout");
    stream.set_nodelay(true).expect("an option");
    let mut line = Line {
        stream,
        began: Instant::now(),
        module: Module::new(),
        noise: NOISE,
        state: 0x1234_5678,
        broken: 0,
        reports: 0,
    };
    let ran = run(&mut line);
    if ran.is_err() {
        let _ = qemu.kill();
    }
    let ended = qemu.wait().expect("it ends");
    match ran {
        Ok(()) if ended.success() => {
            let (frames, broken) = (line.module.received.len(), line.broken);
            let ms = line.began.elapsed().as_millis();
            println!(
                "{CONTROLS} controls done, {frames} frames from the device, {broken} bytes broken, {ms} ms"
            );
            ExitCode::SUCCESS
        }
        Ok(()) => {
            eprintln!("the image ended with {ended}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
