//! Settings that nothing uses: mostly misspelt names.

use super::space::Space;

/// Warnings for main.cf.
pub(super) fn in_main(space: &Space) -> Vec<String> {
    let unknown = space.main.iter().filter(|(name, _)| !space.parameters.contains_key(*name));
    unknown
        .map(|(name, value)| format!("{}: unused parameter: {name}={value}", space.path("main.cf")))
        .collect()
}

/// Warnings for the overrides in master.cf.
pub(super) fn in_master(space: &Space) -> Vec<String> {
    let path = space.path("master.cf");
    let mut warnings = Vec::new();
    for service in &space.services {
        let settings = space.overrides(service).into_iter().flatten();
        for (name, value) in settings {
            if !space.parameters.contains_key(name) && !service.used.contains(name) {
                warnings.push(format!("{path}: unused parameter: {name}={value}"));
            }
        }
    }
    warnings
}
