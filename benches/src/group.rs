//! The kernels, one file a group.

pub mod codegen;
pub mod columns;
pub mod decode;
pub mod encode;
pub mod frames;
pub mod layout;
pub mod logs;
pub mod text;

use crate::kernel::Kernel;

/// The kernels whose name contains a text, those of a case next to each other. Groups that have none of them are not
/// made, because their inputs take time.
#[must_use]
pub fn kernels(part: &str) -> Vec<Kernel> {
    let head = part.split('/').next().unwrap_or_default();
    let is_group = GROUPS.iter().any(|(group, _)| *group == head);
    let groups = GROUPS
        .iter()
        .filter(|(group, _)| !is_group || *group == head);
    let mut kernels: Vec<Kernel> = groups.flat_map(|(_, kernels)| kernels()).collect();
    kernels.retain(|kernel| kernel.name.contains(part));
    kernels
}

/// The kernels with these names.
#[must_use]
pub fn named(names: &[&str]) -> Vec<Kernel> {
    let is_in = |group: &str| {
        names
            .iter()
            .any(|name| name.split('/').next() == Some(group))
    };
    let groups = GROUPS.iter().filter(|(group, _)| is_in(group));
    let mut kernels: Vec<Kernel> = groups.flat_map(|(_, kernels)| kernels()).collect();
    kernels.retain(|kernel| names.contains(&&*kernel.name));
    kernels
}

/// The name of a group, and the function that makes its kernels.
pub type Group = (&'static str, fn() -> Vec<Kernel>);

/// The groups in the order of the table.
pub const GROUPS: [Group; 8] = [
    ("decode", decode::kernels),
    ("encode", encode::kernels),
    ("frames", frames::kernels),
    ("columns", columns::kernels),
    ("text", text::kernels),
    ("logs", logs::kernels),
    ("codegen", codegen::kernels),
    ("layout", layout::kernels),
];

#[cfg(test)]
mod tests {
    use crate::kernel;

    #[test]
    fn programs_of_a_case_have_the_same_output() {
        let mut kernels = Vec::new();
        for (_, group) in super::GROUPS {
            kernels.extend(group());
        }
        // Millions of rows are for a run that measures.
        kernels.retain(|kernel| {
            !["in memory", "Parquet"]
                .iter()
                .any(|part| kernel.name.contains(part))
        });
        assert!(kernel::check(&mut kernels, 2) > 50);
    }
}
