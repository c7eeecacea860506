//! The command line of `sa-learn`.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::archive::Format;
use crate::long_options::{Known, LongOptions, Takes};

/// Bytes of a message, when `--max-size` does not say.
const SIZE_LIMIT_BYTES: u64 = 500 * 1024;

/// What messages are told to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lesson {
    Spam,
    Ham,
    Forget,
}

/// Messages, and what they are told to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) lesson: Lesson,
    pub(crate) format: Format,
    pub(crate) place: PathBuf,
}

/// What is done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Task {
    #[default]
    Learn,
    Sync {
        force: bool,
    },
    Dump {
        magic: bool,
        data: bool,
    },
    Backup,
    Restore(PathBuf),
    Clear,
    Help,
    Version,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Options {
    pub(crate) task: Task,
    pub(crate) lesson: Option<Lesson>,
    pub(crate) targets: Vec<Target>,
    pub(crate) folders: Option<PathBuf>,
    pub(crate) format: Format,
    /// `None` for no limit.
    pub(crate) size_limit_bytes: Option<u64>,
    pub(crate) quiet: bool,
    pub(crate) dots: bool,
    pub(crate) progress: bool,
    pub(crate) debug: bool,
    pub(crate) pattern: Option<String>,
    pub(crate) database: Option<PathBuf>,
    pub(crate) stop_after: Option<u64>,
    pub(crate) preferences: Option<PathBuf>,
    pub(crate) rules: Option<PathBuf>,
    pub(crate) site: Option<PathBuf>,
    pub(crate) lines: Vec<String>,
    pub(crate) user: Option<String>,
    pub(crate) warnings: Vec<&'static str>,
}

use Takes::{Nothing, Perhaps, Value};

const KNOWN: [Known; 36] = [
    Known(&["forget"], Nothing),
    Known(&["ham", "nonspam"], Nothing),
    Known(&["spam"], Nothing),
    Known(&["sync"], Nothing),
    Known(&["rebuild"], Nothing),
    Known(&["quiet", "q"], Nothing),
    Known(&["username", "u"], Value),
    Known(&["configpath", "config-file", "config-dir", "c", "C"], Value),
    Known(&["prefspath", "prefs-file", "p"], Value),
    Known(&["siteconfigpath"], Value),
    Known(&["cf"], Value),
    Known(&["folders", "f"], Value),
    Known(&["force-expire", "expire"], Nothing),
    Known(&["local", "L"], Nothing),
    Known(&["no-sync", "nosync"], Nothing),
    Known(&["no-rebuild", "norebuild"], Nothing),
    Known(&["showdots"], Nothing),
    Known(&["progress"], Nothing),
    Known(&["use-ignores"], Nothing),
    Known(&["learnprob"], Value),
    Known(&["randseed"], Value),
    Known(&["stopafter"], Value),
    Known(&["max-size"], Value),
    Known(&["debug", "debug-level", "D"], Perhaps),
    Known(&["help", "h", "?"], Nothing),
    Known(&["version", "V"], Nothing),
    Known(&["dump"], Perhaps),
    Known(&["import"], Nothing),
    Known(&["backup"], Nothing),
    Known(&["clear"], Nothing),
    Known(&["restore"], Value),
    Known(&["dir", "file", "single"], Nothing),
    Known(&["mbox"], Nothing),
    Known(&["mbx"], Nothing),
    Known(&["dbpath", "db"], Value),
    Known(&["regexp", "re"], Value),
];

/// Why there is nothing to do.
const NOTHING: &str = "Please select either --spam, --ham, --folders, --forget, --sync, --import,\n--dump, --clear, --backup or --restore";
const NO_LESSON: &str = "Please select either --spam or --ham or --forget before the first target";

impl Options {
    /// Reads the arguments behind the program's name.
    pub(crate) fn parse(arguments: Vec<OsString>) -> Result<Self, String> {
        let mut options = Self { size_limit_bytes: Some(SIZE_LIMIT_BYTES), ..Self::default() };
        let mut asked = false;
        let mut words = LongOptions::new(&KNOWN, arguments);
        while let Some((name, value)) = words.next_option().map_err(|_| "Unknown option!".to_owned())? {
            let text = value.unwrap_or_default().to_string_lossy().into_owned();
            asked |= matches!(name, "forget" | "ham" | "spam" | "folders");
            options.set(name, text)?;
        }
        if !asked && options.task == Task::Learn {
            return Err(NOTHING.to_owned());
        }
        let operands = words.operands();
        for place in operands {
            options.add(place.into())?;
        }
        if options.task == Task::Learn && options.targets.is_empty() && options.folders.is_none() {
            options.add(PathBuf::from("-"))?;
        }
        Ok(options)
    }

    fn set(&mut self, name: &str, text: String) -> Result<(), String> {
        let number = || text.parse::<u64>().map_err(|_| "Unknown option!".to_owned());
        match name {
            "forget" => self.lesson = Some(Lesson::Forget),
            // What was said to be forgotten stays so, whatever else it is.
            "ham" if self.lesson != Some(Lesson::Forget) => self.lesson = Some(Lesson::Ham),
            "spam" if self.lesson != Some(Lesson::Forget) => self.lesson = Some(Lesson::Spam),
            "sync" if self.task != (Task::Sync { force: true }) => self.task = Task::Sync { force: false },
            "rebuild" => {
                self.task = Task::Sync { force: false };
                self.warnings.push("The --rebuild option has been deprecated.  Please use --sync instead.");
            }
            "force-expire" => self.task = Task::Sync { force: true },
            "quiet" => self.quiet = true,
            "configpath" => self.rules = Some(text.into()),
            "prefspath" => self.preferences = Some(text.into()),
            "siteconfigpath" => self.site = Some(text.into()),
            "cf" => self.lines.push(text),
            "username" => self.user = Some(text),
            "folders" => self.folders = Some(text.into()),
            "showdots" => self.dots = true,
            "progress" => self.progress = true,
            "stopafter" => self.stop_after = Some(number()?),
            "max-size" => self.size_limit_bytes = Some(number()?).filter(|size| *size > 0),
            "debug" => self.debug = true,
            "help" => self.task = Task::Help,
            "version" => self.task = Task::Version,
            "dump" => self.task = dump(&text)?,
            "import" => {
                return Err("there is nothing to import: use --backup there and --restore here".to_owned());
            }
            "backup" => self.task = Task::Backup,
            "clear" => self.task = Task::Clear,
            "restore" => self.task = Task::Restore(text.into()),
            "mbox" => self.format = Format::Mbox,
            "mbx" => return Err("mbx folders are not in this version".to_owned()),
            "dbpath" => self.database = Some(text.into()),
            "regexp" => self.pattern = Some(text),
            _ => {}
        }
        Ok(())
    }

    /// A place as the command line or a list of folders names it: `spam:mbox:/x`, or a path.
    pub(crate) fn add(&mut self, place: PathBuf) -> Result<(), String> {
        let text = place.to_string_lossy().into_owned();
        let mut parts = text.splitn(3, ':');
        let (class, kind, rest) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
        let told = match class {
            "spam" => Some(Lesson::Spam),
            "ham" => Some(Lesson::Ham),
            _ => None,
        };
        if let (Some(lesson), Some(format), Some(rest)) = (told, kind.and_then(Format::of), rest) {
            let lesson = self.lesson.filter(|own| *own == Lesson::Forget).unwrap_or(lesson);
            self.targets.push(Target { lesson, format, place: rest.into() });
            return Ok(());
        }
        let lesson = self.lesson.ok_or_else(|| NO_LESSON.to_owned())?;
        self.targets.push(Target { lesson, format: self.format, place });
        Ok(())
    }
}

fn dump(what: &str) -> Result<Task, String> {
    match what {
        "" | "all" => Ok(Task::Dump { magic: true, data: true }),
        "magic" => Ok(Task::Dump { magic: true, data: false }),
        "data" => Ok(Task::Dump { magic: false, data: true }),
        other => Err(format!("Unknown dump option '{other}'")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, String> {
        Options::parse(line.split_whitespace().map(OsString::from).collect())
    }

    #[test]
    fn folders_may_say_what_they_hold() {
        let options = parse("--ham one spam:mbox:/two ham::/three").unwrap();
        let shown: Vec<(Lesson, Format)> =
            options.targets.iter().map(|target| (target.lesson, target.format)).collect();
        let expected =
            [(Lesson::Ham, Format::Detect), (Lesson::Spam, Format::Mbox), (Lesson::Ham, Format::Detect)];
        assert_eq!(shown, expected);
        assert_eq!(parse("--spam").unwrap().targets[0].place, PathBuf::from("-"));
        assert_eq!(parse("--forget --spam x").unwrap().targets[0].lesson, Lesson::Forget);
    }

    #[test]
    fn tasks_and_misuse() {
        assert_eq!(parse("--dump magic").unwrap().task, Task::Dump { magic: true, data: false });
        assert_eq!(parse("--dump").unwrap().task, Task::Dump { magic: true, data: true });
        assert_eq!(parse("--sync --force-expire").unwrap().task, Task::Sync { force: true });
        assert_eq!(parse("--force-expire --sync").unwrap().task, Task::Sync { force: true });
        assert_eq!(parse("").unwrap_err(), NOTHING);
        assert_eq!(parse("--folders x y").unwrap_err(), NO_LESSON);
        assert!(parse("--dump nope").is_err() && parse("-Z").is_err() && parse("--mbx --spam").is_err());
    }
}
