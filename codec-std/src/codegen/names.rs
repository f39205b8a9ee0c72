//! Names that replace those of a definition in generated code.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::identifiers::{MAX_LEN, RESERVED_VARIANTS, UniqueNames, pascal, words};
use crate::error::shown;
use crate::product::Product;
use crate::product::attr::Attr;
use crate::product::diagnostic::{CheckError, Severity};
use crate::product::findings::Findings;
use crate::text::{is_invisible, nearest};

/// Names for points and labels in generated code, read from TOML.
///
/// ```toml
/// [points]
/// "开关" = "power"
///
/// [labels.mode]
/// "制冷" = "cool"
/// "除湿" = "dry"
/// ```
///
/// The table `points` has the name of a point in the definition, and its name in the code. The table `labels` has a
/// table for each enum, with the text of a label and its name in the code. Both may be left out, and so may each point
/// and label: it keeps the name that follows from the definition.
///
/// A name in the code has at most 40 ASCII letters, digits and underscores and begins with a letter. It becomes the
/// names of each language by the [rules](super#names) for names of the definition: the point `power_on` has the field
/// `power_on`, the constant `POWER_ON` and the type `PowerOn`, and the label `quick_cool` the variant `QuickCool` and
/// the constant `…_QUICK_COOL` in C. If the name of a definition leads to the same name in the code, it is the one
/// that gets a suffix.
///
/// # Examples
/// ```
/// use gizwits_codec_std::{Product, codegen};
///
/// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
/// let product = Product::from_json(&definition)?;
/// let names = codegen::Names::from_toml(
///     r#"
///     points = { set_temp = "target" }
///     labels.mode = { "制冷" = "cool" }
///     "#,
///     &product,
/// )?;
/// let code = codegen::Options::new().names(names).rust(&product);
/// assert!(code.contains("    pub target: u8,\n"));
/// assert!(code.contains("    /// 制冷\n    Cool,\n"));
///
/// let error = codegen::Names::from_toml("points.set_tmp = 'target'", &product).unwrap_err();
/// assert_eq!(error.to_string(), "1:8: error: unknown point `set_tmp`: did you mean `set_temp`?");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// The words of the new names, by the names of the points.
    points: HashMap<String, Vec<String>>,
    /// The words of the new names, by the names of the points and the labels.
    labels: HashMap<String, HashMap<String, Vec<String>>>,
}

/// A table of names with their places in the text.
type Table = BTreeMap<Spanned<String>, Spanned<String>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    points: Table,
    #[serde(default)]
    labels: BTreeMap<Spanned<String>, Table>,
}

impl Names {
    /// Reads names for the code of a product.
    ///
    /// # Errors
    /// All problems of the text, each with its line and column: text that is not TOML, points and labels that the
    /// product does not have, names that are no identifiers, and equal names.
    pub fn from_toml(text: &str, product: &Product) -> Result<Self, CheckError> {
        let mut reader = Reader::default();
        let mut names = Names::default();
        match toml::from_str::<File>(text) {
            Ok(file) => {
                names.points = reader.points(product, &file.points);
                for (point, table) in &file.labels {
                    let labels = reader.labels(product, point, table);
                    names
                        .labels
                        .extend(labels.filter(|(_, labels)| !labels.is_empty()));
                }
            }
            Err(error) => reader.add("toml", error.span().unwrap_or(0..0), error.message().into()),
        }
        let check = reader.findings.finish(text, None);
        match check.errors {
            0 => Ok(names),
            errors => Err(CheckError {
                diagnostics: check.diagnostics,
                errors,
                warnings: check.warnings,
            }),
        }
    }

    /// Returns a TOML text with all points and labels of a product, as a start for names of one's own. Its lines are
    /// comments, so that the text changes nothing until a comment sign is removed.
    ///
    /// ```
    /// use gizwits_codec_std::{Product, codegen::Names};
    ///
    /// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
    /// let starter = Names::starter(&Product::from_json(&definition)?);
    /// assert!(starter.contains("\n[labels.mode]\n# \"制冷\" = \"label0\"\n"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn starter(product: &Product) -> String {
        let mut text = "# Names for generated code: remove the # of a line, and change the name on its right side.
# A name has at most 40 ASCII letters, digits and underscores, and begins with a letter.

[points]
"
        .to_owned();
        let mut names = UniqueNames::new("", false);
        for attr in product.attrs() {
            let id = attr.id().0;
            let name = plain(attr.name()).unwrap_or_else(|| format!("point_{id}"));
            let name = names.take(name, id);
            text += &format!("# {} = \"{name}\"\n", key(attr.name()));
        }
        for attr in product.attrs().filter(|attr| !attr.labels().is_empty()) {
            text += &format!("\n[labels.{}]\n", key(attr.name()));
            let (mut names, mut seen) = (HashSet::new(), HashSet::new());
            for (index, label) in attr.labels().iter().enumerate() {
                let name = plain(label)
                    .filter(|name| !is_reserved(name) && names.insert(variant(name)))
                    .unwrap_or_else(|| format!("label{index}"));
                if seen.insert(label) {
                    text += &format!("# {} = \"{name}\"\n", key(label));
                }
            }
        }
        text
    }

    /// Returns the words of the name that a point was given.
    pub(super) fn point(&self, attr: &Attr) -> Option<&[String]> {
        self.points.get(attr.name()).map(Vec::as_slice)
    }

    /// Returns the words of the name that each label of a point was given. Of equal labels, the first has the name.
    pub(super) fn labels<'n>(&'n self, attr: &Attr) -> Vec<Option<&'n [String]>> {
        let given = self.labels.get(attr.name());
        let mut seen = HashSet::new();
        let words = |label| {
            let given = given?;
            let is_first = seen.insert(label);
            given.get(label).filter(|_| is_first).map(Vec::as_slice)
        };
        attr.labels().iter().map(words).collect()
    }
}

/// The problems that were found so far.
#[derive(Default)]
struct Reader {
    findings: Findings,
}

impl Reader {
    fn add(&mut self, kind: &'static str, range: Range<usize>, message: String) {
        let describe = || (String::new(), message.into());
        self.findings.add(Severity::Error, kind, range, describe);
    }

    fn points(&mut self, product: &Product, table: &Table) -> HashMap<String, Vec<String>> {
        let mut points = HashMap::new();
        for (point, name) in in_order(table) {
            if let Err(unknown) = product.require(point.get_ref()) {
                self.add(unknown.kind, point.span(), unknown.message);
            } else {
                points.insert(point.get_ref().clone(), name);
            }
        }
        self.checked(points)
    }

    fn labels(
        &mut self,
        product: &Product,
        point: &Spanned<String>,
        table: &Table,
    ) -> Option<(String, HashMap<String, Vec<String>>)> {
        let attr = match product.require(point.get_ref()) {
            Ok(attr) => attr,
            Err(unknown) => {
                self.add(unknown.kind, point.span(), unknown.message);
                return None;
            }
        };
        if attr.labels().is_empty() {
            let message = format!(
                "`{}` is not an enum: only enums have labels",
                shown(attr.name())
            );
            self.add("wrong_kind", point.span(), message);
            return None;
        }
        let mut labels = HashMap::new();
        for (label, name) in in_order(table) {
            if attr.labels().contains(label.get_ref()) {
                if is_reserved(name.get_ref()) {
                    let message = format!(
                        "`{}` is not available: each enum has the variant `Unknown`, and `Self` is a keyword",
                        name.get_ref()
                    );
                    self.add("reserved_name", name.span(), message);
                    continue;
                }
                labels.insert(label.get_ref().clone(), name);
            } else {
                self.add(
                    "unknown_label",
                    label.span(),
                    unknown_label(attr, label.get_ref()),
                );
            }
        }
        Some((attr.name().to_owned(), self.checked(labels)))
    }

    /// Returns the words of the names. Reports the names that are no identifiers, or are equal to one before.
    fn checked(
        &mut self,
        names: HashMap<String, &Spanned<String>>,
    ) -> HashMap<String, Vec<String>> {
        let mut names: Vec<_> = names.into_iter().collect();
        names.sort_by_key(|(_, name)| name.span().start);
        let mut taken: HashMap<String, String> = HashMap::new();
        let mut all = HashMap::new();
        for (of, name) in names {
            let (span, name) = (name.span(), name.get_ref());
            let Some(words) = identifier(name) else {
                let message = format!(
                    "`{}` is not a name: expected at most {MAX_LEN} ASCII letters, digits and underscores, \
                     the first a letter",
                    shown(name)
                );
                self.add("invalid_name", span, message);
                continue;
            };
            if let Some(other) = taken.insert(pascal(&words), of.clone()) {
                let (of, other) = (shown(&of), shown(&other));
                let message = format!(
                    "`{name}` is the name of both `{other}` and `{of}`: choose another name"
                );
                self.add("duplicate_name", span, message);
                continue;
            }
            all.insert(of, words);
        }
        all
    }
}

/// Returns the entries of a table in the order of the text.
fn in_order(table: &Table) -> Vec<(&Spanned<String>, &Spanned<String>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

fn unknown_label(attr: &Attr, label: &str) -> String {
    const SHOWN: usize = 20;
    let labels = attr.labels();
    let hint = match nearest(label, labels.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            let first: Vec<String> = labels
                .iter()
                .take(SHOWN)
                .map(|label| shown(label))
                .collect();
            let dots = if labels.len() > SHOWN { ", …" } else { "" };
            format!("its labels are {}{dots}", first.join(", "))
        }
    };
    format!(
        "`{}` has no label `{}`: {hint}",
        shown(attr.name()),
        shown(label)
    )
}

/// Returns the words of a given name, or `None` if it is not an identifier.
fn identifier(name: &str) -> Option<Vec<String>> {
    let is_plain = |one: char| one.is_ascii_alphanumeric() || one == '_';
    let is_letter = name.starts_with(|first: char| first.is_ascii_alphabetic());
    (is_letter && name.chars().all(is_plain)).then(|| words(name))?
}

/// Returns a name of the definition as a given name, or `None` if it cannot become one.
fn plain(name: &str) -> Option<String> {
    let name = words(name)?.join("_");
    identifier(&name).map(|_| name)
}

/// Returns the variant of a label with this name.
fn variant(name: &str) -> String {
    identifier(name).map_or(String::new(), |words| pascal(&words))
}

/// Whether a name of a label leads to a variant that is not available.
fn is_reserved(name: &str) -> bool {
    let variant = variant(name);
    RESERVED_VARIANTS
        .split_whitespace()
        .any(|reserved| reserved == variant)
}

/// Returns a text as a key of TOML, with its invisible characters escaped.
fn key(text: &str) -> String {
    let is_bare = |one: char| one.is_ascii_alphanumeric() || one == '_' || one == '-';
    if !text.is_empty() && text.chars().all(is_bare) {
        return text.to_owned();
    }
    let mut quoted = "\"".to_owned();
    for one in text.chars() {
        match one {
            '"' | '\\' => quoted.extend(['\\', one]),
            _ if is_invisible(one) => quoted += &format!("\\U{:08X}", u32::from(one)),
            _ => quoted.push(one),
        }
    }
    quoted + "\""
}
