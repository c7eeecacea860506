//! Names of long ago: SpamAssassin's options since 2001, and what they are called today.

use super::problem::Fault;
use super::settings::Settings;

/// A subject of spam was marked with this when nobody said otherwise.
const SUBJECT_TAG: &str = "*****SPAM*****";

/// What a line of old counts as.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Today {
    /// It is no old name, or one that counts without a word.
    Key(String),
    /// These lines.
    Lines(Vec<String>),
    /// Nothing at all.
    Nothing,
}

/// What the line is today, and what the log says of it.
pub(crate) fn translate(key: &str, value: &str, settings: &mut Settings) -> (Today, Option<Fault>) {
    if let Some(renamed) = renamed(key) {
        return (Today::Key(renamed), None);
    }
    let on = !matches!(value, "0" | "no" | "");
    let lines = match key {
        "subject_tag" => {
            settings.old_subject_tag = Some(value.to_owned());
            let active = settings.rewrite_header.contains_key("Subject");
            if active { vec![format!("rewrite_header Subject {value}")] } else { Vec::new() }
        }
        "rewrite_subject" if on => {
            let tag = settings.old_subject_tag.as_deref().unwrap_or(SUBJECT_TAG);
            vec![format!("rewrite_header Subject {tag}")]
        }
        "rewrite_subject" => vec!["rewrite_header Subject".to_owned()],
        "report_header" | "use_terse_report" if on => {
            vec!["report_safe 0".to_owned(), "add_header all Report _REPORT_".to_owned()]
        }
        "defang_mime" => vec![format!("report_safe {}", u8::from(on))],
        "spam_level_stars" if on => vec!["add_header all Level _STARS(*)_".to_owned()],
        "spam_level_stars" => vec!["remove_header all Level".to_owned()],
        "spam_level_char" => vec![format!("add_header all Level _STARS({value})_")],
        "always_add_report" if on => vec!["add_header all Report _REPORT_".to_owned()],
        "auto_learn" => vec![format!("bayes_auto_learn {value}")],
        "auto_learn_threshold_spam" | "auto_learn_threshold_nonspam" => vec![format!("bayes_{key} {value}")],
        "always_add_headers"
        | "check_mx_attempts"
        | "check_mx_delay"
        | "num_check_received"
        | "timelog_path"
        | "report_header"
        | "use_terse_report"
        | "always_add_report"
        | "detailed_phrase_score"
        | "spam_level"
        | "dcc_add_header"
        | "pyzor_add_header" => return (Today::Nothing, Some(Fault::Gone(key.to_owned()))),
        _ => return (Today::Key(key.to_owned()), None),
    };
    let old = if value.is_empty() { key.to_owned() } else { format!("{key} {value}") };
    let new = if lines.is_empty() { "a tag for rewrite_subject".to_owned() } else { lines.join("; ") };
    (Today::Lines(lines), Some(Fault::OldName { old, new }))
}

/// The names that SpamAssassin 4 itself still takes.
fn renamed(key: &str) -> Option<String> {
    let new = key.replace("whitelist", "welcomelist").replace("blacklist", "blocklist");
    (new != key && !key.starts_with("auto_") && !key.starts_with("use_auto")).then_some(new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_lines_become_new_ones() {
        let mut settings = Settings::default();
        let mut lines = |key, value| translate(key, value, &mut settings).0;
        assert_eq!(lines("whitelist_from", "x"), Today::Key("welcomelist_from".into()));
        assert_eq!(lines("subject_tag", "[SPAM]"), Today::Lines(vec![]));
        assert_eq!(lines("rewrite_subject", "1"), Today::Lines(vec!["rewrite_header Subject [SPAM]".into()]));
        assert_eq!(lines("defang_mime", "0"), Today::Lines(vec!["report_safe 0".into()]));
        assert_eq!(lines("check_mx_attempts", "2"), Today::Nothing);
        assert_eq!(lines("score", "A 1"), Today::Key("score".into()));
    }
}
