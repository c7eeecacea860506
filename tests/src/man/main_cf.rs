//! The page of main.cf: its grammar in short, and every parameter.

use std::collections::{BTreeMap, BTreeSet};

use parameters::safer::SAFER_DEFAULTS;
use parameters::{Declared, Kind, LATER, OWN, index};

use super::roff::Roff;
use crate::inert;

/// Longest default that is shown beside a name; a longer one stands below it.
const DEFAULT_BESIDE_NAME: usize = 60;

/// Parameters whose default depends on host and process: what the table holds is a sample.
const HOST_DEPENDENT: [&str; 5] = ["mydomain", "myhostname", "mynetworks", "process_id", "process_name"];

/// `main.cf(5)`.
///
/// `inert` are the parameters that nothing asks for.
pub(super) fn page(inert: &BTreeSet<&str>) -> String {
    let mut roff = Roff::new("main.cf", 5, "the table in crates/logic/parameters/src/table");
    write_grammar(&mut roff);
    roff.section("PARAMETERS");
    let sorted: BTreeMap<_, _> =
        index::all().map(|parameter| (sort_key(parameter.name), parameter)).collect();
    for parameter in sorted.into_values() {
        write_parameter(&mut roff, parameter, inert.contains(parameter.name));
    }
    roff.section("SEE ALSO");
    roff.text("postconf(1), master(8), and the pages of the programs named with each parameter.");
    roff.finish()
}

fn write_grammar(roff: &mut Roff) {
    roff.section("NAME");
    roff.text("main.cf - the settings of the mail system");
    roff.section("DESCRIPTION");
    roff.text(
        "Each setting is a line `name = value`. A line that begins with a blank continues the one before it, even \
         across comments and empty lines. A line whose first character is `#` is a comment; elsewhere `#` is text. \
         When a name is set twice, the last setting counts.",
    );
    roff.paragraph("A value may refer to other parameters, wherever they are set:");
    roff.term("$name ${name} $(name)", "", "the value of that parameter;");
    roff.term(
        "${name?{text}:{other}}",
        "",
        "`text` if the parameter has a value, `other` if it is empty; either may be left out;",
    );
    roff.term(
        "${{text} == {text} ? {then} : {else}}",
        "",
        "a comparison, with `==`, `!=`, `<`, `<=`, `>=`, `>` for texts and numbers, and `<level` and its kin for \
         values of `compatibility_level`;",
    );
    roff.term("$$", "", "a dollar sign.");
    roff.paragraph(
        "Lists are separated by blanks or commas. Wherever a list of names or addresses is asked for, an item may be a \
         file (`/path`), whose lines are taken instead, a table (`type:name`), or `!item`, which excludes what it \
         matches. An item with blanks in it stands in braces.",
    );
    roff.paragraph(
        "Times are whole numbers with a unit: `s`, `m`, `h`, `d` or `w`. Without one, the unit is that of the \
         default. Sizes are bytes.",
    );
    roff.paragraph(
        "A service in master.cf may have settings of its own: `-o name=value`. Settings of each delivery transport, \
         such as `smtp_destination_concurrency_limit`, begin with the name of the transport; where they are not \
         set, the one that begins with `default_` counts.",
    );
}

fn write_parameter(roff: &mut Roff, parameter: &Declared, inert: bool) {
    let default = parameter.default;
    let safer = SAFER_DEFAULTS.iter().find(|(name, ..)| *name == parameter.name);
    let aside = match default.len() {
        _ if let Some((_, safer, _)) = safer => format!(" (default: {safer}; of Postfix 3.7: {default})"),
        _ if HOST_DEPENDENT.contains(&parameter.name) => " (default: found out at start)".to_owned(),
        0 => " (default: empty)".to_owned(),
        1..=DEFAULT_BESIDE_NAME => format!(" (default: {default})"),
        _ => String::new(),
    };
    roff.term(parameter.name, &aside, &parameter.doc.split_whitespace().collect::<Vec<_>>().join(" "));
    if default.len() > DEFAULT_BESIDE_NAME {
        roff.line_below("Default: ", default);
    }
    let vain = inert && !parameter.doc.contains("without effect");
    roff.line_below(&(facts(parameter) + if vain { " Without effect in this version." } else { "" }), "");
}

/// What kind of value it is, who uses it, and where the name comes from.
fn facts(parameter: &Declared) -> String {
    let kind = match parameter.kind {
        Kind::Text => "Text",
        Kind::Raw => "Text with names that are filled in for each delivery or client",
        Kind::Number => "A number",
        Kind::Time => "A time",
        Kind::Flag => "Yes or no",
    };
    let users = match parameter.daemons {
        ["all"] => "every program".to_owned(),
        programs => programs.join(", "),
    };
    let origin = origin(parameter).unwrap_or_else(|| older_name(parameter));
    format!("{kind}; used by {users}.{origin}")
}

/// A name that nobody declares and the default refers to: what the parameter was called in older versions.
fn older_name(parameter: &Declared) -> String {
    let unknown = |name: &&str| parameter.kind != Kind::Raw && index::declared(name).is_none();
    let mut names = inert::references(parameter.default);
    names.find(unknown).map_or_else(String::new, |name| format!(" Also set by its older name, {name}."))
}

/// Where a name is from that Postfix 3.7 does not have.
fn origin(parameter: &Declared) -> Option<String> {
    let named = |table: &[&Declared]| table.iter().any(|other| other.name == parameter.name);
    if OWN.iter().any(|family| named(family)) {
        return Some(" Not known to Postfix.".to_owned());
    }
    let (version, _) = LATER.iter().find(|(_, table)| named(table))?;
    Some(format!(" Known to Postfix since {version}."))
}

/// Alphabetical whatever the case.
fn sort_key(name: &str) -> (String, &str) {
    (name.to_lowercase(), name)
}
