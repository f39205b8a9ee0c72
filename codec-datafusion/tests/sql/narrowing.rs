//! Only the attributes that a query uses are decoded.

use datafusion::logical_expr::ScalarUDF;
use datafusion::prelude::SessionContext;

use crate::{cells, rows, session};

const LOG: &str =
    "(VALUES ('0401000010280000', 1), ('04160105181e0301', 1), ('04', 2)) AS log(payload, n)";

/// The plan of a query, as text.
async fn plan(query: &str) -> String {
    let lines = cells(&session(), &format!("EXPLAIN FORMAT INDENT {query}")).await;
    lines.join("\n")
}

#[tokio::test]
async fn a_field_is_an_attribute() {
    for query in [
        "SELECT gizwits_decode('ac', payload)['room_temp'] FROM ",
        "SELECT (gizwits_decode('ac', payload)).room_temp FROM ",
        "SELECT avg((gizwits_decode('ac', payload)).room_temp) FROM ",
        "SELECT d['room_temp'] FROM (SELECT gizwits_decode('ac', payload) AS d FROM ",
        "SELECT n FROM (SELECT n, gizwits_decode('ac', payload) AS d FROM ",
    ] {
        let end = match (query.contains("(SELECT"), query.contains("SELECT n FROM")) {
            (false, _) => "",
            (_, false) => ")",
            (_, true) => ") WHERE d['room_temp'] > 20",
        };
        let plan = plan(&format!("{query}{LOG}{end}")).await;
        assert!(plan.contains("gizwits_attr"), "{query}: {plan}");
        assert!(!plan.contains("gizwits_decode(ac"), "{query}: {plan}");
    }
}

#[tokio::test]
async fn several_fields_are_decoded_together() {
    let decode = "gizwits_decode('ac', payload)";
    let query = format!("SELECT max(({decode}).room_temp), min(({decode}).set_temp) FROM {LOG}");
    let direct = plan(&query).await;
    let together = "gizwits_decode(ac, column1@0, room_temp, set_temp)";
    assert_eq!(direct.matches(together).count(), 1, "{direct}");
    assert_eq!(cells(&session(), &query).await, ["30,16"]);

    let query = format!(
        "SELECT max((d).room_temp), min((d).set_temp) FROM (SELECT {decode} AS d FROM {LOG})"
    );
    let nested = plan(&query).await;
    for field in ["room_temp", "set_temp"] {
        assert!(
            nested.contains(&format!("gizwits_attr(ac, column1@0, {field})")),
            "{nested}"
        );
    }
    assert_eq!(cells(&session(), &query).await, ["30,16"]);
}

/// Results and names of columns are those of a session without the rule.
#[tokio::test]
async fn results_are_unchanged() {
    let context = session();
    let plain = SessionContext::new();
    for function in context.state().scalar_functions().values() {
        plain.register_udf(ScalarUDF::clone(function));
    }
    for query in [
        "SELECT gizwits_decode('ac', payload)['mode'], gizwits_decode('ac', payload)['set_temp'] + n FROM ",
        "SELECT d['mode'], d['set_temp'], d IS NULL FROM (SELECT gizwits_decode('ac', payload) d FROM ",
        "SELECT n, avg(d['set_temp']), count(d['mode']) FROM (SELECT n, gizwits_decode('ac', payload) d FROM ",
    ] {
        let end = match (query.contains("(SELECT"), query.contains("avg")) {
            (false, _) => "",
            (_, false) => ")",
            (_, true) => ") GROUP BY n ORDER BY n",
        };
        let query = format!("{query}{LOG}{end}");
        let (one, two) = (rows(&context, &query).await, rows(&plain, &query).await);
        assert_eq!(
            one[0].schema().fields(),
            two[0].schema().fields(),
            "{query}"
        );
        let (one, two) = (cells(&context, &query).await, cells(&plain, &query).await);
        assert_eq!(one, two, "{query}");
    }
}
