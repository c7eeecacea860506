//! `?` in a statement, as PostgreSQL wants it: `$1`.

/// Numbers the places of a statement. What stands in quotes is no place.
pub(crate) fn numbered(sql: &str) -> String {
    let mut text = String::with_capacity(sql.len() + 8);
    let (mut quote, mut count) = (None, 0);
    for char in sql.chars() {
        match (quote, char) {
            (None, '?') => {
                count += 1;
                text.push_str(&format!("${count}"));
                continue;
            }
            (None, '\'' | '"') => quote = Some(char),
            (Some(open), _) if open == char => quote = None,
            _ => {}
        }
        text.push(char);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::numbered;

    #[test]
    fn places_get_numbers() {
        assert_eq!(
            numbered("select a from b where c=? and d='?' or e = ?"),
            "select a from b where c=$1 and d='?' or e = $2"
        );
        assert_eq!(numbered("select 'it''s ?', \"?\""), "select 'it''s ?', \"?\"");
    }
}
