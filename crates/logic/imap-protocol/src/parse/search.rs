//! SEARCH (RFC 3501 §9, RFC 4731, RFC 5032, RFC 5182, RFC 5267, RFC 7162, RFC 8474, RFC 8514, RFC 9394).

use message::decode;

use crate::parse::{Cursor, NESTING_LIMIT, Parsed, Refusal, shown};
use crate::types::{
    Code, Command, Comparator, FetchItem, Flag, Keyword, SearchKey, SearchRequest, SearchResult,
};

/// Conditions of one command.
const KEYS_LIMIT: usize = 10_000;

impl Cursor<'_> {
    /// search = "SEARCH" [search-return-opts] SP search-program
    ///
    /// search-program = ["CHARSET" SP charset SP] search-key *(SP search-key)
    pub(crate) fn search(&mut self, uid: bool) -> Parsed<Command> {
        if self.is_done() {
            return Err(Refusal::new("Missing search parameters"));
        }
        self.space()?;
        let mut fetch = Vec::new();
        let result = self.return_clause(&mut fetch)?;
        if self.keyword("CHARSET") {
            self.space()?;
            self.charset_name()?;
            self.space()?;
        }
        Ok(Command::Search(SearchRequest { uid, result, fetch, key: self.search_program()? }))
    }

    /// charset = atom / quoted: what the texts that follow are written in.
    pub(crate) fn charset_name(&mut self) -> Parsed<()> {
        let name = self.astring()?.to_ascii_uppercase();
        match name.as_slice() {
            b"UTF-8" | b"US-ASCII" | b"UTF8" | b"ASCII" => self.charset = None,
            name if decode::is_charset(name) => self.charset = Some(name.to_vec()),
            _ => return Err(Refusal::no(Code::BadCharset, "Unknown charset")),
        }
        Ok(())
    }

    /// What SEARCH and SORT may begin with; the space behind it included.
    pub(crate) fn return_clause(&mut self, fetch: &mut Vec<FetchItem>) -> Parsed<Option<SearchResult>> {
        if !self.keyword("RETURN") {
            return Ok(None);
        }
        self.space()?;
        let result = self.return_options(fetch)?;
        self.space()?;
        Ok(Some(result))
    }

    /// search-return-opts = SP "RETURN" SP "(" [search-return-opt *(SP search-return-opt)] ")"
    fn return_options(&mut self, fetch: &mut Vec<FetchItem>) -> Parsed<SearchResult> {
        let mut result = SearchResult::default();
        self.list(|cursor| {
            match cursor.word()?.as_str() {
                "MIN" => result.min = true,
                "MAX" => result.max = true,
                "ALL" => result.all = true,
                "COUNT" => result.count = true,
                "SAVE" => result.save = true,
                "UPDATE" => {
                    result.update = true;
                    cursor.update_items(fetch)?;
                }
                // RFC 5267 §4.2: a hint that more of the same will be asked.
                "CONTEXT" => {}
                "PARTIAL" => {
                    cursor.space()?;
                    result.partial = Some(cursor.partial_range()?);
                }
                other => {
                    return Err(Refusal::new(format!(
                        "Unknown SEARCH return option {}",
                        shown(other.as_bytes())
                    )));
                }
            }
            Ok(())
        })?;
        if result.partial.is_some() && result.all {
            return Err(Refusal::new("SEARCH return options ALL and PARTIAL exclude each other"));
        }
        if !result.shows() && !result.save {
            result.all = true;
        }
        Ok(result)
    }

    /// modifier-update = "UPDATE" ["(" fetch-att *(SP fetch-att) ")"] (RFC 5465 §8); its example has a blank between.
    fn update_items(&mut self, fetch: &mut Vec<FetchItem>) -> Parsed<()> {
        if self.rest().starts_with(b" (") {
            self.space()?;
        }
        if self.peek() != Some(b'(') {
            return Ok(());
        }
        self.list(|cursor| cursor.fetch_attribute(fetch))
    }

    /// partial-range = nz-number ":" nz-number / MINUS nz-number ":" MINUS nz-number (RFC 9394 §3.3)
    fn partial_range(&mut self) -> Parsed<(i64, i64)> {
        let bad = || Refusal::new("Invalid PARTIAL range");
        let end = |cursor: &mut Self| {
            let negative = cursor.take(b'-');
            let number = i64::from(cursor.number32().ok().filter(|number| *number > 0).ok_or_else(bad)?);
            Ok(if negative { -number } else { number })
        };
        let first = end(self)?;
        self.expect(b':')?;
        let last = end(self)?;
        if (first < 0) != (last < 0) {
            return Err(bad());
        }
        Ok(if first.abs() <= last.abs() { (first, last) } else { (last, first) })
    }

    /// cancelupdate = "CANCELUPDATE" 1*(SP quoted) (RFC 5267 §5)
    pub(crate) fn cancel_update(&mut self) -> Parsed<Command> {
        let mut tags = Vec::new();
        while !self.is_done() {
            self.space()?;
            tags.push(String::from_utf8_lossy(&self.string()?).into_owned());
        }
        if tags.is_empty() {
            Err(Refusal::new("Invalid parameters"))
        } else {
            Ok(Command::CancelUpdate(tags))
        }
    }

    /// All keys to the end of the command.
    pub(crate) fn search_program(&mut self) -> Parsed<SearchKey> {
        let mut budget = KEYS_LIMIT;
        let key = self.search_keys(0, &mut budget)?;
        if self.is_done() { Ok(key) } else { Err(Refusal::new("Unexpected ')'")) }
    }

    /// search-key *(SP search-key), up to `)` or the end.
    fn search_keys(&mut self, depth: usize, budget: &mut usize) -> Parsed<SearchKey> {
        let mut keys = Vec::new();
        loop {
            while self.take(b' ') {}
            if matches!(self.peek(), None | Some(b')')) {
                break;
            }
            keys.push(self.search_key(depth, budget)?);
            if !matches!(self.peek(), None | Some(b' ' | b')')) {
                return Err(Refusal::arguments());
            }
        }
        match keys.len() {
            0 => Err(Refusal::new("Missing search parameters")),
            1 => Ok(keys.swap_remove(0)),
            _ => Ok(SearchKey::And(keys)),
        }
    }

    fn search_key(&mut self, depth: usize, budget: &mut usize) -> Parsed<SearchKey> {
        *budget = budget.checked_sub(1).ok_or_else(|| Refusal::new("Too many search keys"))?;
        if depth > NESTING_LIMIT {
            return Err(Refusal::new("Search keys are nested too deeply"));
        }
        match self.peek() {
            Some(b'(') => {
                self.take(b'(');
                let key = self.search_keys(depth + 1, budget)?;
                if self.take(b')') { Ok(key) } else { Err(Refusal::new("Missing ')'")) }
            }
            Some(b'0'..=b'9' | b'*' | b'$') => Ok(SearchKey::Sequence(self.sequence_set()?)),
            _ => {
                let word = self.word().map_err(|_| Refusal::new("Missing argument"))?;
                self.named_key(&word, depth, budget)
            }
        }
    }

    fn named_key(&mut self, word: &str, depth: usize, budget: &mut usize) -> Parsed<SearchKey> {
        if let Some(key) = simple_key(word) {
            return Ok(key);
        }
        match word {
            "NOT" => {
                self.argument()?;
                Ok(SearchKey::Not(Box::new(self.search_key(depth + 1, budget)?)))
            }
            "OR" => {
                self.argument()?;
                let one = Box::new(self.search_key(depth + 1, budget)?);
                self.argument()?;
                Ok(SearchKey::Or(one, Box::new(self.search_key(depth + 1, budget)?)))
            }
            "BCC" | "CC" | "FROM" | "SUBJECT" | "TO" => {
                Ok(SearchKey::Header { name: word.to_lowercase(), text: self.text()? })
            }
            "HEADER" => {
                let name = self.text()?.to_lowercase();
                Ok(SearchKey::Header { name, text: self.text()? })
            }
            "BODY" => self.text().map(SearchKey::Body),
            "TEXT" => self.text().map(SearchKey::Text),
            "KEYWORD" => self.keyword_key(),
            "UNKEYWORD" => Ok(SearchKey::Not(Box::new(self.keyword_key()?))),
            _ => self.valued_key(word),
        }
    }

    /// Keys with a number, a date or a set.
    fn valued_key(&mut self, word: &str) -> Parsed<SearchKey> {
        if let Some(key) = self.dated_key(word)? {
            return Ok(key);
        }
        let size = |_| Refusal::new("Invalid search size parameter");
        let interval = || Refusal::new("Invalid search interval parameter");
        Ok(match word {
            "UID" => {
                self.argument()?;
                SearchKey::Uid(self.sequence_set()?)
            }
            "LARGER" => {
                self.argument()?;
                SearchKey::Larger(self.number().map_err(size)?)
            }
            "SMALLER" => {
                self.argument()?;
                SearchKey::Smaller(self.number().map_err(size)?)
            }
            "OLDER" | "YOUNGER" => {
                self.argument()?;
                let seconds = self.number32().ok().filter(|seconds| *seconds > 0).ok_or_else(interval)?;
                if word == "OLDER" { SearchKey::Older(seconds) } else { SearchKey::Younger(seconds) }
            }
            "MODSEQ" => self.modseq_key()?,
            "EMAILID" => {
                self.argument()?;
                SearchKey::EmailId(String::from_utf8_lossy(self.atom()?).into_owned())
            }
            _ => return Err(Refusal::new(format!("Unknown argument {}", shown(word.as_bytes())))),
        })
    }

    fn dated_key(&mut self, word: &str) -> Parsed<Option<SearchKey>> {
        let (make, rest): (fn(Comparator, crate::types::Date) -> SearchKey, &str) =
            if let Some(rest) = word.strip_prefix("SENT") {
                (SearchKey::Sent, rest)
            } else if let Some(rest) = word.strip_prefix("SAVED") {
                (SearchKey::Saved, rest)
            } else {
                (SearchKey::Internal, word)
            };
        let comparator = match rest {
            "BEFORE" => Comparator::Before,
            "ON" => Comparator::On,
            "SINCE" => Comparator::Since,
            _ => return Ok(None),
        };
        self.argument()?;
        let date = self.date().map_err(|_| Refusal::new("Invalid search date parameter"))?;
        Ok(Some(make(comparator, date)))
    }

    /// search-modsequence = "MODSEQ" [SP entry-name SP entry-type-req] SP mod-sequence-valzer (RFC 7162 §7)
    fn modseq_key(&mut self) -> Parsed<SearchKey> {
        self.argument()?;
        if self.peek() == Some(b'"') {
            // entry-name = "/flags/" attr-flag: a message has one MODSEQ here, whichever flag is asked for.
            if !self.string()?.to_ascii_lowercase().starts_with(b"/flags/") {
                return Err(Refusal::new("Invalid MODSEQ value"));
            }
            self.argument()?;
            self.word()?;
            self.argument()?;
        }
        self.mod_sequence().map(SearchKey::ModSeq)
    }

    fn keyword_key(&mut self) -> Parsed<SearchKey> {
        self.argument()?;
        let keyword = Keyword::new(self.atom()?).ok_or_else(|| Refusal::new("Invalid search keyword"))?;
        Ok(SearchKey::Flag(Flag::Keyword(keyword)))
    }

    fn argument(&mut self) -> Parsed<()> {
        self.space().map_err(|_| Refusal::new("Missing argument"))
    }

    /// SP astring, as text; what is not UTF-8 is taken byte by byte, so that it matches nothing but itself.
    fn text(&mut self) -> Parsed<String> {
        self.argument()?;
        let bytes = self.astring().map_err(|refusal| {
            if refusal == Refusal::arguments() { Refusal::new("Missing argument") } else { refusal }
        })?;
        if let Some(charset) = &self.charset {
            return Ok(decode::text(charset, &bytes));
        }
        Ok(match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => error.as_bytes().iter().copied().map(char::from).collect(),
        })
    }
}

/// Keys of one word.
fn simple_key(word: &str) -> Option<SearchKey> {
    let not = |key| SearchKey::Not(Box::new(key));
    Some(match word {
        "ALL" => SearchKey::All,
        "ANSWERED" => SearchKey::Flag(Flag::Answered),
        "DELETED" => SearchKey::Flag(Flag::Deleted),
        "DRAFT" => SearchKey::Flag(Flag::Draft),
        "FLAGGED" => SearchKey::Flag(Flag::Flagged),
        "SEEN" => SearchKey::Flag(Flag::Seen),
        "UNANSWERED" => not(SearchKey::Flag(Flag::Answered)),
        "UNDELETED" => not(SearchKey::Flag(Flag::Deleted)),
        "UNDRAFT" => not(SearchKey::Flag(Flag::Draft)),
        "UNFLAGGED" => not(SearchKey::Flag(Flag::Flagged)),
        "UNSEEN" => not(SearchKey::Flag(Flag::Seen)),
        "RECENT" => SearchKey::Recent,
        "OLD" => not(SearchKey::Recent),
        "NEW" => SearchKey::And(vec![SearchKey::Recent, not(SearchKey::Flag(Flag::Seen))]),
        "SAVEDATESUPPORTED" => SearchKey::SaveDateSupported,
        _ => return None,
    })
}
