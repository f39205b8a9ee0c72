//! The range of time that filters state.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};

/// A range of timestamps in milliseconds, both ends included. Records without a timestamp are outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TimeRange {
    pub(super) first: i64,
    pub(super) last: i64,
}

impl TimeRange {
    /// The range outside of which no record can pass all filters; `None` if there is no limit.
    pub(super) fn of(filters: &[Expr]) -> Option<Self> {
        let mut range = TimeRange {
            first: i64::MIN,
            last: i64::MAX,
        };
        let all = range;
        filters.iter().for_each(|filter| range.narrow(filter));
        (range != all).then_some(range)
    }

    pub(super) fn contains(&self, millis: Option<i64>) -> bool {
        millis.is_some_and(|millis| (self.first..=self.last).contains(&millis))
    }

    fn narrow(&mut self, filter: &Expr) {
        match filter {
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
                if *op == Operator::And {
                    self.narrow(left);
                    self.narrow(right);
                } else if let (true, Some(span)) = (is_time(left), millis(right)) {
                    self.compare(*op, span);
                } else if let (Some(span), true, Some(op)) =
                    (millis(left), is_time(right), op.swap())
                {
                    self.compare(op, span);
                }
            }
            Expr::Between(between) if !between.negated && is_time(&between.expr) => {
                if let Some(low) = millis(&between.low) {
                    self.compare(Operator::GtEq, low);
                }
                if let Some(high) = millis(&between.high) {
                    self.compare(Operator::LtEq, high);
                }
            }
            _ => {}
        }
    }

    /// Narrows the range to what a comparison with a time can accept. The time is rounded down to `millis`.
    fn compare(&mut self, op: Operator, millis: i64) {
        if matches!(op, Operator::Gt | Operator::GtEq | Operator::Eq) {
            self.first = self.first.max(millis);
        }
        if matches!(op, Operator::Lt | Operator::LtEq | Operator::Eq) {
            self.last = self.last.min(millis);
        }
    }
}

fn is_time(expr: &Expr) -> bool {
    matches!(expr, Expr::Column(column) if column.name == "timestamp")
}

/// The milliseconds of a literal, rounded down.
fn millis(expr: &Expr) -> Option<i64> {
    let Expr::Literal(value, _) = expr else {
        return None;
    };
    match *value {
        ScalarValue::TimestampSecond(Some(seconds), _) => seconds.checked_mul(1000),
        ScalarValue::TimestampMillisecond(Some(millis), _) => Some(millis),
        ScalarValue::TimestampMicrosecond(Some(micros), _) => Some(micros.div_euclid(1000)),
        ScalarValue::TimestampNanosecond(Some(nanos), _) => Some(nanos.div_euclid(1_000_000)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::{col, lit};

    use super::*;

    #[test]
    fn ranges_of_filters() {
        let at = |millis| lit(ScalarValue::TimestampMillisecond(Some(millis), None));
        let range =
            |filters: &[Expr]| TimeRange::of(filters).map(|range| (range.first, range.last));
        let time = || col("timestamp");
        assert_eq!(range(&[]), None);
        assert_eq!(range(&[col("did").eq(lit("a"))]), None);
        assert_eq!(
            range(&[time().gt_eq(at(5)), at(9).gt(time())]),
            Some((5, 9))
        );
        assert_eq!(
            range(&[time().gt(at(5)).and(time().lt(at(9)))]),
            Some((5, 9))
        );
        assert_eq!(range(&[time().gt(at(5)).or(time().lt(at(1)))]), None);
        assert_eq!(range(&[time().between(at(1), at(2))]), Some((1, 2)));
        assert_eq!(range(&[time().eq(at(7))]), Some((7, 7)));
        assert_eq!(range(&[time().not_eq(at(7))]), None);
    }
}
