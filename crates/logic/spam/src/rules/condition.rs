//! `if (version >= 3.004000) && !plugin(...)`.

/// What a condition may ask.
pub(crate) trait Facts {
    /// Is the plugin loaded?
    fn plugin(&self, name: &str) -> bool;
    /// Does this version have the feature, and is it switched on?
    fn can(&self, feature: &str) -> bool;
    /// Version, as a number: 4.000001.
    fn version(&self) -> f64;
    /// No network tests?
    fn local_only(&self) -> bool;
}

/// The Perl whose expressions are understood, for `perl_version`.
const PERL_VERSION: f64 = 5.036;
/// Parentheses within parentheses.
const DEPTH_LIMIT: u32 = 50;

/// Is the condition true? `None` when it does not read.
pub(crate) fn holds(text: &str, facts: &dyn Facts) -> Option<bool> {
    let tokens = tokens(text)?;
    let mut reader = Reader { tokens: &tokens, at: 0, facts, depth: 0 };
    let value = reader.either()?;
    (reader.at == tokens.len()).then_some(value != 0.0)
}

fn tokens(text: &str) -> Option<Vec<String>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let operators = ["&&", "||", ">=", "<=", "==", "!=", ">", "<", "!", "(", ")"];
        let length = operators.iter().find(|operator| rest.starts_with(**operator)).map_or_else(
            || {
                let word = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | ':' | '.');
                rest.find(|char| !word(char)).unwrap_or(rest.len())
            },
            |operator| operator.len(),
        );
        if length == 0 {
            return None;
        }
        tokens.push(rest[..length].to_owned());
        rest = rest[length..].trim_start();
    }
    Some(tokens)
}

struct Reader<'a> {
    tokens: &'a [String],
    at: usize,
    facts: &'a dyn Facts,
    depth: u32,
}

fn truth(value: bool) -> f64 {
    if value { 1.0 } else { 0.0 }
}

impl Reader<'_> {
    fn peek(&self) -> &str {
        self.tokens.get(self.at).map_or("", String::as_str)
    }

    fn take(&mut self, token: &str) -> bool {
        let there = self.peek() == token;
        self.at += usize::from(there);
        there
    }

    fn either(&mut self) -> Option<f64> {
        let mut value = self.both()?;
        while self.take("||") {
            let other = self.both()?;
            value = truth(value != 0.0 || other != 0.0);
        }
        Some(value)
    }

    fn both(&mut self) -> Option<f64> {
        let mut value = self.comparison()?;
        while self.take("&&") {
            let other = self.comparison()?;
            value = truth(value != 0.0 && other != 0.0);
        }
        Some(value)
    }

    fn comparison(&mut self) -> Option<f64> {
        let left = self.single()?;
        let operator = self.peek().to_owned();
        if !matches!(operator.as_str(), ">=" | "<=" | "==" | "!=" | ">" | "<") {
            return Some(left);
        }
        self.at += 1;
        let right = self.single()?;
        let order = left.partial_cmp(&right)?;
        Some(truth(match operator.as_str() {
            ">=" => order.is_ge(),
            "<=" => order.is_le(),
            "==" => order.is_eq(),
            "!=" => order.is_ne(),
            ">" => order.is_gt(),
            _ => order.is_lt(),
        }))
    }

    fn single(&mut self) -> Option<f64> {
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            return None;
        }
        let value = self.value();
        self.depth -= 1;
        value
    }

    fn value(&mut self) -> Option<f64> {
        if self.take("!") {
            return self.single().map(|value| truth(value == 0.0));
        }
        if self.take("(") {
            let value = self.either()?;
            return self.take(")").then_some(value);
        }
        let word = self.tokens.get(self.at)?.clone();
        self.at += 1;
        match word.as_str() {
            "version" => Some(self.facts.version()),
            "perl_version" => Some(PERL_VERSION),
            "local_tests_only" => Some(truth(self.facts.local_only())),
            "plugin" => self.argument().map(|name| truth(self.facts.plugin(&name))),
            "can" | "has" => self.argument().map(|name| truth(self.facts.can(&name))),
            number => number.parse().ok(),
        }
    }

    fn argument(&mut self) -> Option<String> {
        self.take("(").then_some(())?;
        let name = self.tokens.get(self.at)?.clone();
        self.at += 1;
        self.take(")").then_some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Some4;

    impl Facts for Some4 {
        fn plugin(&self, name: &str) -> bool {
            name.ends_with("::DKIM")
        }
        fn can(&self, feature: &str) -> bool {
            feature.ends_with("::feature_x")
        }
        fn version(&self) -> f64 {
            4.000001
        }
        fn local_only(&self) -> bool {
            true
        }
    }

    #[test]
    fn conditions_hold_or_not() {
        let check = |text| holds(text, &Some4);
        assert_eq!(check("(version >= 3.004000)"), Some(true));
        assert_eq!(check("(version < 4.000000)"), Some(false));
        assert_eq!(check("!(!plugin(Mail::SpamAssassin::Plugin::DKIM))"), Some(true));
        assert_eq!(check("can(A::feature_x) && !has(A::feature_y) || 0"), Some(true));
        assert_eq!(check("local_tests_only"), Some(true));
        assert_eq!(check("version >="), None);
        assert_eq!(check("system(x)"), None);
    }
}
