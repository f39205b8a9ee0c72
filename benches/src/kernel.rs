//! One program with one input and one output: what is checked, timed and counted.

use std::hint::black_box;

use serde_json::Value;

/// One program with one input.
pub struct Kernel {
    /// `decode/A/decimals/layout`: the group, the product, the output and the program.
    pub name: String,
    /// The number of items (payloads, records, frames, layouts) of one run.
    pub items: usize,
    work: Box<dyn Work>,
}

impl std::fmt::Debug for Kernel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}

impl Kernel {
    /// Creates a kernel that calls `step` for every input. `state` creates the buffers that `step` writes to, and
    /// `output` returns what a step has left in them.
    pub fn new<I, S: 'static>(
        name: impl Into<String>,
        inputs: &'static [I],
        state: impl Fn() -> S + 'static,
        step: impl FnMut(&mut S, &'static I) + 'static,
        output: impl Fn(&S) -> Output + 'static,
    ) -> Self {
        Kernel {
            name: name.into(),
            items: inputs.len(),
            work: Box::new(Steps {
                inputs,
                current: None,
                state,
                step,
                output,
            }),
        }
    }

    /// Sets the number of items of one run. Default: the number of inputs.
    #[must_use]
    pub fn items(mut self, items: usize) -> Self {
        self.items = items;
        self
    }

    /// Processes all inputs once.
    pub fn run(&mut self) {
        self.work.run(usize::MAX);
    }

    /// Processes the first inputs, at most so many of them.
    pub fn run_first(&mut self, inputs: usize) {
        self.work.run(inputs);
    }

    /// The number of items of the first inputs.
    #[must_use]
    pub fn first_items(&self, inputs: usize) -> f64 {
        let all = self.work.inputs();
        self.items as f64 * inputs.min(all) as f64 / all as f64
    }

    /// The name without its last part, which names the program: kernels of one case have the same output.
    #[must_use]
    pub fn case(&self) -> &str {
        self.name.rsplit_once('/').map_or("", |(case, _)| case)
    }

    /// The last part of the name.
    #[must_use]
    pub fn program(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or(&self.name)
    }
}

/// The kernels of each case, which are next to each other.
pub fn cases(kernels: &mut [Kernel]) -> impl Iterator<Item = &mut [Kernel]> {
    kernels.chunk_by_mut(|one, two| one.case() == two.case())
}

trait Work {
    fn run(&mut self, inputs: usize);
    fn inputs(&self) -> usize;
    fn output(&mut self, input: usize) -> Output;
}

struct Steps<I: 'static, S, N, F, O> {
    inputs: &'static [I],
    /// The buffers, which are made when the kernel runs for the first time.
    current: Option<S>,
    state: N,
    step: F,
    output: O,
}

impl<I, S, N, F, O> Work for Steps<I, S, N, F, O>
where
    N: Fn() -> S,
    F: FnMut(&mut S, &'static I),
    O: Fn(&S) -> Output,
{
    fn run(&mut self, inputs: usize) {
        let current = self.current.get_or_insert_with(&self.state);
        for input in &self.inputs[..inputs.min(self.inputs.len())] {
            (self.step)(current, black_box(input));
            black_box(&mut *current);
        }
    }

    fn inputs(&self) -> usize {
        self.inputs.len()
    }

    fn output(&mut self, input: usize) -> Output {
        // New buffers, so that nothing of an earlier input can be taken for an output.
        let mut state = (self.state)();
        (self.step)(&mut state, &self.inputs[input]);
        (self.output)(&state)
    }
}

/// The output of a program for one input, in a form that all programs of a case have in common.
#[derive(Clone, Debug)]
pub enum Output {
    /// A number for each point, in the order of the ids; 0 for a binary.
    Numbers(Vec<f64>),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Lines of JSON.
    Json(Vec<Value>),
    /// The output of a control, which does other work.
    Nothing,
}

impl Output {
    /// Parses lines of JSON.
    ///
    /// # Panics
    /// If a line is not JSON.
    #[must_use]
    pub fn json(lines: &[u8]) -> Self {
        let values = serde_json::Deserializer::from_slice(lines).into_iter();
        Output::Json(values.map(|value| value.expect("JSON")).collect())
    }

    /// Returns whether two programs have the same output. Numbers may differ by the rounding of floats, since
    /// some of the peers calculate with them.
    #[must_use]
    pub fn agrees(&self, other: &Self) -> bool {
        match (self, other) {
            (Output::Numbers(one), Output::Numbers(two)) => {
                one.len() == two.len() && one.iter().zip(two).all(|(one, two)| near(*one, *two))
            }
            (Output::Bytes(one), Output::Bytes(two)) => one == two,
            (Output::Json(one), Output::Json(two)) => {
                one.len() == two.len() && one.iter().zip(two).all(|(one, two)| same(one, two))
            }
            (Output::Nothing, _) | (_, Output::Nothing) => true,
            _ => false,
        }
    }
}

fn near(one: f64, two: f64) -> bool {
    (one - two).abs() <= 1e-9 * two.abs().max(1.0)
}

fn same(one: &Value, two: &Value) -> bool {
    match (one, two) {
        (Value::Number(one), Value::Number(two)) => match (one.as_f64(), two.as_f64()) {
            (Some(one), Some(two)) => near(one, two),
            _ => false,
        },
        (Value::Array(one), Value::Array(two)) => {
            one.len() == two.len() && one.iter().zip(two).all(|(one, two)| same(one, two))
        }
        (Value::Object(one), Value::Object(two)) => {
            one.len() == two.len()
                && one.iter().all(|(name, one)| {
                    let two = two.get(name);
                    two.is_some_and(|two| same(one, two))
                })
        }
        _ => one == two,
    }
}

/// Compares the programs of each case on up to `inputs` of their inputs. Returns the number of comparisons.
///
/// # Panics
/// If two programs differ.
pub fn check(kernels: &mut [Kernel], inputs: usize) -> usize {
    let mut compared = 0;
    for case in cases(kernels) {
        let Some((first, others)) = case.split_first_mut() else {
            continue;
        };
        for other in others {
            let inputs = inputs.min(first.work.inputs()).min(other.work.inputs());
            for input in 0..inputs {
                let (one, two) = (first.work.output(input), other.work.output(input));
                assert!(
                    one.agrees(&two),
                    "input {input}: {first:?} has {one:?}, and {other:?} has {two:?}"
                );
                compared += 1;
            }
        }
    }
    compared
}
