//! Writes from the code what is written about it: `man/`, and the list of parameters without effect;
//! `tests/tidy.rs` fails while one of them is out of date.

use std::error::Error;
use std::fs;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = root.join("man");
    let pages = tests::man::pages(&root)?;
    fs::create_dir_all(&folder)?;
    for entry in fs::read_dir(&folder)? {
        let entry = entry?;
        if !pages.texts.contains_key(&*entry.file_name().to_string_lossy()) {
            fs::remove_file(entry.path())?;
        }
    }
    for (name, text) in &pages.texts {
        fs::write(folder.join(name), text)?;
    }
    let inert = tests::inert::names();
    fs::write(root.join(tests::inert::LIST), tests::inert::list(&inert))?;
    println!("{} pages in man/, {} parameters without effect", pages.texts.len(), inert.len());
    for fault in &pages.faults {
        eprintln!("{fault}");
    }
    Ok(())
}
