//! GETQUOTA, GETQUOTAROOT (RFC 9208).

use imap_protocol::types::{Code, MailboxName, Reply};
use imap_protocol::write::{Out, QuotaResource};
use sys::clock;

use crate::refusal::{Refused, refused};
use crate::state::{Outcome, State};

/// All mailboxes of a user share one quota, which has Dovecot's name.
const ROOT: &str = "User quota";

impl State {
    pub(crate) fn get_quota(&mut self, root: &[u8], out: &mut Out) -> Outcome {
        if root != ROOT.as_bytes() || !self.write_quota(out)? {
            return Err(refused(Reply::no("Quota root doesn't exist.").with(Code::NonExistent)));
        }
        Ok(Reply::ok("Getquota completed."))
    }

    pub(crate) fn get_quota_root(&mut self, mailbox: &MailboxName, out: &mut Out) -> Outcome {
        self.folder_name(mailbox)?;
        let limited = self.has_quota()?;
        out.quota_root(mailbox, limited.then_some(ROOT));
        self.write_quota(out)?;
        Ok(Reply::ok("Getquotaroot completed."))
    }

    fn has_quota(&self) -> Result<bool, Refused> {
        let quota = self.store.quota(clock::now_us())?;
        Ok(quota.limit_bytes > 0 || quota.limit_messages > 0)
    }

    /// False where there is no limit, and so nothing to tell.
    fn write_quota(&self, out: &mut Out) -> Result<bool, Refused> {
        const KIB: u64 = 1024;
        let quota = self.store.quota(clock::now_us())?;
        let mut resources = Vec::new();
        if quota.limit_bytes > 0 {
            let (used, limit) = (quota.used_bytes.div_ceil(KIB), quota.limit_bytes / KIB);
            resources.push(QuotaResource { name: "STORAGE", used, limit });
        }
        if quota.limit_messages > 0 {
            let (used, limit) = (quota.used_messages, quota.limit_messages);
            resources.push(QuotaResource { name: "MESSAGE", used, limit });
        }
        if !resources.is_empty() {
            out.quota(ROOT, &resources);
        }
        Ok(!resources.is_empty())
    }
}
