//! What is printed: steps, each with the questions that decided it.

use parameters::Config;

use crate::explain::recorder::{Answer, Question};

/// Width of the column of names.
const NAME_WIDTH: usize = 18;

/// The lines of the answer.
pub(crate) struct Page<'a> {
    config: &'a Config,
    lines: Vec<String>,
}

impl<'a> Page<'a> {
    pub(crate) fn new(config: &'a Config) -> Self {
        Self { config, lines: Vec::new() }
    }

    /// A step and what came of it.
    pub(crate) fn step(&mut self, name: &str, result: &str) {
        self.lines.push(format!("{name:<NAME_WIDTH$} {result}"));
    }

    /// A reason below the step.
    pub(crate) fn reason(&mut self, text: &str) {
        self.lines.push(format!("{:NAME_WIDTH$}   {text}", ""));
    }

    /// Something that the administrator ought to know.
    pub(crate) fn warning(&mut self, text: &str) {
        self.lines.push(format!("warning: {text}"));
    }

    /// A parameter with its value and where that is from.
    pub(crate) fn setting(&self, name: &str) -> String {
        let value = self.config.text(name).unwrap_or_default();
        format!("{name} = {value} ({})", self.origin(name))
    }

    /// Where a parameter is set, without the name of main.cf.
    pub(crate) fn origin(&self, name: &str) -> String {
        let origin = self.config.origin(name);
        let short = origin.strip_prefix(&format!("{}/main.cf", self.config.facts().config_directory));
        short.unwrap_or(&origin).trim_start_matches([',', ':', ' ']).to_owned()
    }

    /// The questions of a step. `parameters` are those whose value they may have been about.
    pub(crate) fn questions(&mut self, questions: &[Question], parameters: &[&str]) {
        let mut at = 0;
        while let Some(question) = questions.get(at) {
            let name = self.parameter_of(question, parameters);
            let alike = |other: &&Question| other.answer == question.answer && other.maps == question.maps;
            let missed = question.answer == Answer::Missing && !question.list;
            let count = if missed { questions[at..].iter().take_while(alike).count() } else { 1 };
            self.reason(&told(&questions[at..at + count], &name));
            at += count;
        }
    }

    fn parameter_of(&self, question: &Question, parameters: &[&str]) -> String {
        let same = |name: &&&str| {
            name.ends_with("_maps") != question.list
                && self.config.text(name).is_some_and(|value| value == question.maps)
        };
        match parameters.iter().find(same) {
            Some(name) => format!("{name} ({})", self.origin(name)),
            None => question.maps.clone(),
        }
    }

    pub(crate) fn into_text(self) -> String {
        let mut text = self.lines.join("\n");
        text.push('\n');
        text
    }
}

/// One question, or several in a row that one parameter's tables had no answer to.
fn told(questions: &[Question], parameter: &str) -> String {
    let key = &questions[0].key;
    match &questions[0].answer {
        Answer::Listed => format!("{parameter} lists {key}"),
        Answer::Found { table, value } => format!("{parameter}: {table} has {key}: {value}"),
        Answer::Missing if questions[0].list => format!("{parameter} does not list {key}"),
        Answer::Missing => {
            let keys: Vec<&str> = questions.iter().map(|question| question.key.as_str()).collect();
            format!("{parameter} has no {}", keys.join(", "))
        }
        Answer::Failed { table } => format!("{parameter}: {table} can not be read"),
    }
}
