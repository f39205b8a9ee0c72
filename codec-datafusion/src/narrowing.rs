//! The optimizer rule that decodes only the attributes that a query uses.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode as _, TreeNodeRecursion};
use datafusion::common::{Result, ScalarValue};
use datafusion::functions::core::getfield::GetFieldFunc;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Expr, LogicalPlan, ScalarUDF, lit};
use datafusion::optimizer::{AnalyzerRule, ApplyOrder, OptimizerConfig, OptimizerRule};

use crate::function::{Decode, Field};

/// Replaces a field of `gizwits_decode` with `gizwits_attr`. If the expressions of a node use several fields
/// of a call, replaces the call with one that decodes these fields only.
///
/// As an analyzer rule, it runs before the elimination of common subexpressions, so that fields share the call.
/// As an optimizer rule, it finds the fields of calls in subqueries, which the optimizer has moved to their
/// calls. The optimizer would separate them again, so each field becomes `gizwits_attr`.
#[derive(Debug)]
pub(crate) struct Narrowing {
    decode: Arc<ScalarUDF>,
    attr: Arc<ScalarUDF>,
    field: Arc<ScalarUDF>,
}

/// The fields that are used of each call of `gizwits_decode`, in the order of their first use; `None` if the
/// whole struct is used.
type Uses = HashMap<ScalarFunction, Option<Vec<String>>>;

impl Narrowing {
    pub(crate) fn new(decode: Arc<ScalarUDF>, attr: Arc<ScalarUDF>, field: Arc<ScalarUDF>) -> Self {
        Narrowing {
            decode,
            attr,
            field,
        }
    }

    fn node(&self, plan: LogicalPlan, share: bool) -> Result<Transformed<LogicalPlan>> {
        let mut uses = Uses::new();
        plan.apply_expressions(|expr| {
            expr.apply(|expr| {
                if let Some((call, field)) = field_of(expr) {
                    let used = uses.entry(call.clone()).or_insert_with(|| Some(Vec::new()));
                    if let Some(fields) = used
                        && !fields.iter().any(|known| known == field)
                    {
                        fields.push(field.to_owned());
                    }
                    return Ok(TreeNodeRecursion::Jump);
                }
                if let Some(call) = call_of(expr) {
                    uses.insert(call.clone(), None);
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })?;
        uses.retain(|_, fields| fields.is_some());
        if uses.is_empty() {
            return Ok(Transformed::no(plan));
        }
        let names = NamePreserver::new(&plan);
        plan.map_expressions(|expr| {
            let name = names.save(&expr);
            let narrowed = expr.transform_down(|expr| Ok(self.narrowed(expr, &uses, share)))?;
            Ok(match narrowed.transformed {
                true => narrowed.update_data(|expr| name.restore(expr)),
                false => narrowed,
            })
        })
    }

    fn narrowed(&self, expr: Expr, uses: &Uses, share: bool) -> Transformed<Expr> {
        let Some((call, field)) = field_of(&expr) else {
            return Transformed::no(expr);
        };
        let (Some(Some(fields)), [definition, payload, named @ ..]) = (uses.get(call), &*call.args)
        else {
            return Transformed::no(expr);
        };
        let given = [definition.clone(), payload.clone()];
        let call = |function: &Arc<ScalarUDF>, fields: &[String]| {
            let fields = fields.iter().map(lit::<&String>);
            let args = given.iter().cloned().chain(fields).collect();
            Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(function), args))
        };
        if fields.len() == 1 || !share && named.is_empty() {
            return Transformed::yes(call(&self.attr, &[field.to_owned()]));
        }
        if named.len() == fields.len() {
            return Transformed::no(expr);
        }
        let args = vec![call(&self.decode, fields), lit(field)];
        let get = ScalarFunction::new_udf(Arc::clone(&self.field), args);
        Transformed::yes(Expr::ScalarFunction(get))
    }
}

/// The call of `gizwits_decode` that an expression is.
fn call_of(expr: &Expr) -> Option<&ScalarFunction> {
    match expr {
        Expr::ScalarFunction(call) if call.func.inner().is::<Decode>() => Some(call),
        _ => None,
    }
}

/// The call of `gizwits_decode` whose field an expression is, and the name of the field.
fn field_of(expr: &Expr) -> Option<(&ScalarFunction, &str)> {
    let Expr::ScalarFunction(get) = expr else {
        return None;
    };
    let function = get.func.inner();
    match &*get.args {
        [base, Expr::Literal(name, _)]
            if function.is::<GetFieldFunc>() || function.is::<Field>() =>
        {
            Some((call_of(base)?, ScalarValue::try_as_str(name).flatten()?))
        }
        _ => None,
    }
}

impl AnalyzerRule for Narrowing {
    fn name(&self) -> &'static str {
        "gizwits_narrowing"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let narrowed = plan.transform_up_with_subqueries(|plan| self.node(plan, true))?;
        Ok(narrowed.data)
    }
}

impl OptimizerRule for Narrowing {
    fn name(&self) -> &'static str {
        "gizwits_narrowing"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        _: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        self.node(plan, false)
    }
}
