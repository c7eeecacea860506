//! What several commands share.
