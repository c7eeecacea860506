//! The texts of reports: four templates, built in or from `bounce_template_file`.

use crate::expand::{ExpandError, Expanded, Facts, expand_lines};

/// What a report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Mail that could not be delivered.
    Failure,
    /// Mail that waits longer than `delay_warning_time`.
    Delay,
    /// Mail that was delivered, asked for by RFC 3461 NOTIFY=SUCCESS.
    Success,
    /// What `sendmail -bv` found out.
    Verify,
}

impl Class {
    /// All of them, in the order in which postconf prints them.
    pub const ALL: [Self; 4] = [Self::Failure, Self::Delay, Self::Success, Self::Verify];

    /// The word in the names `failure_template` and `expanded_failure_text`, and in warnings.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Failure => "failure",
            Self::Delay => "delay",
            Self::Success => "success",
            Self::Verify => "verify",
        }
    }
}

/// One template: the few headers it decides, and its text with `$name` not yet expanded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// What it is for.
    pub class: Class,
    /// The file it came from, or [`BUILT_IN`].
    pub origin: String,
    /// MIME character set of `text`.
    pub charset: String,
    /// The From: header.
    pub from: String,
    /// The Subject: header of what the sender gets.
    pub subject: String,
    /// The Subject: header of what the postmaster gets; success and verify have no such copy.
    pub postmaster_subject: Option<String>,
    /// The lines, without line ends.
    pub text: Vec<String>,
}

/// The `origin` of templates that come from no file.
pub const BUILT_IN: &str = "[built-in]";

const FROM: &str = "Mail Delivery System <MAILER-DAEMON>";
const SIGNED: &str = "                   The mail system";

const FAILURE_TEXT: &[&str] = &[
    "This is the mail system at host $myhostname.",
    "",
    "Your message did not reach all of its recipients. Whom it did",
    "not reach, and why, is written below; the message is attached.",
    "",
    "If the reasons do not help you, write to postmaster and attach",
    "this report. Your own message may be cut out of it.",
    "",
    SIGNED,
];

const DELAY_TEXT: &[&str] = &[
    "This is the mail system at host $myhostname.",
    "",
    "######################################################",
    "# THIS IS ONLY A WARNING. DO NOT SEND THE MAIL AGAIN. #",
    "######################################################",
    "",
    "Your message has been waiting for delivery for more than",
    "$delay_warning_time_hours hour(s). Delivery is tried again and again until the",
    "message is $maximal_queue_lifetime_days day(s) old.",
    "",
    "If the reasons below do not help you, write to postmaster and",
    "attach this report. Your own message may be cut out of it.",
    "",
    SIGNED,
];

const SUCCESS_TEXT: &[&str] = &[
    "This is the mail system at host $myhostname.",
    "",
    "Your message was delivered to the recipients listed below. For a",
    "recipient whose mailbox is here this is the last report; where the",
    "mail was handed on to another system, that system may send more.",
    "",
    SIGNED,
];

const VERIFY_TEXT: &[&str] = &[
    "This is the mail system at host $myhostname.",
    "",
    "Here is the report about delivery that you have asked for.",
    "",
    SIGNED,
];

impl Template {
    /// The template that holds where no file says otherwise.
    pub fn built_in(class: Class) -> Self {
        let (subject, postmaster_subject, text) = match class {
            Class::Failure => (
                "Undelivered Mail Returned to Sender",
                Some("Postmaster Copy: Undelivered Mail"),
                FAILURE_TEXT,
            ),
            Class::Delay => {
                ("Delayed Mail (still being retried)", Some("Postmaster Warning: Delayed Mail"), DELAY_TEXT)
            }
            Class::Success => ("Successful Mail Delivery Report", None, SUCCESS_TEXT),
            Class::Verify => ("Mail Delivery Status Report", None, VERIFY_TEXT),
        };
        Self {
            class,
            origin: BUILT_IN.to_owned(),
            charset: "us-ascii".to_owned(),
            from: FROM.to_owned(),
            subject: subject.to_owned(),
            postmaster_subject: postmaster_subject.map(str::to_owned),
            text: text.iter().map(|line| (*line).to_owned()).collect(),
        }
    }

    /// Does the text need more than 7 bits? A file's bytes that are no UTF-8 count as one each.
    pub fn is_eight_bit(&self) -> bool {
        !self.text.iter().all(|line| line.is_ascii())
    }

    /// As it stands in a template file, and as `postconf -t` prints it.
    pub fn source(&self) -> String {
        let mut out = format!("{}_template = <<EOF\n", self.class.word());
        out += &format!("Charset: {}\nFrom: {}\nSubject: {}\n", self.charset, self.from, self.subject);
        if let Some(subject) = &self.postmaster_subject {
            out += &format!("Postmaster-Subject: {subject}\n");
        }
        out.push('\n');
        for line in &self.text {
            out += line;
            out.push('\n');
        }
        out + "EOF\n"
    }

    /// The text with every `$name` replaced.
    ///
    /// # Errors
    /// [`ExpandError`]: the template can not be used as it is.
    pub fn expand(&self, facts: &Facts<'_>) -> Result<Expanded, ExpandError> {
        expand_lines(self, facts)
    }
}

/// The four templates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Templates {
    /// For mail that could not be delivered.
    pub failure: Template,
    /// For mail that waits.
    pub delay: Template,
    /// For NOTIFY=SUCCESS.
    pub success: Template,
    /// For `sendmail -bv`.
    pub verify: Template,
}

impl Default for Templates {
    fn default() -> Self {
        Self::built_in()
    }
}

impl Templates {
    /// Those that hold when `bounce_template_file` is empty.
    pub fn built_in() -> Self {
        Self {
            failure: Template::built_in(Class::Failure),
            delay: Template::built_in(Class::Delay),
            success: Template::built_in(Class::Success),
            verify: Template::built_in(Class::Verify),
        }
    }

    /// The template of one class.
    pub fn of(&self, class: Class) -> &Template {
        match class {
            Class::Failure => &self.failure,
            Class::Delay => &self.delay,
            Class::Success => &self.success,
            Class::Verify => &self.verify,
        }
    }

    pub(crate) fn of_mut(&mut self, class: Class) -> &mut Template {
        match class {
            Class::Failure => &mut self.failure,
            Class::Delay => &mut self.delay,
            Class::Success => &mut self.success,
            Class::Verify => &mut self.verify,
        }
    }

    /// What `postconf -t` prints: all four as a template file.
    pub fn source(&self) -> String {
        Class::ALL.map(|class| self.of(class).source()).join("\n")
    }

    /// What `postconf -b` prints: the four texts expanded, and the warnings that go to standard error.
    ///
    /// # Errors
    /// [`ExpandError`] of the first template that can not be expanded.
    pub fn expanded(&self, facts: &Facts<'_>) -> Result<Expanded, ExpandError> {
        let mut out = Expanded::default();
        for class in Class::ALL {
            let text = self.of(class).expand(facts)?;
            if !out.text.is_empty() {
                out.text.push('\n');
            }
            out.text += &format!("expanded_{}_text = <<EOF\n{}EOF\n", class.word(), text.text);
            out.warnings.extend(text.warnings);
        }
        Ok(out)
    }
}
