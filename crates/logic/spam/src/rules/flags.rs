//! `tflags`: what a rule is beyond its pattern.

/// A rule's flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags {
    /// Needs the network.
    pub net: bool,
    /// Speaks for the message.
    pub nice: bool,
    /// Comes from a learner.
    pub learn: bool,
    /// Comes from the user's own settings.
    pub userconf: bool,
    /// Does not count when it is decided what to learn.
    pub noautolearn: bool,
    /// Counts how often it hits.
    pub multiple: bool,
    /// But not further than this.
    pub maxhits: Option<usize>,
    /// Does not look at the subject.
    pub nosubject: bool,
    /// What it found is kept out of reports.
    pub nolog: bool,
    /// Where it hits, the sender's earlier messages do not count (AWL).
    pub noawl: bool,
    /// Learning needs fewer points when it hits.
    pub autolearn_force: bool,
    /// Counts as a body rule for learning.
    pub autolearn_body: bool,
    /// Counts as a header rule for learning.
    pub autolearn_header: bool,
    /// A list is asked about names only.
    pub domains_only: bool,
    /// A list is asked about addresses only.
    pub ips_only: bool,
    /// A list is asked about whole host names.
    pub notrim: bool,
    /// A list is asked about the addresses of hosts.
    pub a: bool,
    /// A list is asked about the addresses of name servers.
    pub ns: bool,
    /// A mimeheader rule looks at all parts at once.
    pub concat: bool,
    /// A mimeheader rule looks only at parts of these numbers.
    pub range: Option<(usize, usize)>,
}

impl Flags {
    /// Reads the value of a `tflags` line behind the rule's name.
    pub fn parse(text: &str) -> Self {
        let mut flags = Self::default();
        text.split_whitespace().for_each(|word| flags.set(word));
        flags
    }

    fn set(&mut self, word: &str) {
        match word {
            "net" => self.net = true,
            "nice" => self.nice = true,
            "learn" => self.learn = true,
            "userconf" => self.userconf = true,
            "noautolearn" => self.noautolearn = true,
            "multiple" => self.multiple = true,
            "nosubject" => self.nosubject = true,
            "noawl" => self.noawl = true,
            "nolog" => self.nolog = true,
            "autolearn_force" => self.autolearn_force = true,
            "autolearn_body" => self.autolearn_body = true,
            "autolearn_header" => self.autolearn_header = true,
            "domains_only" => self.domains_only = true,
            "ips_only" => self.ips_only = true,
            "notrim" => self.notrim = true,
            "a" => self.a = true,
            "ns" => self.ns = true,
            "concat" => self.concat = true,
            _ => self.set_number(word),
        }
    }

    fn set_number(&mut self, word: &str) {
        match word.split_once('=') {
            Some(("maxhits", number)) => self.maxhits = number.parse().ok(),
            Some(("range", range)) => self.range = parse_range(range),
            _ => {}
        }
    }
}

fn parse_range(text: &str) -> Option<(usize, usize)> {
    let number = |text: &str, default| if text.is_empty() { Some(default) } else { text.parse().ok() };
    match text.split_once('-') {
        Some((from, to)) => Some((number(from, 0)?, number(to, 1000)?)),
        None => text.parse().ok().map(|number| (number, number)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_with_and_without_numbers() {
        let flags = Flags::parse("multiple maxhits=5 nice range=2-");
        assert!(flags.multiple && flags.nice && !flags.net);
        assert_eq!((flags.maxhits, flags.range), (Some(5), Some((2, 1000))));
    }
}
