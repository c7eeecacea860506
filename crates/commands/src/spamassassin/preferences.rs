//! The file of preferences of the user who runs the program.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::debug::Debug;

/// Where the file lies that new users get.
const TEMPLATES: [&str; 2] =
    ["/etc/spamassassin/user_prefs.template", "/usr/share/spamassassin/user_prefs.template"];

/// `~/.spamassassin/user_prefs`, if it is there, or can be made as the site wants it.
pub(crate) fn own_file(create: bool, debug: &Debug) -> Option<PathBuf> {
    let home = std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
    let path = home?.join(".spamassassin/user_prefs");
    if path.is_file() {
        return Some(path);
    }
    let template = TEMPLATES.iter().map(Path::new).find(|path| path.is_file()).filter(|_| create)?;
    match make(template, &path) {
        Ok(()) => debug.say("config", &format!("created user preferences file: {}", path.display())),
        Err(error) => debug.say("config", &format!("{}: {error}", path.display())),
    }
    path.is_file().then_some(path)
}

/// Lines that begin with `#*` are for administrators.
fn make(template: &Path, path: &Path) -> std::io::Result<()> {
    let text = fs::read_to_string(template)?;
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let lines = text.lines().filter(|line| !line.starts_with("#*"));
    fs::write(path, lines.map(|line| format!("{line}\n")).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_user_gets_the_template() {
        let folder = tempfile::tempdir().unwrap();
        let template = folder.path().join("template");
        fs::write(&template, "#* for the administrator\n# for you\nrequired_score 5\n").unwrap();
        let path = folder.path().join("home/.spamassassin/user_prefs");
        make(&template, &path).unwrap();
        assert_eq!(fs::read_to_string(path).unwrap(), "# for you\nrequired_score 5\n");
    }
}
