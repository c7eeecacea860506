//! The fuzz targets keep their promises over their own seeds, and over each seed cut short.

use tests::fuzz::TARGETS;

#[test]
fn every_target_holds_over_its_seeds() {
    for target in TARGETS {
        let seeds = (target.seeds)();
        assert!(seeds.len() > 1, "{} has no seeds", target.name);
        for seed in seeds {
            for end in (0..=seed.len()).rev().step_by(1 + seed.len() / 8) {
                (target.run)(&seed[..end]);
            }
        }
    }
}

#[test]
fn every_target_has_its_program() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/fuzz_targets");
    let programs = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut programs: Vec<_> =
        programs.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    programs.sort();
    assert_eq!(programs, TARGETS.map(|target| target.name.to_owned()));
}
