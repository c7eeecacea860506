//! What the commands do; the files in `bin/` only say their names and hand over their arguments.

pub mod demo;
pub mod explain;
pub mod getopt;
pub mod pillarbox;
pub mod postconf;
pub mod postfix;
pub mod table_command;
pub mod site;
pub mod postcat;
pub mod postsuper;
pub mod postqueue;
pub mod postdrop;
pub mod sendmail;
pub mod postkick;
pub mod postlog;
pub mod spamc;
pub mod archive;
pub mod long_options;
pub mod sa_awl;
pub mod sa_learn;
pub mod spamassassin;
