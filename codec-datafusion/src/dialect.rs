//! Fields of structs with a dot after parentheses, as in PostgreSQL.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use datafusion::common::{Result, plan_err};
use datafusion::dataframe::DataFrame;
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::{CopyToSource, DFParser, Statement};
use datafusion::sql::sqlparser::ast::{AccessExpr, Expr, Value, VisitMut, visit_expressions_mut};

/// Plans a query like [`SessionContext::sql`], and also accepts `(expression).field` for
/// `expression['field']`.
///
/// ```
/// use datafusion::prelude::SessionContext;
///
/// # #[tokio::main]
/// # async fn main() -> datafusion::error::Result<()> {
/// let context = SessionContext::new();
/// gizwits_datafusion::register(&context);
/// let query = "SELECT (gizwits_decode('../tests/fixtures/air-conditioner.json', '0401000010280000')).room_temp";
/// assert_eq!(gizwits_datafusion::sql(&context, query).await?.count().await?, 1);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// The error of the parser or planner, or an error if the text is not one statement.
pub async fn sql(context: &SessionContext, query: &str) -> Result<DataFrame> {
    let mut statements = parse(query)?;
    let (Some(statement), None) = (statements.pop_front(), statements.pop_front()) else {
        return plan_err!("one SQL statement is expected");
    };
    let plan = context.state().statement_to_plan(statement).await?;
    context.execute_logical_plan(plan).await
}

/// Parses statements that are separated by semicolons, with the syntax of [`sql`].
///
/// ```
/// let statements = gizwits_datafusion::parse("SELECT (d).mode FROM log; SELECT 1")?;
/// assert_eq!(statements[0].to_string(), "SELECT (d).'mode' FROM log");
/// # Ok::<(), datafusion::error::DataFusionError>(())
/// ```
///
/// # Errors
/// The error of the parser.
pub fn parse(text: &str) -> Result<VecDeque<Statement>> {
    let mut statements = DFParser::parse_sql(text)?;
    statements.iter_mut().for_each(quote);
    Ok(statements)
}

/// Quotes the names of fields, the only form that the planner accepts.
fn quote(statement: &mut Statement) {
    match statement {
        Statement::Statement(statement) => quote_fields(statement),
        Statement::Explain(explain) => quote(&mut explain.statement),
        Statement::CopyTo(copy) => {
            if let CopyToSource::Query(query) = &mut copy.source {
                quote_fields(query);
            }
        }
        _ => {}
    }
}

fn quote_fields(node: &mut impl VisitMut) {
    let _ = visit_expressions_mut(node, |expr| {
        if let Expr::CompoundFieldAccess { access_chain, .. } = expr {
            for access in access_chain {
                if let AccessExpr::Dot(field) = access
                    && let Expr::Identifier(name) = field
                {
                    // Names of fields keep their case, with and without quotes.
                    let name = Value::SingleQuotedString(name.value.clone());
                    *field = Expr::Value(name.into());
                }
            }
        }
        ControlFlow::<()>::Continue(())
    });
}
