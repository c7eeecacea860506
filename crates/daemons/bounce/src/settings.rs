//! What main.cf says about reports.

use std::fs;
use std::time::Duration;

use notifications::{Classes, Facts, Postmaster, Templates};
use parameters::Config;
use queue::QueueName;

/// Everything that a report depends on, fixed at the start.
pub(crate) struct Settings {
    /// Whose log this service keeps.
    pub(crate) log: QueueName,
    pub(crate) myhostname: String,
    pub(crate) mydomain: String,
    pub(crate) mail_name: String,
    pub(crate) smtputf8_enable: bool,
    pub(crate) threaded: bool,
    pub(crate) size_limit_bytes: u64,
    pub(crate) delay_warning_time: Duration,
    pub(crate) maximal_queue_lifetime: Duration,
    pub(crate) postmaster: Postmaster,
    pub(crate) templates: Templates,
}

impl Settings {
    /// For the service of this name in master.cf. Reads the template file, which a chroot would hide later.
    pub(crate) fn new(config: &Config, service: &str) -> Self {
        let log = match service {
            name if name == config.get(&parameters::DEFER_SERVICE_NAME) => QueueName::Defer,
            name if name == config.get(&parameters::TRACE_SERVICE_NAME) => QueueName::Trace,
            _ => QueueName::Bounce,
        };
        let myhostname = config.get(&parameters::MYHOSTNAME);
        Self {
            log,
            mydomain: config.get(&parameters::MYDOMAIN),
            mail_name: config.get(&parameters::MAIL_NAME),
            smtputf8_enable: config.get(&parameters::SMTPUTF8_ENABLE),
            threaded: config.get(&parameters::ENABLE_THREADED_BOUNCES),
            size_limit_bytes: u64::try_from(config.get(&parameters::BOUNCE_SIZE_LIMIT)).unwrap_or(0),
            delay_warning_time: config.get(&parameters::DELAY_WARNING_TIME),
            maximal_queue_lifetime: config.get(&parameters::MAXIMAL_QUEUE_LIFETIME),
            postmaster: postmaster(config, &myhostname),
            templates: templates(&config.get(&parameters::BOUNCE_TEMPLATE_FILE)),
            myhostname,
        }
    }

    /// What the text of a template may speak of.
    pub(crate) fn facts<'a>(&'a self, parameter: &'a dyn Fn(&str) -> Option<String>) -> Facts<'a> {
        Facts {
            myhostname: &self.myhostname,
            mydomain: &self.mydomain,
            delay_warning_time: self.delay_warning_time,
            maximal_queue_lifetime: self.maximal_queue_lifetime,
            smtputf8_enable: self.smtputf8_enable,
            parameter,
        }
    }
}

fn postmaster(config: &Config, myhostname: &str) -> Postmaster {
    let classes = Classes::read(&config.get(&parameters::NOTIFY_CLASSES)).unwrap_or_else(|word| {
        log::warn!("notify_classes: unknown class \"{word}\": nothing is sent to the postmaster");
        Classes::default()
    });
    Postmaster {
        double_bounce_sender: format!("{}@{myhostname}", config.get(&parameters::DOUBLE_BOUNCE_SENDER)),
        bounce_recipient: config.get(&parameters::BOUNCE_NOTICE_RECIPIENT),
        double_bounce_recipient: config.get(&parameters::DOUBLE_BOUNCE_NOTICE_RECIPIENT),
        delay_recipient: config.get(&parameters::DELAY_NOTICE_RECIPIENT),
        classes,
    }
}

/// The templates of this file. A report in our words is better than none: what is wrong with the file is logged.
fn templates(path: &str) -> Templates {
    if path.is_empty() {
        return Templates::built_in();
    }
    let read = match fs::read(path) {
        // Any bytes do, as Charset: says; one character each keeps them apart.
        Ok(bytes) => {
            Templates::read(path, &parameters::text::from_bytes(&bytes)).map_err(|error| error.to_string())
        }
        Err(error) => Err(format!("open {path}: {error}")),
    };
    match read {
        Ok((templates, warnings)) => {
            warnings.iter().for_each(|warning| log::warn!("{warning}"));
            templates
        }
        Err(error) => {
            log::warn!("bounce_template_file: {error}: the built-in templates are used");
            Templates::built_in()
        }
    }
}
