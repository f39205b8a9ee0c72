//! Reads the input of one reader: `work INDEX TIMES`. Without arguments it prints the names of all readers.
//! `tests/work` counts the instructions.

use gizwits_tests::readers::READERS;

fn main() {
    let arguments: Vec<usize> = std::env::args()
        .skip(1)
        .map(|text| text.parse().expect("a number"))
        .collect();
    match arguments[..] {
        [index, times] => {
            let reader = &READERS[index];
            (reader.read)(&(reader.input)(times * reader.size));
        }
        _ => READERS
            .iter()
            .for_each(|reader| println!("{}", reader.name)),
    }
}
