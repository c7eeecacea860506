//! The text of `dovecot-keywords`: which letter of a file name stands for which keyword. A line each: `<n> <name>`.

use super::error::MailError;
use super::filename::LETTERED_KEYWORDS;
use super::flags::{KEYWORDS_LIMIT, KeywordSet};

/// Longest keyword in bytes.
const KEYWORD_LIMIT_BYTES: usize = 1024;

/// Reads the file: the n-th name belongs to the n-th letter, empty where there is none. Lines that make no sense are
/// passed over; of two lines for one number the first counts.
pub(crate) fn parse(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for line in text.lines() {
        let Some((number, name)) = line.split_once(' ') else { continue };
        let Ok(number) = number.parse::<usize>() else { continue };
        if number >= LETTERED_KEYWORDS || name.is_empty() || find(&names, name).is_some() {
            continue;
        }
        if names.len() <= number {
            names.resize(number + 1, String::new());
        }
        if names[number].is_empty() {
            name.clone_into(&mut names[number]);
        }
    }
    names
}

/// The file for `names`: those that have a letter.
pub(crate) fn to_text(names: &[String]) -> String {
    let lettered = names.iter().enumerate().take(LETTERED_KEYWORDS).filter(|(_, name)| !name.is_empty());
    lettered.map(|(number, name)| format!("{number} {name}\n")).collect()
}

/// The number of `keyword`, which is compared without case.
pub(crate) fn find(names: &[String], keyword: &str) -> Option<usize> {
    names.iter().position(|name| !name.is_empty() && name.eq_ignore_ascii_case(keyword))
}

/// The numbers of `keywords`; new ones get the first number that is free.
pub(crate) fn numbers(names: &mut Vec<String>, keywords: &[String]) -> Result<KeywordSet, MailError> {
    let mut set = KeywordSet::default();
    for keyword in keywords {
        set = set.with(number(names, keyword)?);
    }
    Ok(set)
}

fn number(names: &mut Vec<String>, keyword: &str) -> Result<usize, MailError> {
    if let Some(number) = find(names, keyword) {
        return Ok(number);
    }
    let free = names.iter().position(String::is_empty).unwrap_or(names.len());
    if free >= KEYWORDS_LIMIT || keyword.len() > KEYWORD_LIMIT_BYTES {
        return Err(MailError::TooManyKeywords { keyword: keyword.to_owned(), limit: KEYWORDS_LIMIT });
    }
    match names.get_mut(free) {
        Some(name) => keyword.clone_into(name),
        None => names.push(keyword.to_owned()),
    }
    Ok(free)
}

/// The names of a set.
pub(crate) fn names_of(names: &[String], set: KeywordSet) -> Vec<String> {
    set.iter().filter_map(|index| names.get(index)).filter(|name| !name.is_empty()).cloned().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_may_have_gaps_and_keep_their_places() {
        let mut names = parse("0 $Forwarded\n3 Work\nx y\n99 far\n3 again\n4 WORK\n");
        assert_eq!(names, ["$Forwarded", "", "", "Work"]);
        assert_eq!(numbers(&mut names, &["work".into(), "new".into()]).unwrap(), KeywordSet(0b1010));
        assert_eq!(to_text(&names), "0 $Forwarded\n1 new\n3 Work\n");
        assert_eq!(names_of(&names, KeywordSet(0b1001 | 1 << 60)), ["$Forwarded", "Work"]);
    }

    #[test]
    fn more_than_fit_are_refused() {
        let mut names = Vec::new();
        for number in 0..KEYWORDS_LIMIT {
            assert_eq!(numbers(&mut names, &[format!("k{number}")]).unwrap(), KeywordSet(1 << number));
        }
        assert!(matches!(
            numbers(&mut names, &["k".into()]),
            Err(MailError::TooManyKeywords { limit: KEYWORDS_LIMIT, .. })
        ));
        assert_eq!(to_text(&names).lines().count(), LETTERED_KEYWORDS);
    }

    proptest! {
        #[test]
        fn what_is_written_comes_back(words in prop::collection::vec("[a-zA-Z$][a-z0-9]{0,3}", 0..30)) {
            let mut names = Vec::new();
            numbers(&mut names, &words).unwrap();
            names.truncate(LETTERED_KEYWORDS);
            prop_assert_eq!(parse(&to_text(&names)), names);
        }

        #[test]
        fn no_text_upsets_the_parser(text in "([0-9]{0,3} ?[a-z]{0,2}\n?){0,20}") {
            let names = parse(&text);
            prop_assert_eq!(parse(&to_text(&names)), names);
        }
    }
}
