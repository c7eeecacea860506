//! What is wrong with a line of a rule file, and what to do about it.

use std::fmt;

use crate::perl::BadPattern;

/// Why a line can not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The value is missing.
    #[error("'{0}' needs a value")]
    Missing(String),
    /// The value is not what is expected there.
    #[error("invalid value for '{0}'")]
    Invalid(String),
    /// Nothing is called that.
    #[error("'{0}' is not known; remove the line, or load the plugin that has it")]
    Unknown(String),
    /// A plugin that is written in Perl.
    #[error("plugin {0} is not part of this program, its rules are skipped")]
    Plugin(String),
    /// An `if` that does not read.
    #[error("the condition can not be read")]
    Condition,
    /// `endif` or `else` without `if`.
    #[error("'{0}' without 'if' before it")]
    NoIf(String),
    /// `if` without `endif`.
    #[error("'if' without 'endif' before the end of the file")]
    NoEndif,
    /// A user's file may not say this.
    #[error("'{0}' is for the administrator: it does not count in a user's file")]
    Admin(String),
    /// A user's file may not hold rules.
    #[error("'{0}' in a user's file needs allow_user_rules 1 in the site's local.cf")]
    UserRule(String),
    /// A rule's name.
    #[error("a rule's name consists of letters, digits and underscores, at most 100")]
    RuleName,
    /// A pattern.
    #[error("{0}")]
    Pattern(BadPattern),
    /// A header test that does not read.
    #[error("a header rule reads: header NAME Field =~ /pattern/")]
    HeaderTest,
    /// An arithmetic expression that does not read.
    #[error("the expression can not be read")]
    Expression,
    /// A chain of metas that ends where it begins.
    #[error("meta rules depend on each other in a circle")]
    Circle,
    /// An eval function that does not exist.
    #[error("there is no eval function {0}; remove the rule, or load the plugin that has it")]
    NoFunction(String),
    /// A score for a rule that has none.
    #[error("a relative score needs a score before it")]
    NoScore,
    /// The file is for another version.
    #[error("the file is for version {0}; it is skipped")]
    Version(String),
    /// Two plugins that do the same.
    #[error(
        "TxRep does nothing while use_auto_welcomelist is on: set use_auto_welcomelist 0, or use_txrep 0"
    )]
    TwoJudges,
    /// An option of long ago.
    #[error("'{old}' is the name of long ago: taken as '{new}'")]
    OldName {
        /// What stands there.
        old: String,
        /// What it counts as.
        new: String,
    },
    /// An option of long ago that has no successor.
    #[error("'{0}' is of long ago and means nothing today; remove the line")]
    Gone(String),
}

impl Fault {
    /// Is the line lost? Old names are understood.
    pub fn is_error(&self) -> bool {
        !matches!(self, Self::OldName { .. } | Self::Gone(_))
    }
}

/// A fault and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub file: String,
    /// The line, from 1; 0 where the fault is in no line.
    pub line: usize,
    /// What stands there.
    pub text: String,
    /// What is wrong with it.
    pub fault: Fault,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "config: {} in {}", self.fault, self.file)?;
        if self.line > 0 {
            write!(f, " (line {})", self.line)?;
        }
        if self.text.is_empty() { Ok(()) } else { write!(f, ": {}", self.text) }
    }
}
