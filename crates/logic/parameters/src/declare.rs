//! How a parameter is declared: once, with its name, default, kind, daemons and documentation.

use std::marker::PhantomData;
use std::time::Duration;

/// What every parameter has, whatever its type.
#[derive(Debug)]
pub struct Declared {
    /// `queue_run_delay`
    pub name: &'static str,
    /// As `postconf -d` prints it: with `$name` and conditions not yet expanded.
    pub default: &'static str,
    /// How the text is read.
    pub kind: Kind,
    /// The programs that use it; "all" for all.
    pub daemons: &'static [&'static str],
    /// One paragraph; the text of the man page.
    pub doc: &'static str,
}

/// How the text of a parameter is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any text: names, lists, table names.
    Text,
    /// Text in whose `$name` the daemon itself puts the facts of one message or client: never expanded here.
    Raw,
    /// A decimal integer.
    Number,
    /// An integer with a unit s, m, h, d or w; without one, the unit of the default.
    Time,
    /// `yes` or `no`.
    Flag,
}

/// A parameter whose value is a `T` after `Config::get`.
#[derive(Debug)]
pub struct Param<T> {
    /// Name, default, kind, documentation.
    pub declared: Declared,
    value: PhantomData<fn() -> T>,
}

impl<T> Param<T> {
    /// For the `parameters!` table only.
    pub const fn new(declared: Declared) -> Self {
        Self { declared, value: PhantomData }
    }

    /// The name as it stands in main.cf.
    pub const fn name(&self) -> &'static str {
        self.declared.name
    }
}

/// The Rust type of [`Kind::Text`].
pub type Text = String;
/// The Rust type of [`Kind::Raw`].
pub type Raw = String;
/// The Rust type of [`Kind::Number`].
pub type Number = i64;
/// The Rust type of [`Kind::Time`].
pub type Time = Duration;
/// The Rust type of [`Kind::Flag`].
pub type Flag = bool;

/// Declares parameters: `NAME: Kind = "name", "default", ["daemon", ...];`, each below its documentation.
macro_rules! parameters {
    ($($(#[doc = $doc:literal])* $ident:ident: $kind:ident = $name:literal, $default:literal, [$($daemon:literal),*];)*) => {
        $(
            $(#[doc = $doc])*
            pub static $ident: crate::declare::Param<crate::declare::$kind> =
                crate::declare::Param::new(crate::declare::Declared {
                    name: $name,
                    default: $default,
                    kind: crate::declare::Kind::$kind,
                    daemons: &[$($daemon),*],
                    doc: concat!($($doc, "\n"),*),
                });
        )*
        /// Every parameter of this family, in the order of the file.
        pub(super) static TABLE: &[&crate::declare::Declared] = &[$(&$ident.declared),*];
    };
}
pub(crate) use parameters;
