//! cidr: — rules of networks, cidr_table(5).

use crate::network::{Network, parse_address};
use crate::rules::{Rule, RuleSource, Rules};
use crate::sight::Sight;
use crate::source::{is_blank, printable, trim_start};
use crate::table::{Options, Table};
use crate::trouble::Trouble;
use crate::watched::Watched;

pub(crate) struct Cidr {
    rules: Rules<Condition, Box<[u8]>>,
    watched: Option<Watched>,
}

struct Condition {
    network: Network,
    /// No `!`, or an even number of them.
    positive: bool,
}

impl Cidr {
    /// Reads the rules of `cidr:name`. Lines that make no sense are skipped with a warning.
    pub(crate) fn open(name: &str, options: &Options) -> Result<Self, Trouble> {
        let source = RuleSource::open("cidr", name)?;
        let warn = |number: usize, problem: &str| log::warn!("cidr map {name}, line {number}: {problem}");
        let rules = source.rules(&warn, &mut |number, line, open_ifs| {
            parse(line, open_ifs, options)
                .inspect_err(|problem| warn(number, &format!("{problem}: skipping this rule")))
                .ok()
        });
        Ok(Self { rules, watched: source.watched })
    }
}

impl Table for Cidr {
    fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, Trouble> {
        let address = std::str::from_utf8(key).ok().and_then(parse_address);
        let Some(address) = address else { return Ok(None) };
        // A condition with "!" holds for addresses of its own family only.
        let found = self.rules.find(&mut |condition, _| {
            condition.network.is_same_family(address)
                && condition.network.contains(address) == condition.positive
        });
        Ok(found.map(|(_, value)| value.to_vec()))
    }

    fn takes_parts(&self) -> bool {
        false
    }

    fn folds_keys(&self) -> bool {
        false
    }

    fn changed(&mut self, sight: &Sight) -> bool {
        self.watched.as_ref().is_some_and(|watched| watched.changed(sight))
    }
}

fn parse(line: &[u8], open_ifs: usize, options: &Options) -> Result<Rule<Condition, Box<[u8]>>, String> {
    if let Some(rest) = keyword(line, b"if") {
        return Ok(Rule::If(condition(rest)?));
    }
    if let Some(rest) = keyword(line, b"endif") {
        return match (trim_start(rest).is_empty(), open_ifs) {
            (false, _) => Err("garbage after ENDIF".to_owned()),
            (true, 0) => Err("ENDIF without IF".to_owned()),
            (true, _) => Ok(Rule::Endif),
        };
    }
    let start = pattern_start(line);
    let end = line[start..].iter().position(|byte| is_blank(*byte)).map_or(line.len(), |end| start + end);
    let value = trim_start(&line[end..]);
    if start == end {
        return Err("no address pattern".to_owned());
    }
    let condition = condition(&line[..end])?;
    if value.is_empty() {
        return Err("no lookup result".to_owned());
    }
    let value = options.value(value).map_err(|error| error.to_string())?;
    Ok(Rule::Match(condition, value.as_ref().into()))
}

fn pattern_start(text: &[u8]) -> usize {
    text.iter().position(|byte| *byte != b'!' && !is_blank(*byte)).unwrap_or(text.len())
}

/// What follows `word` at the start of `line`, in any case, if no letter or digit does.
pub(crate) fn keyword<'a>(line: &'a [u8], word: &[u8]) -> Option<&'a [u8]> {
    let (start, rest) = line.split_at_checked(word.len())?;
    let ends = rest.first().is_none_or(|byte| !byte.is_ascii_alphanumeric());
    (start.eq_ignore_ascii_case(word) && ends).then_some(rest)
}

/// A network with any number of `!` before it.
fn condition(pattern: &[u8]) -> Result<Condition, String> {
    let start = pattern_start(pattern);
    if start == pattern.len() {
        return Err("no address pattern".to_owned());
    }
    let marks = pattern[..start].iter().filter(|byte| **byte == b'!').count();
    let text = printable(&pattern[start..]);
    let network = Network::parse(&text).map_err(|error| error.to_string())?;
    Ok(Condition { network, positive: marks % 2 == 0 })
}
