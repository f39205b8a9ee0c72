//! The memory that a reader takes grows with its input, and not faster. `tests/work` shows the same of instructions.

use allocation_counter::measure;
use gizwits_tests::readers::READERS;

#[test]
fn memory_grows_with_the_input() {
    let mut wrong = Vec::new();
    for reader in READERS {
        // What is made once is made before it is measured.
        (reader.read)(&(reader.input)(reader.size));
        let [one, two] = [1, 2].map(|times| {
            let input = (reader.input)(times * reader.size);
            measure(|| (reader.read)(&input))
        });
        // The buffers of a reader that double their length differ by less than a factor of two.
        let grows = |one: u64, two: u64| two > 2 * one + one / 2 + 4096;
        if grows(one.bytes_total, two.bytes_total)
            || grows(one.bytes_max, two.bytes_max)
            || two.count_total > 3 * one.count_total + 100
        {
            let name = reader.name;
            wrong.push(format!("{name}: {one:?}, and {two:?} for twice the input"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
