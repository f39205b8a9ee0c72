//! The steps from a request to its answer: route, modes, checks, handler.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use matchit::Router;

use super::checks::{self, HOUR, Quota};
use super::table::{ROUTES, Route};
use crate::api::{Call, Failure, Mode, Modes, Request, Response, date, decode, refusal};
use crate::world::{Clock, Store};

/// The routes that share a path. The number is the index of the path in [`Route::paths`].
type Routes = Vec<(&'static Route, usize)>;

static ROUTER: LazyLock<Router<Routes>> = LazyLock::new(|| {
    let mut routes: BTreeMap<&str, Routes> = BTreeMap::new();
    for route in ROUTES {
        for (path, index) in route.paths.iter().zip(0..) {
            routes.entry(path).or_default().push((route, index));
        }
    }
    let mut router = Router::new();
    for (path, routes) in routes {
        // An invalid template would be a mistake in the table. A test calls every route.
        let _ = router.insert(path, routes);
    }
    router
});

/// Finds the routes of a path, and the names and values of the path's parameters.
fn find(path: &str) -> Option<(&'static Routes, Vec<(String, String)>)> {
    let found = ROUTER.at(path).ok()?;
    let values = found.params.iter().map(|(name, value)| {
        let value = decode(value, false)?;
        // A proxy in front of the vendor's server may resolve such values as paths, so none is a valid id.
        let is_segment = !value.is_empty() && !value.contains(['/', '\\', '\0']);
        is_segment.then(|| (name.to_owned(), value))
    });
    Some((found.value, values.collect::<Option<_>>()?))
}

/// Answers a call at the time of the world.
pub(crate) fn answer(store: &Store, request: &Request, clock: &Clock) -> Response {
    let mut answer = try_answer(store, request, clock).unwrap_or_else(|error| {
        // The text of a database error has names of tables and files. Callers get its kind only.
        let kind = error.sqlite_error_code();
        let kind = kind.map_or("no answer".to_owned(), |code| format!("{code:?}"));
        let detail = Some(format!("the simulator's database: {kind}"));
        refusal(5409, detail)
    });
    if answer.header("date").is_none() {
        answer.headers.push(("date", date(clock.now())));
    }
    answer
}

fn try_answer(
    store: &Store,
    request: &Request,
    clock: &Clock,
) -> Result<Response, rusqlite::Error> {
    let Some((routes, params)) = find(request.path()) else {
        return Ok(Response::html(404, "Not Found"));
    };
    let of_method = |(route, _): &&(&Route, usize)| route.method == request.method;
    let Some((route, path)) = routes.iter().find(of_method) else {
        let mut answer = Response::html(405, "Method Not Allowed");
        let methods: Vec<&str> = routes.iter().map(|(route, _)| route.method).collect();
        answer.headers.push(("allow", methods.join(", ")));
        return Ok(answer);
    };
    let moment = clock.advance(store)?;
    let now = moment.now;
    let modes = store.use_modes(route.name)?;
    let gateway = match modes.closes(*path) {
        true => Some(Response::html(404, "Not Found")),
        false if modes.has(&Mode::Html502) => Some(Response::html(502, "Bad Gateway")),
        false => None,
    };
    if let Some(mut answer) = gateway {
        moment.commit()?;
        answer.delay = modes.delay();
        return Ok(answer);
    }
    let mut call = Call {
        store,
        now,
        request,
        modes: &modes,
        query_pairs: Vec::new(),
        params,
        product: None,
        enterprise: None,
    };
    let mut quota = None;
    let admitted = checks::admit(&mut call, route, &mut quota);
    let answer = match admitted.and_then(|()| handle(&call, route)) {
        Ok(answer) => answer,
        Err(Failure::Refused { code, detail }) => {
            debug_assert!(
                modes.error().is_some() || route.codes().contains(&code),
                "{} does not say that it refuses with {code}",
                route.name
            );
            refusal(code, detail)
        }
        Err(Failure::Database(error)) => return Err(error),
    };
    moment.commit()?;
    Ok(finish(answer, &modes, quota, now))
}

/// Calls the handler. The changes of a refused call are rolled back, but the call stays counted.
fn handle(call: &Call<'_>, route: &Route) -> Result<Response, Failure> {
    call.store.run("SAVEPOINT call", [])?;
    let answer = (route.handler)(call);
    if answer.is_err() {
        call.store.run("ROLLBACK TO call", [])?;
    }
    call.store.run("RELEASE call", [])?;
    answer
}

/// Adds the headers of every answer, and applies the modes.
fn finish(mut answer: Response, modes: &Modes, quota: Option<Quota>, now: i64) -> Response {
    let skew = modes.skew();
    let date = date(now.saturating_add(skew));
    answer.headers.push(("date", date));
    if !modes.has(&Mode::NoRateHeaders) {
        let quota = quota.unwrap_or(Quota {
            limit: 3600,
            remaining: 3600,
            reset: (now / HOUR + 1) * HOUR,
        });
        let reset = quota.reset.saturating_add(skew).div_euclid(1000);
        answer.headers.extend([
            ("x-ratelimit-limit", quota.limit.to_string()),
            ("x-ratelimit-remaining", quota.remaining.to_string()),
            ("x-ratelimit-reset", reset.to_string()),
        ]);
    }
    modes.apply(&mut answer);
    answer
}
