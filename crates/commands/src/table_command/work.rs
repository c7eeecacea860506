//! What postmap and postalias do with the tables.

use super::message_keys::for_each_key;
use super::options::{Keys, Options, Task, Utf8};
use super::{Fatal, Program};
use parameters::Config;
use std::io::{self, BufRead, Write};
use tables::{Compile, Format, OpenTable, TableName, alias_format, split_list};
use worker::configuration::{Asker, directory, load};

/// Does what the command line says. False if no key was there.
pub(super) fn run(program: Program, options: &Options) -> Result<bool, Fatal> {
    let directory = directory(options.directory.as_deref());
    let config = load(&directory, &Asker { program: program.name(), ..Asker::default() })?;
    let compile = compile(program, options, &config);
    let default_type: String = config.get(&parameters::DEFAULT_DATABASE_TYPE);
    let operands =
        || options.tables.iter().map(|operand| Operand { text: operand, default_type: &default_type });
    match &options.task {
        Task::Create => operands().try_for_each(|operand| compile.create(&operand.to_make()))?,
        Task::Add => {
            operands().try_for_each(|operand| compile.add(&operand.to_make(), io::stdin().lock()))?
        }
        Task::List => {
            if let Some(first) = operands().next() {
                list(program, &first.to_ask()?, &compile)?;
            }
        }
        Task::Query(keys) => {
            let names = operands().map(|operand| operand.to_ask()).collect();
            return Query { program, names, opened: Vec::new(), compile: &compile }.run(keys);
        }
        Task::Delete(keys) => {
            let keys = match keys {
                Keys::One(key) => vec![key.clone()],
                Keys::Lines | Keys::Message(_) => lines().collect::<Result<_, _>>()?,
            };
            let mut count = 0;
            for operand in operands() {
                count += tables::delete(&operand.to_ask()?, &keys, &compile.options)?;
            }
            return Ok(count > 0);
        }
    }
    Ok(true)
}

/// Makes the tables of `alias_database` anew, or those that `database` names in its place.
///
/// # Errors
/// The first that can not be made.
pub fn rebuild_aliases(config: &Config, database: Option<&str>) -> Result<(), Fatal> {
    let format = alias_format(config.get(&parameters::MYHOSTNAME));
    let mut compile = Compile { format, ..Compile::default() };
    compile.options.utf8 = config.get(&parameters::SMTPUTF8_ENABLE);
    let databases = database.map_or_else(|| config.get(&parameters::ALIAS_DATABASE), str::to_owned);
    let default_type: String = config.get(&parameters::DEFAULT_DATABASE_TYPE);
    for text in split_list(&databases) {
        compile.create(&Operand { text, default_type: &default_type }.to_make())?;
    }
    Ok(())
}

fn compile(program: Program, options: &Options, config: &Config) -> Compile {
    let mut compile = Compile {
        format: match program {
            Program::Postalias => alias_format(config.get(&parameters::MYHOSTNAME)),
            Program::Postmap => Format::Map,
        },
        duplicates: options.duplicates,
        nul: options.nul,
        inherit_mode: options.inherit_mode,
        as_owner: options.as_owner,
        ..Compile::default()
    };
    let of_message = matches!(options.task, Task::Query(Keys::Message(_)));
    let enabled: bool = config.get(&parameters::SMTPUTF8_ENABLE);
    compile.options.utf8 = match options.utf8 {
        Utf8::AsConfigured => enabled && !of_message,
        Utf8::Forced => enabled,
        Utf8::Never => false,
    };
    compile.options.fold = options.fold;
    compile.options.values_are_files = options.values_are_files;
    compile
}

/// A table as the command line names it.
struct Operand<'a> {
    text: &'a str,
    default_type: &'a str,
}

impl Operand<'_> {
    /// The table whose source is to be read; what is odd about the name shows when that is opened.
    fn to_make(&self) -> TableName {
        let (kind, name) = self.text.split_once(':').unwrap_or((self.default_type, self.text));
        TableName { kind: kind.to_owned(), name: name.to_owned() }
    }

    fn to_ask(&self) -> Result<TableName, Fatal> {
        match self.text {
            text if text.contains(':') => Ok(TableName::parse(text)?),
            "" => Ok(TableName::parse(&format!("{}:", self.default_type))?),
            _ => Ok(self.to_make()),
        }
    }
}

/// Keys looked up in some tables, in their order. A table is opened when the ones before it do not have a key.
struct Query<'a> {
    program: Program,
    names: Vec<Result<TableName, Fatal>>,
    opened: Vec<OpenTable>,
    compile: &'a Compile,
}

impl Query<'_> {
    fn run(&mut self, keys: &Keys) -> Result<bool, Fatal> {
        let mut out = io::stdout().lock();
        let mut found = false;
        let mut each = |key: &[u8]| {
            let Some(value) = self.find(key)? else { return Ok(()) };
            found = true;
            match keys {
                Keys::One(_) => print(&mut out, &[&value]),
                Keys::Lines | Keys::Message(_) => print(&mut out, &[key, separator(self.program), &value]),
            }
        };
        match keys {
            Keys::One(key) => each(key)?,
            Keys::Lines => lines().try_for_each(|line| each(&line?))?,
            Keys::Message(wanted) => for_each_key(io::stdin().lock(), *wanted, &mut each)?,
        }
        Ok(found)
    }

    fn find(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, Fatal> {
        for index in 0..self.names.len() + self.opened.len() {
            if index == self.opened.len() {
                let name = self.names.remove(0)?;
                self.opened.push(OpenTable::open(&name, &self.compile.options)?);
            }
            let table = &self.opened[index];
            if let Some(value) = table.get(key)? {
                warn_if_empty(table.name(), key, &value);
                return Ok(Some(value));
            }
        }
        Ok(None)
    }
}

fn warn_if_empty(name: &TableName, key: &[u8], value: &[u8]) {
    if value.is_empty() {
        let key = String::from_utf8_lossy(key);
        log::warn!("table {name}: key {key}: empty string result is not allowed");
        log::warn!("table {name} should return NO RESULT in case of NOT FOUND");
    }
}

fn list(program: Program, name: &TableName, compile: &Compile) -> Result<(), Fatal> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut outcome = Ok(());
    let table = OpenTable::open(name, &compile.options)?;
    table.entries(&mut |key, value| {
        warn_if_empty(name, key, value);
        if outcome.is_ok() {
            outcome = print(&mut out, &[key, separator(program), value]);
        }
    })?;
    outcome?;
    out.flush().map_err(write_error)
}

fn separator(program: Program) -> &'static [u8] {
    match program {
        Program::Postmap => b"\t",
        Program::Postalias => b":\t",
    }
}

fn print(out: &mut impl Write, pieces: &[&[u8]]) -> Result<(), Fatal> {
    pieces.iter().chain([&&b"\n"[..]]).try_for_each(|piece| out.write_all(piece)).map_err(write_error)
}

fn write_error(source: io::Error) -> Fatal {
    Fatal::Stream { verb: "write", stream: "standard output", source }
}

impl From<io::Error> for Fatal {
    fn from(source: io::Error) -> Self {
        Self::Stream { verb: "read", stream: "standard input", source }
    }
}

/// The lines of standard input.
fn lines() -> impl Iterator<Item = Result<Vec<u8>, Fatal>> {
    io::stdin().lock().split(b'\n').map(|line| line.map_err(Fatal::from))
}
