//! What surrounds cleanup's editor wherever it runs: its tables, and what it has to say.

use cleanup::{Finished, Level, Options, Settings};
use tables::Tables;

/// Opens all that editing with these options asks, while the rights for it are there and no chroot hides it.
pub fn open_tables(tables: &Tables, settings: &Settings, options: Options) {
    let rewriting = settings.rewriting.settings();
    let mappings = [
        &rewriting.virtual_alias_maps,
        &rewriting.canonical_maps,
        &rewriting.sender_canonical_maps,
        &rewriting.recipient_canonical_maps,
    ];
    let bcc = [&settings.sender_bcc_maps, &settings.recipient_bcc_maps];
    let checks = [
        &settings.header_checks,
        &settings.mime_header_checks,
        &settings.nested_header_checks,
        &settings.body_checks,
    ];
    let maps = mappings.into_iter().chain(bcc.into_iter().filter(|_| options.bcc));
    for maps in maps.chain(checks.into_iter().filter(|_| options.checks)) {
        tables.open_maps(maps);
    }
    tables.open_list(&rewriting.mydestination);
    tables.open_list(&rewriting.masquerade_exceptions);
}

/// Logs what the editor has to say, in cleanup's name.
pub fn log(finished: &Finished) {
    for line in &finished.log {
        match line.level {
            Level::Info => log::info!(target: maillog::CLEANUP, "{}", line.text),
            Level::Warning => log::warn!(target: maillog::CLEANUP, "{}", line.text),
        }
    }
}
