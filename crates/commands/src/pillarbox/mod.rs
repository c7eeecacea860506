//! The `pillarbox` command.

mod password;
mod status;
mod user;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::demo::{self, Demo};
use crate::explain;

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let matches = command_line().get_matches();
    let done = match matches.subcommand() {
        Some(("demo", arguments)) => run_demo(arguments),
        Some(("status", arguments)) => status::print(path(arguments, "config").as_deref()),
        Some(("explain", arguments)) => run_explain(arguments),
        Some(("user", arguments)) => {
            user::print(path(arguments, "config").as_deref(), text(arguments, "address"))
        }
        Some(("password", arguments)) => password::print(text(arguments, "scheme")),
        _ => Err("say demo, status, explain, user or password".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("pillarbox: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn command_line() -> Command {
    let directory = Arg::new("config").short('c').value_name("DIR").help("where main.cf and master.cf are");
    Command::new("pillarbox")
        .about("Try the mail system, look into it, ask it questions")
        .arg(directory.global(true))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("demo")
                .about("Bring a whole suite up in a folder and send a message through it")
                .arg(Arg::new("dir").long("dir").value_name("D").default_value("demo").help("the folder"))
                .arg(
                    Arg::new("port").long("port").value_name("N").default_value("2525").help("the SMTP port"),
                )
                .arg(
                    Arg::new("pop3-port")
                        .long("pop3-port")
                        .value_name("N")
                        .default_value("2110")
                        .help("the POP3 port"),
                )
                .arg(
                    Arg::new("check")
                        .long("check")
                        .action(ArgAction::SetTrue)
                        .help("stop after the round trip"),
                ),
        )
        .subcommand(Command::new("status").about("Show how every service is doing"))
        .subcommand(
            Command::new("explain")
                .about("Show every step that an address takes, and what decides it")
                .arg(Arg::new("address").value_name("ADDRESS").required(true).help("the recipient"))
                .arg(Arg::new("from").long("from").value_name("SENDER").default_value("").help("the sender"))
                .arg(Arg::new("client").long("client").value_name("IP").help("from where the mail comes"))
                .arg(Arg::new("helo").long("helo").value_name("NAME").help("what the client calls itself")),
        )
        .subcommand(
            Command::new("user")
                .about("Show who logs in by a name, and where the mail lies")
                .arg(Arg::new("address").value_name("ADDRESS").required(true).help("the login")),
        )
        .subcommand(
            Command::new("password").about("Make a stored password of the line on standard input").arg(
                Arg::new("scheme")
                    .long("scheme")
                    .short('s')
                    .value_name("SCHEME")
                    .default_value("BLF-CRYPT")
                    .help("how it is stored"),
            ),
        )
}

fn text<'a>(arguments: &'a ArgMatches, name: &str) -> &'a str {
    arguments.get_one::<String>(name).map_or("", String::as_str)
}

fn path(arguments: &ArgMatches, name: &str) -> Option<PathBuf> {
    arguments.get_one::<String>(name).map(PathBuf::from)
}

fn run_demo(arguments: &ArgMatches) -> Result<(), String> {
    let port = |name: &str| {
        let number = text(arguments, name).parse().ok();
        number.ok_or_else(|| format!("--{name} needs a number from 1 to 65535"))
    };
    let demo = Demo {
        directory: path(arguments, "dir").unwrap_or_else(|| PathBuf::from("demo")),
        port: port("port")?,
        pop3_port: port("pop3-port")?,
        check: arguments.get_flag("check"),
    };
    demo::run(&demo)
}

fn run_explain(arguments: &ArgMatches) -> Result<(), String> {
    let text = |name: &str| arguments.get_one::<String>(name).map_or("", String::as_str);
    let client = arguments.get_one::<String>("client").map(|client| client.parse());
    let client = client.transpose().map_err(|_| "--client needs an IP address".to_owned())?;
    let helo = arguments.get_one::<String>("helo").map(String::as_str);
    let question = explain::Question { address: text("address"), sender: text("from"), client, helo };
    print!("{}", explain::run(path(arguments, "config").as_deref(), &question)?);
    Ok(())
}
