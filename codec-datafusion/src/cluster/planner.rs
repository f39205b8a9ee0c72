//! Sends queries to the scheduler, with their definitions.

use async_trait::async_trait;
use ballista_core::planner::BallistaQueryPlanner;
use datafusion::catalog::Session;
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode as _};
use datafusion::execution::context::QueryPlanner;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Expr, LogicalPlan, lit};
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::protobuf::LogicalPlanNode;
use std::sync::Arc;

use crate::definitions::Definitions;
use crate::function::{Attr, Decode, Encode, ErrorOf};

/// Puts the definitions into a plan as JSON and sends it to the scheduler. The other machines then need neither
/// the files of this machine nor the names that this session has given.
#[derive(Debug)]
pub(super) struct Planner {
    definitions: Definitions,
    ballista: BallistaQueryPlanner<LogicalPlanNode>,
}

impl Planner {
    pub(super) fn new(
        definitions: Definitions,
        ballista: BallistaQueryPlanner<LogicalPlanNode>,
    ) -> Self {
        Planner {
            definitions,
            ballista,
        }
    }

    /// Replaces the definition of each call by its JSON. Columns keep their names.
    fn inline(&self, plan: LogicalPlan) -> Result<LogicalPlan> {
        let inlined = plan.transform_up_with_subqueries(|plan| {
            let names = NamePreserver::new(&plan);
            plan.map_expressions(|expr| {
                let name = names.save(&expr);
                let inlined = expr.transform_up(|expr| self.call(expr))?;
                Ok(match inlined.transformed {
                    true => inlined.update_data(|expr| name.restore(expr)),
                    false => inlined,
                })
            })
        })?;
        Ok(inlined.data)
    }

    fn call(&self, expr: Expr) -> Result<Transformed<Expr>> {
        let Expr::ScalarFunction(ScalarFunction { func, mut args }) = expr else {
            return Ok(Transformed::no(expr));
        };
        let function = func.inner();
        let has_definition = function.is::<Attr>()
            || function.is::<Decode>()
            || function.is::<Encode>()
            || function.is::<ErrorOf>();
        let mut is_inlined = false;
        if let (true, Some(Expr::Literal(literal, _))) = (has_definition, args.first()) {
            args[0] = lit(self.definitions.get(Some(literal))?.json());
            is_inlined = true;
        }
        let call = Expr::ScalarFunction(ScalarFunction { func, args });
        Ok(Transformed::new_transformed(call, is_inlined))
    }
}

#[async_trait]
impl QueryPlanner for Planner {
    async fn create_physical_plan(
        &self,
        plan: &LogicalPlan,
        session: &dyn Session,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let plan = self.inline(plan.clone())?;
        self.ballista.create_physical_plan(&plan, session).await
    }
}
