//! Identifiers: how a name is split into words, and which identifiers are taken.

use std::collections::HashSet;

use unicode_ident::{is_xid_continue, is_xid_start};
use unicode_normalization::UnicodeNormalization as _;
use unicode_security::mixed_script::is_potential_mixed_script_confusable_char;
use unicode_security::{GeneralSecurityProfile as _, MixedScript as _};

/// Names that are not allowed for fields: keywords, including reserved ones.
pub(super) const RESERVED_FIELDS: &str = "abstract as async await become box break const continue crate \
    do dyn else enum extern false final fn for gen if impl in let loop macro match mod move mut override \
    priv pub ref return self static struct super trait true try type typeof union unsafe unsized use \
    virtual where while yield";

/// Names that are not allowed for enums, because the file uses them.
pub(super) const RESERVED_TYPES: &str = "Clone Control Copy Debug Default Eq Err FnMut From None Ok Option \
    PartialEq Product Result Self Some Status";

/// Names that are not allowed for labels, because each enum has them.
pub(super) const RESERVED_VARIANTS: &str = "Unknown Self";

/// A name that is wanted for a point or a label.
pub(super) struct Wanted {
    pub(super) name: String,
    /// The id of the point or the index of the label, which makes the name unique.
    pub(super) id: u16,
    /// Whether the name was given, and does not follow from the definition.
    pub(super) is_given: bool,
}

/// The names that have been taken, each of which is unique.
pub(super) struct UniqueNames {
    reserved: &'static str,
    /// Whether the names are those of types and variants, which have no underscores.
    is_type: bool,
    taken: HashSet<String>,
}

impl UniqueNames {
    pub(super) fn new(reserved: &'static str, is_type: bool) -> Self {
        UniqueNames {
            reserved,
            is_type,
            taken: HashSet::new(),
        }
    }

    /// Takes all names in their order, but those that were given before all others, so that none of them gets a suffix
    /// because of a name that follows from the definition.
    pub(super) fn take_all(&mut self, wanted: Vec<Wanted>) -> Vec<String> {
        let mut taken = vec![String::new(); wanted.len()];
        let mut wanted: Vec<_> = wanted.into_iter().zip(&mut taken).collect();
        wanted.sort_by_key(|(wanted, _)| !wanted.is_given);
        for (wanted, taken) in wanted {
            *taken = self.take(wanted.name, wanted.id);
        }
        taken
    }

    /// Returns the name, changed if it is reserved or taken already. `id` makes it unique.
    pub(super) fn take(&mut self, mut name: String, id: u16) -> String {
        let is_type = self.is_type;
        if self.reserved.split_whitespace().any(|word| word == name) {
            name.push_str(if is_type { "Point" } else { "_" });
        }
        if self.taken.contains(&name) {
            if is_type && name.ends_with(|last: char| last.is_ascii_digit()) {
                name.push('N');
            } else if !is_type && !name.ends_with('_') {
                name.push('_');
            }
            name.push_str(&id.to_string());
        }
        while self.taken.contains(&name) {
            let is_upper = name.ends_with(|last: char| last.is_ascii_uppercase());
            name.push(if is_upper { 'X' } else { 'x' });
        }
        self.taken.insert(name.clone());
        name
    }
}

/// Splits a name of ASCII characters into lower-case words; `None` if the name cannot become a name in C.
pub(super) fn words(name: &str) -> Option<Vec<String>> {
    let is_short = name.len() <= MAX_LEN;
    (name.is_ascii() && is_short).then(|| split(name))?
}

/// Splits a name into lower-case words; `None` if the name cannot become a name in Rust without a warning of the
/// compiler.
pub(super) fn unicode_words(name: &str) -> Option<Vec<String>> {
    // The compiler compares names in this form, in which names that look the same are equal.
    let name: String = name.nfc().collect();
    let uncommon = |letter: char| is_letter(letter) && !letter.identifier_allowed();
    // The lint is about the letters of a script of which all look like those of another.
    let confusable =
        |letter: char| letter.is_ascii() || is_potential_mixed_script_confusable_char(letter);
    let letters = name.chars().filter(|letter| is_letter(*letter));
    let is_sound = name.is_ascii()
        || name.is_single_script()
            && !name.chars().any(uncommon)
            && !letters.clone().all(confusable);
    (is_sound && name.chars().count() <= MAX_LEN).then(|| split(&name))?
}

/// Longer names are unreadable.
pub(super) const MAX_LEN: usize = 40;

/// Whether a character can be part of a word. The underscore separates words.
fn is_letter(char: char) -> bool {
    is_xid_continue(char) && char != '_'
}

fn split(name: &str) -> Option<Vec<String>> {
    let letters: Vec<char> = name.chars().collect();
    let mut words: Vec<String> = Vec::new();
    let mut begin = true;
    for (at, letter) in letters.iter().enumerate() {
        if !is_letter(*letter) {
            begin = true;
            continue;
        }
        let before = at.checked_sub(1).and_then(|at| letters.get(at));
        let small = |letter: Option<&char>| letter.is_some_and(|letter| letter.is_lowercase());
        let upper = letter.is_uppercase();
        let capitals = before.is_some_and(|one| one.is_uppercase()) && small(letters.get(at + 1));
        if begin || upper && (small(before) || capitals) {
            words.push(String::new());
        }
        begin = false;
        words.last_mut()?.extend(letter.to_lowercase());
    }
    let first = words.first()?.chars().next()?;
    is_xid_start(first).then_some(words)
}

/// Joins words to a name in PascalCase.
pub(super) fn pascal(words: &[String]) -> String {
    let mut name = String::new();
    for word in words {
        // Without a letter, two adjacent numbers would become one.
        if name.ends_with(|last: char| last.is_ascii_digit())
            && word.starts_with(|first: char| first.is_ascii_digit())
        {
            name.push('N');
        }
        let mut letters = word.chars();
        name.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        name.extend(letters);
    }
    name
}
