//! Warnings that one destination fills the active queue (`qmgr_clog_warn_time`).

use scheduling::DESTINATION_SEPARATOR;
use scheduling::scheduler::crowd::Crowd;

use crate::service::Manager;

/// A destination with more than this part of `qmgr_message_active_limit` is spoken of.
const SHARE_OF_ACTIVE: usize = 5;
/// From this part of all active messages on, in percent, there is hardly other mail to be slowed down.
const NEARLY_ALL_PERCENT: usize = 90;

impl Manager {
    /// A message more waits for this destination.
    pub(crate) fn warn_of_clog(&mut self, transport: &str, destination: &str) {
        let pause = self.settings.clog_warn_us;
        let threshold = self.settings.active_limit / SHARE_OF_ACTIVE;
        if pause == 0 || self.messages.len() <= threshold {
            return;
        }
        let crowd = self.scheduler.crowd(self.now_us, transport, destination, threshold, pause);
        if let Some(crowd) = crowd {
            let nexthop = destination.split(DESTINATION_SEPARATOR).next().unwrap_or_default();
            let lines =
                clog_lines(transport, nexthop, &crowd, self.messages.len(), self.settings.active_limit);
            lines.iter().for_each(|line| log::warn!("{line}"));
        }
    }
}

/// In Postfix's words: people look for them. `active` messages are there now, and so many more may be as the limit says.
fn clog_lines(
    transport: &str,
    nexthop: &str,
    crowd: &Crowd,
    active: usize,
    active_limit: usize,
) -> Vec<String> {
    // As the messages are shared out now, the limit leaves the destination fewer than it could take at a time.
    let starved = crowd.window as usize * active > active_limit * crowd.messages;
    let mut lines =
        vec![format!("mail for {nexthop} is using up {} of {active} active queue entries", crowd.messages)];
    if crowd.messages * 100 < active * NEARLY_ALL_PERCENT {
        lines.push("this may slow down other mail deliveries".to_owned());
    }
    match crowd.at_limit {
        Some(limit) => lines.push(format!(
            "you may need to increase the main.cf {transport}_destination_concurrency_limit from {limit}"
        )),
        None if starved => lines.push(format!(
            "you may need to increase the main.cf qmgr_message_active_limit from {active_limit}"
        )),
        None if !crowd.alone => {
            lines.push(format!("you may need a separate master.cf transport for {nexthop}"));
        }
        None => lines.extend([
            format!("you may need to reduce {transport} connect and helo timeouts"),
            "so that Postfix quickly skips unavailable hosts".to_owned(),
            "you may need to increase the main.cf minimal_backoff_time and maximal_backoff_time".to_owned(),
            "so that Postfix wastes less time on undeliverable mail".to_owned(),
            format!("you may need to increase the master.cf {transport} process limit"),
        ]),
    }
    lines.extend([
        "please avoid flushing the whole queue when you have".to_owned(),
        "lots of deferred mail, that is bad for performance".to_owned(),
        "to turn off these warnings specify: qmgr_clog_warn_time = 0".to_owned(),
    ]);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice(messages: usize, active: usize, window: u32, at_limit: Option<u32>, alone: bool) -> String {
        let crowd = Crowd { messages, at_limit, window, alone };
        let lines = clog_lines("smtp", "a.example", &crowd, active, 10);
        lines.into_iter().find(|line| line.starts_with("you may need")).unwrap()
    }

    #[test]
    fn the_advice_is_that_of_postfix() {
        assert!(advice(3, 3, 1, Some(1), true).ends_with("smtp_destination_concurrency_limit from 1"));
        assert!(advice(3, 3, 10, None, true).contains("connect and helo timeouts"));
        assert!(advice(3, 3, 11, None, true).ends_with("qmgr_message_active_limit from 10"));
        assert!(advice(3, 6, 9, None, false).ends_with("qmgr_message_active_limit from 10"));
        assert!(advice(3, 6, 2, None, false).ends_with("separate master.cf transport for a.example"));
    }
}
