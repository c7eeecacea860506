//! `meta` rules: arithmetic and logic over what other rules found, with Perl's precedence.

/// How a rule's result counts in an expression: 0, or how often it hit.
pub(crate) type Value = f64;

/// An expression over rules that are named by `R`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expression<R> {
    Number(f64),
    Rule(R),
    /// The sum of all rules whose names match.
    Matching(String),
    LocalOnly,
    Not(Box<Self>),
    Negative(Box<Self>),
    Two(Operator, Box<Self>, Box<Self>),
    Choice(Box<Self>, Box<Self>, Box<Self>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Or,
    And,
    Xor,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Plus,
    Minus,
    Times,
    Divide,
}

/// Operators by rising precedence.
const LEVELS: [&[(&str, Operator)]; 7] = [
    &[("||", Operator::Or)],
    &[("&&", Operator::And)],
    &[("^", Operator::Xor)],
    &[("==", Operator::Equal), ("!=", Operator::NotEqual)],
    &[
        (">=", Operator::GreaterOrEqual),
        ("<=", Operator::LessOrEqual),
        (">", Operator::Greater),
        ("<", Operator::Less),
    ],
    &[("+", Operator::Plus), ("-", Operator::Minus)],
    &[("*", Operator::Times), ("/", Operator::Divide)],
];

/// Parentheses within parentheses.
const DEPTH_LIMIT: u32 = 100;

impl Expression<String> {
    /// Reads an expression; `None` when it does not read.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let tokens = tokens(text)?;
        if tokens.iter().all(|token| matches!(*token, "(" | ")")) {
            return Some(Self::Number(0.0));
        }
        let mut reader = Reader { tokens: &tokens, at: 0, depth: 0 };
        let expression = reader.choice()?;
        (reader.at == tokens.len()).then_some(expression)
    }
}

impl<R> Expression<R> {
    /// The sum of two.
    pub(crate) fn plus(one: Self, other: Self) -> Self {
        Self::Two(Operator::Plus, Box::new(one), Box::new(other))
    }

    /// The same over other names; `rule` and `matching` say what becomes of each.
    pub(crate) fn map<S>(
        self,
        rule: &mut dyn FnMut(R) -> Expression<S>,
        matching: &mut dyn FnMut(&str) -> Expression<S>,
    ) -> Expression<S> {
        let mut inner = |one: Box<Self>| Box::new(one.map(rule, matching));
        match self {
            Self::Number(number) => Expression::Number(number),
            Self::Rule(name) => rule(name),
            Self::Matching(glob) => matching(&glob),
            Self::LocalOnly => Expression::LocalOnly,
            Self::Not(one) => Expression::Not(inner(one)),
            Self::Negative(one) => Expression::Negative(inner(one)),
            Self::Two(operator, left, right) => Expression::Two(operator, inner(left), inner(right)),
            Self::Choice(test, yes, no) => Expression::Choice(inner(test), inner(yes), inner(no)),
        }
    }

    /// All rules in it.
    pub(crate) fn rules<'a>(&'a self, found: &mut Vec<&'a R>) {
        match self {
            Self::Rule(name) => found.push(name),
            Self::Not(one) | Self::Negative(one) => one.rules(found),
            Self::Two(_, left, right) => {
                left.rules(found);
                right.rules(found);
            }
            Self::Choice(test, yes, no) => [test, yes, no].into_iter().for_each(|part| part.rules(found)),
            Self::Number(_) | Self::Matching(_) | Self::LocalOnly => {}
        }
    }

    /// Its value, when each rule has the value that `of` tells.
    pub(crate) fn value(&self, of: &dyn Fn(&R) -> Value, local_only: bool) -> Value {
        let value = |one: &Self| one.value(of, local_only);
        match self {
            Self::Number(number) => *number,
            Self::Rule(name) => of(name),
            Self::Matching(_) => 0.0,
            Self::LocalOnly => truth(local_only),
            Self::Not(one) => truth(value(one) == 0.0),
            Self::Negative(one) => -value(one),
            Self::Choice(test, yes, no) => value(if value(test) == 0.0 { no } else { yes }),
            Self::Two(Operator::Or, left, right) => {
                Some(value(left)).filter(|value| *value != 0.0).unwrap_or_else(|| value(right))
            }
            Self::Two(Operator::And, left, right) => {
                if value(left) == 0.0 {
                    0.0
                } else {
                    value(right)
                }
            }
            Self::Two(operator, left, right) => apply(*operator, value(left), value(right)),
        }
    }
}

fn truth(value: bool) -> Value {
    if value { 1.0 } else { 0.0 }
}

#[allow(clippy::cast_possible_truncation)]
#[allow(clippy::float_cmp)]
fn apply(operator: Operator, left: Value, right: Value) -> Value {
    match operator {
        Operator::Xor => ((left as i64) ^ (right as i64)) as Value,
        Operator::Equal => truth(left == right),
        Operator::NotEqual => truth(left != right),
        Operator::Less => truth(left < right),
        Operator::LessOrEqual => truth(left <= right),
        Operator::Greater => truth(left > right),
        Operator::GreaterOrEqual => truth(left >= right),
        Operator::Plus => left + right,
        Operator::Minus => left - right,
        Operator::Times => left * right,
        Operator::Divide if right == 0.0 => 0.0,
        Operator::Divide => left / right,
        Operator::Or | Operator::And => 0.0,
    }
}

fn tokens(text: &str) -> Option<Vec<&str>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_word = |char: char| char.is_ascii_alphanumeric() || char == '_';
        let length = if is_word(first) || first == '.' {
            let word =
                |char: char| is_word(char) || (char == '.' && (first.is_ascii_digit() || first == '.'));
            let end = rest.find(|char| !word(char)).unwrap_or(rest.len());
            end + matching_argument(&rest[..end], &rest[end..])?
        } else {
            let double =
                ["||", "&&", ">=", "<=", "==", "!="].iter().find(|double| rest.starts_with(**double));
            if double.is_none() && !"()!<>+-*/^?:".contains(first) {
                return None;
            }
            double.map_or(1, |double| double.len())
        };
        tokens.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    Some(tokens)
}

/// Bytes of `( GLOB )` behind `rules_matching`.
fn matching_argument(word: &str, rest: &str) -> Option<usize> {
    if word != "rules_matching" {
        return Some(0);
    }
    rest.find(')').map(|end| end + 1)
}

struct Reader<'a> {
    tokens: &'a [&'a str],
    at: usize,
    depth: u32,
}

impl Reader<'_> {
    fn take(&mut self, token: &str) -> bool {
        let there = self.tokens.get(self.at) == Some(&token);
        self.at += usize::from(there);
        there
    }

    fn choice(&mut self) -> Option<Expression<String>> {
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            return None;
        }
        let mut value = self.level(0)?;
        if self.take("?") {
            let yes = self.choice()?;
            if !self.take(":") {
                return None;
            }
            let no = self.choice()?;
            value = Expression::Choice(Box::new(value), Box::new(yes), Box::new(no));
        }
        self.depth -= 1;
        Some(value)
    }

    fn level(&mut self, number: usize) -> Option<Expression<String>> {
        let Some(operators) = LEVELS.get(number) else { return self.single() };
        let mut left = self.level(number + 1)?;
        while let Some((_, operator)) =
            operators.iter().find(|(sign, _)| self.tokens.get(self.at) == Some(sign))
        {
            self.at += 1;
            let right = self.level(number + 1)?;
            left = Expression::Two(*operator, Box::new(left), Box::new(right));
        }
        Some(left)
    }

    fn single(&mut self) -> Option<Expression<String>> {
        let token = *self.tokens.get(self.at)?;
        self.at += 1;
        match token {
            "!" | "-" | "+" => {
                self.depth += 1;
                if self.depth > DEPTH_LIMIT {
                    return None;
                }
                let inner = Box::new(self.single()?);
                self.depth -= 1;
                Some(match token {
                    "!" => Expression::Not(inner),
                    "-" => Expression::Negative(inner),
                    _ => *inner,
                })
            }
            "(" => {
                let inner = self.choice()?;
                self.take(")").then_some(inner)
            }
            "local_tests_only" => Some(Expression::LocalOnly),
            word => leaf(word),
        }
    }
}

fn leaf(word: &str) -> Option<Expression<String>> {
    if let Some(argument) = word.strip_prefix("rules_matching") {
        let glob = argument.trim().trim_start_matches('(').trim_end_matches(')').trim();
        return Some(Expression::Matching(glob.to_owned()));
    }
    match word.chars().next()? {
        '0'..='9' | '.' => word.parse().ok().map(Expression::Number),
        'a'..='z' | 'A'..='Z' | '_' => Some(Expression::Rule(word.to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Option<Value> {
        let of = |name: &String| match name.as_str() {
            "A" => 1.0,
            "B" => 2.0,
            _ => 0.0,
        };
        Expression::parse(text).map(|expression| expression.value(&of, true))
    }

    #[test]
    fn a_dot_is_a_number_or_nothing_and_has_an_end() {
        assert_eq!(Expression::parse("1 + .5").map(|sum| sum.value(&|_| 0.0, false)), Some(1.5));
        for text in [".", "..", "A > 0 ?.nl: 0", "A .B"] {
            assert_eq!(Expression::parse(text), None, "{text}");
        }
    }

    #[test]
    fn perl_precedence() {
        assert_eq!(value("A && !C"), Some(1.0));
        assert_eq!(value("(A + B + C) > 2"), Some(1.0));
        assert_eq!(value("A + B > 3"), Some(0.0));
        assert_eq!(value("!A + B"), Some(2.0));
        assert_eq!(value("C || B"), Some(2.0));
        assert_eq!(value("(0.5 * B) - 1 >= 0"), Some(1.0));
        assert_eq!(value("A ? 5 : 6"), Some(5.0));
        assert_eq!(value("()"), Some(0.0));
        assert_eq!(value("B / C"), Some(0.0));
        assert_eq!(value("A &&"), None);
        assert_eq!(value("A; system"), None);
    }

    #[test]
    fn rules_are_listed() {
        let expression = Expression::parse("A && (B || rules_matching(X_*))").unwrap();
        let mut found = Vec::new();
        expression.rules(&mut found);
        assert_eq!(found, ["A", "B"]);
    }
}
