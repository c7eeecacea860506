//! Addresses in their full form `user@domain.name`.

use address::{Token, internal_text, quote, scan};

use crate::Rewriting;

/// No address has more tokens than this; what follows is dropped.
pub(crate) const TOKEN_LIMIT: usize = 10_000;

/// By whose rules an address is completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Context {
    /// Our own: `myorigin` and `mydomain` are appended.
    #[default]
    Local,
    /// A remote client's headers: `remote_header_rewrite_domain` is appended.
    Remote,
    /// A remote client's headers stay as they came, for `remote_header_rewrite_domain` is empty.
    Untouched,
}

impl Context {
    /// The value of the queue file's attribute `rewrite_context`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Remote | Self::Untouched => "remote",
        }
    }
}

impl Rewriting {
    /// The context for the headers of a message that came from a local client (`local_header_rewrite_clients`),
    /// or did not.
    pub fn header_context(&self, local_client: bool) -> Context {
        match local_client {
            true => Context::Local,
            false if self.settings.remote_header_rewrite_domain.is_empty() => Context::Untouched,
            false => Context::Remote,
        }
    }

    /// The full form of `address`: source route cut off, `host!user` and `user%host` turned round, the domain
    /// appended. The null address stays null.
    pub fn rewrite(&self, address: &str, context: Context) -> String {
        if context == Context::Untouched || address.is_empty() || self.is_complete(address) {
            return address.to_owned();
        }
        let mut tokens = scan(&quote(address), TOKEN_LIMIT);
        self.rewrite_tokens(&mut tokens, context);
        internal_text(&tokens)
    }

    /// [`Rewriting::rewrite`] on tokens, for headers.
    pub fn rewrite_tokens(&self, tokens: &mut Vec<Token>, context: Context) {
        let (origin, domain) = match context {
            Context::Untouched => return,
            Context::Local => (&self.settings.myorigin, &self.settings.mydomain),
            Context::Remote => {
                (&self.settings.remote_header_rewrite_domain, &self.settings.remote_header_rewrite_domain)
            }
        };
        // A lone `@` or an empty quoted string is nobody.
        if matches!(tokens.as_slice(), [lone] if lone.is('@') || *lone == Token::Quoted(String::new())) {
            tokens.clear();
        }
        if tokens.is_empty() {
            return;
        }
        strip_source_route(tokens);
        if !tokens.iter().any(|token| token.is('@')) {
            self.add_domain(tokens, origin);
        }
        if self.settings.append_dot_mydomain {
            append_parent(tokens, domain);
        }
        strip_trailing_dot(tokens);
    }

    /// Nothing to do, as a look at the bytes tells: letters, digits and dots around one `@`.
    fn is_complete(&self, address: &str) -> bool {
        let Some((local, domain)) = address.split_once('@') else { return false };
        let plain_local = |byte: u8| byte.is_ascii_alphanumeric() || b"-_+=.".contains(&byte);
        let plain_domain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
        !local.is_empty()
            && local.bytes().all(plain_local)
            && domain.bytes().all(plain_domain)
            && domain.contains('.')
            && !domain.ends_with('.')
    }

    /// An address without `@`: the old routing forms first, then our own domain.
    fn add_domain(&self, tokens: &mut Vec<Token>, origin: &str) {
        let bang = tokens.iter().position(|token| token.is('!')).filter(|_| self.settings.swap_bangpath);
        let percent =
            tokens.iter().rposition(|token| token.is('%')).filter(|_| self.settings.allow_percent_hack);
        if let Some(at) = bang {
            let local = tokens.split_off(at + 1);
            tokens.pop();
            let host = std::mem::replace(tokens, local);
            tokens.push(Token::Operator('@'));
            tokens.extend(host);
        } else if let Some(at) = percent {
            tokens[at] = Token::Operator('@');
        } else if self.settings.append_at_myorigin && !origin.is_empty() {
            tokens.push(Token::Operator('@'));
            tokens.extend(scan(origin, TOKEN_LIMIT));
        }
    }
}

/// `@relay,@relay:user@host` becomes `user@host` (RFC 5321 appendix C).
fn strip_source_route(tokens: &mut Vec<Token>) {
    if !tokens[0].is('@') {
        return;
    }
    match tokens.iter().position(|token| token.is(':')) {
        Some(colon) if colon + 1 < tokens.len() => drop(tokens.drain(..=colon)),
        _ => {}
    }
}

/// `user@host` becomes `user@host.domain`; broken forms and literals stay.
fn append_parent(tokens: &mut Vec<Token>, domain: &str) {
    let Some(at) = tokens.iter().rposition(|token| token.is('@')) else { return };
    let host = &tokens[at + 1..];
    let has_own_form = host.iter().any(|token| token.is('.') || matches!(token, Token::Literal(_)));
    if !domain.is_empty() && !host.is_empty() && !has_own_form {
        tokens.push(Token::Operator('.'));
        tokens.extend(scan(domain, TOKEN_LIMIT));
    }
}

/// Takes one dot off the end, but leaves `..` and `@.` alone.
pub(crate) fn strip_trailing_dot(tokens: &mut Vec<Token>) {
    if let [.., before, last] = tokens.as_slice()
        && last.is('.')
        && !before.is('.')
        && !before.is('@')
    {
        tokens.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Settings;
    use proptest::prelude::*;

    fn rewriting(change: impl FnOnce(&mut Settings)) -> Rewriting {
        let mut settings = Settings {
            myorigin: "mx.lab.example".into(),
            mydomain: "lab.example".into(),
            ..Settings::default()
        };
        change(&mut settings);
        Rewriting::new(settings)
    }

    /// Both sides in external form.
    fn local(rewriting: &Rewriting, external: &str) -> String {
        quote(&rewriting.rewrite(&address::unquote(external), Context::Local))
    }

    #[test]
    fn addresses_are_completed_as_postfix_does() {
        let rewriting = rewriting(|_| {});
        for (before, after) in [
            ("user", "user@mx.lab.example"),
            ("user@", "user@"),
            ("a!b", "b@a"),
            ("a!b!c", "b!c@a"),
            ("a%b%c", "a%b@c"),
            ("a!b%c", "b%c@a"),
            ("a@b.", "a@b"),
            ("a@b..", "a@b.."),
            ("a@.", "a@."),
            ("@r:a@b", "a@b"),
            ("@r,@s:a", "a@mx.lab.example"),
            ("a@b@c", "\"a@b\"@c"),
            ("\"a b\"@c", "\"a b\"@c"),
            ("a@[1.2.3.4]", "a@[1.2.3.4]"),
            ("j\u{f6}", "j\u{f6}@mx.lab.example"),
        ] {
            assert_eq!(local(&rewriting, before), after);
        }
    }

    #[test]
    fn tokens_of_headers_follow_the_same_rules() {
        for (before, after) in [
            ("@", ""),
            ("\"\"", ""),
            ("!a", "a@"),
            ("a!", "\"\"@a"),
            ("%a", "\"\"@a"),
            ("a%", "a@"),
            ("a|b", "a|b@mx.lab.example"),
            ("[1.2.3.4]", "\"[1.2.3.4]\"@mx.lab.example"),
            ("a:b", "\"a:b\"@mx.lab.example"),
            ("@r:", "@r:\"\""),
        ] {
            let mut tokens = scan(before, 100);
            rewriting(|_| {}).rewrite_tokens(&mut tokens, Context::Local);
            assert_eq!(quote(&internal_text(&tokens)), after);
        }
    }

    #[test]
    fn each_rule_can_be_switched_off() {
        assert_eq!(local(&rewriting(|s| s.swap_bangpath = false), "a!b"), "a!b@mx.lab.example");
        assert_eq!(local(&rewriting(|s| s.allow_percent_hack = false), "a%b"), "a%b@mx.lab.example");
        assert_eq!(local(&rewriting(|s| s.append_at_myorigin = false), "a"), "a");
        let dotted = rewriting(|s| s.append_dot_mydomain = true);
        assert_eq!(local(&dotted, "a@host"), "a@host.lab.example");
        assert_eq!(local(&dotted, "a@host."), "a@host");
        assert_eq!(local(&dotted, "a@[1.2.3.4]"), "a@[1.2.3.4]");
    }

    #[test]
    fn remote_headers_get_the_remote_domain_or_none() {
        let remote = rewriting(|s| s.remote_header_rewrite_domain = "domain.invalid".into());
        assert_eq!(remote.header_context(false), Context::Remote);
        assert_eq!(remote.rewrite("user", Context::Remote), "user@domain.invalid");
        let untouched = rewriting(|_| {});
        assert_eq!(untouched.header_context(false), Context::Untouched);
        assert_eq!(untouched.rewrite("a!b", Context::Untouched), "a!b");
    }

    proptest! {
        #[test]
        fn the_quick_look_agrees_with_the_tokens(address in "[a-c.+%!@-]{1,8}(@[a-c.-]{0,6})?") {
            let rewriting = rewriting(|s| s.append_dot_mydomain = true);
            if rewriting.is_complete(&address) {
                let mut tokens = scan(&quote(&address), 100);
                rewriting.rewrite_tokens(&mut tokens, Context::Local);
                prop_assert_eq!(internal_text(&tokens), address);
            }
        }
    }
}
