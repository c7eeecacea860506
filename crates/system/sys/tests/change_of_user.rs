//! A process that changes its ids: all threads change with it, so this test is alone in its program.

use std::io::ErrorKind;

use sys::acting_as::ActingAs;
use sys::ids::{Identity, become_for_good, effective_gid, effective_uid, is_root};

#[test]
fn root_is_somebody_else_and_then_root_again_and_others_stay_what_they_are() {
    if is_root() {
        let acting = ActingAs::new(65_534, 65_533).unwrap();
        assert_eq!((effective_uid(), effective_gid()), (65_534, 65_533));
        drop(acting);
        return assert_eq!(effective_uid(), 0);
    }
    assert!(ActingAs::new(effective_uid() + 1, effective_gid()).is_err());
    assert!(become_for_good(&Identity::new(effective_uid(), effective_gid())).is_ok());
    let stranger = become_for_good(&Identity::new(effective_uid() + 1, effective_gid()));
    assert_eq!(stranger.map_err(|error| error.kind()), Err(ErrorKind::PermissionDenied));
}
