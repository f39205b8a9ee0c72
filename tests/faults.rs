//! Each fault of a network by itself, between client and simulator.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use gizwits_enterprise_client::http::FailureKind;
use gizwits_enterprise_client::{Enterprise, Error, Limiter, Product, RetryPolicy};
use gizwits_simulator::{Options, Scenario, Server, Simulator};

#[path = "soak/relay.rs"]
mod relay;

use relay::{Fault, Relay};

/// The time within which three attempts of a request and two waits have to end, on a busy machine.
const ALLOWANCE: Duration = Duration::from_secs(30);

/// The time limit of a request. A stalled connection takes all of it. The other faults must not reach it on a busy machine.
fn time_limit(fault: Fault) -> Duration {
    match fault {
        Fault::Stall => Duration::from_secs(2),
        _ => ALLOWANCE,
    }
}

/// One device without a past.
const SCENARIO: &str = r#"
[[enterprise]]
id = "e"
secret = "enterprise-secret"
[[product]]
key = "k"
secret = "product-secret"
definition = "air-conditioner"
[[device]]
product = "k"
mac = "AABBCCDDEE01"
"#;

/// A simulator behind a relay, and a client that has its token.
struct World {
    server: Server,
    relay: Relay,
    product: Product,
    did: String,
    /// The number of exchanges that are still to have the fault.
    left: Arc<AtomicU64>,
}

impl World {
    /// Starts a world. This blocks, so a thread of its own does it.
    async fn start(fault: Fault) -> Self {
        let world = tokio::task::spawn_blocking(move || World::build(fault))
            .await
            .unwrap();
        // The client gets its token.
        let call = world.product.device_reports().realtime();
        call.retry(patient()).send().await.unwrap();
        world
    }

    fn build(fault: Fault) -> Self {
        let scenario = Scenario::from_toml(SCENARIO, None).unwrap();
        let simulator = Simulator::builder().scenario(scenario).build().unwrap();
        let server = Server::start(simulator, Options::default()).unwrap();
        let left = Arc::new(AtomicU64::new(0));
        let rest = Arc::clone(&left);
        let rule = move |_| {
            let taken = rest.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                left.checked_sub(1)
            });
            taken.ok().map(|_| fault)
        };
        let relay = Relay::start(server.address(), rule).unwrap();
        let account = server.simulator().credentials().unwrap().swap_remove(0);
        let waits = RetryPolicy::default().base(Duration::from_millis(20));
        let product = Enterprise::builder()
            .id(account.enterprise_id)
            .secret(account.enterprise_secret)
            .base_url(format!("http://{}", relay.address()))
            .timeout(time_limit(fault))
            .connect_timeout(time_limit(fault))
            .limiter(Limiter::unlimited())
            .retry(waits)
            .build()
            .unwrap()
            .product(account.product_key, account.product_secret);
        World {
            server,
            relay,
            product,
            did: account.dids[0].clone(),
            left,
        }
    }

    /// Gives the next exchanges the fault.
    fn spoil(&self, exchanges: u64) {
        self.left.store(exchanges, Ordering::SeqCst);
    }

    /// The number of frames in the log that end with these bytes, as the simulator has them.
    async fn frames(&self, payload: &str) -> usize {
        self.relay.set_faulty(false);
        let log = self
            .product
            .device(self.did.as_str())
            .cmd_log()
            .limit(1000)
            .retry(patient())
            .send();
        let log = log.await.unwrap();
        assert!(self.server.simulator().is_sound().unwrap());
        log.objects
            .iter()
            .filter(|record| record.payload.ends_with(payload))
            .count()
    }
}

/// A policy with enough attempts for the time in which connections are refused.
fn patient() -> RetryPolicy {
    let waits = RetryPolicy::default().base(Duration::from_millis(200));
    waits.attempts(8)
}

/// Runs a test for each fault, all at once: some of them wait. All worlds are built before.
async fn each<F: Future<Output = ()> + Send + 'static>(test: fn(Fault, World) -> F) {
    let mut worlds = Vec::new();
    for fault in Fault::ALL {
        worlds.push((fault, World::start(fault).await));
    }
    let mut tests = tokio::task::JoinSet::new();
    for (fault, world) in worlds {
        tests.spawn(test(fault, world));
    }
    tests.join_all().await;
}

/// Whether an answer comes in spite of the fault.
fn is_delay(fault: Fault) -> bool {
    matches!(fault, Fault::Latency | Fault::Jitter | Fault::Slow)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_survives_one_fault() {
    each(|fault, world| async move {
        world.spoil(1);
        let began = Instant::now();
        let call = world.product.devices().search().retry(patient());
        let found = call.send().await;
        assert!(found.is_ok(), "{fault:?}: {found:?}");
        assert!(began.elapsed() < ALLOWANCE, "{fault:?}");
        assert_eq!(world.relay.count(fault), 1, "{fault:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_that_stays_is_an_error_in_time() {
    each(|fault, world| async move {
        world.spoil(u64::MAX);
        let began = Instant::now();
        let found = world.product.device_reports().realtime().send().await;
        assert!(
            began.elapsed() < ALLOWANCE,
            "{fault:?}: {:?}",
            began.elapsed()
        );
        if is_delay(fault) {
            assert!(found.is_ok(), "{fault:?}: {found:?}");
            return;
        }
        let Err(Error::Transport(error)) = found else {
            panic!("{fault:?}: {found:?}")
        };
        let kind = error.failure.kind;
        let is_right = match fault {
            Fault::Stall => kind == FailureKind::Timeout,
            // The first attempt is reset, the others find no listener.
            Fault::Refused => matches!(kind, FailureKind::Connect | FailureKind::Broken),
            _ => kind == FailureKind::Broken,
        };
        assert!(is_right, "{fault:?}: {error}");
        assert_eq!(error.attempts, 3, "{fault:?}: {error}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_control_is_executed_once_or_the_error_says_perhaps() {
    each(|fault, world| async move {
        world.spoil(1);
        let device = world.product.device(world.did.as_str());
        let result = device.control_raw([5, 7, 7, 7]).send().await;
        let executed = world.frames("05070707").await;
        match result {
            Ok(_) => assert!(is_delay(fault) && executed == 1, "{fault:?}: {executed}"),
            Err(error) => {
                assert!(!is_delay(fault), "{fault:?}: {error}");
                assert!(error.may_have_arrived(), "{fault:?}: {error}");
                let is_lost = matches!(fault, Fault::LostRequest | Fault::Refused);
                assert_eq!(executed, usize::from(!is_lost), "{fault:?}: {error}");
            }
        }
    })
    .await;
}

/// The relay closes both sides of a connection, whatever the fault was.
#[tokio::test(flavor = "multi_thread")]
async fn no_connection_is_left() {
    each(|fault, world| async move {
        world.spoil(3);
        let _ = world.product.device_reports().realtime().send().await;
        let World {
            relay,
            product,
            server,
            ..
        } = world;
        drop(product);
        // Connections are closed by tasks of the client and of the relay, of whose end nobody is told.
        let began = Instant::now();
        while relay.tasks() > 1 {
            assert!(
                began.elapsed() < ALLOWANCE,
                "{fault:?}: {} tasks",
                relay.tasks()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        server.stop();
    })
    .await;
}

/// A seed gives the same faults in every run, all kinds of them, about as often as it should.
#[test]
fn seeds() {
    let faults = |seed| {
        let rule = relay::seeded(seed, 100);
        (0..10_000).map(rule).collect::<Vec<_>>()
    };
    let first = faults(7);
    assert_eq!(first, faults(7));
    assert_ne!(first, faults(8));
    let count = first.iter().flatten().count();
    assert!((800..1200).contains(&count), "{count}");
    for fault in Fault::ALL {
        assert!(first.contains(&Some(fault)), "{}", fault.name());
    }
}
