//! How the allocator of the C library gives memory back.

/// Larger blocks are mapped from the system for themselves and go back as soon as they are freed, in bytes. LMDB takes one of
/// 1 MiB and one of 2 MiB for each environment that it opens, and touches little of them.
#[cfg(target_env = "gnu")]
const MAPPED_BYTES: i32 = 1024 * 1024;
/// So much may stay free at the end of a thread's arena, in bytes: more than a piece of a large answer takes, for what has
/// gone back has to be filled with zeros when it is wanted again.
#[cfg(target_env = "gnu")]
const KEPT_BYTES: i32 = 4 * 1024 * 1024;

/// Holds the allocator to these limits. By itself it raises both when the first large block is freed, and then keeps some
/// megabytes for each thread for good. Does nothing where the C library is not glibc.
pub fn give_back() {
    #[cfg(target_env = "gnu")]
    for (parameter, value) in [(libc::M_MMAP_THRESHOLD, MAPPED_BYTES), (libc::M_TRIM_THRESHOLD, KEPT_BYTES)] {
        // SAFETY: mallopt(3) takes two numbers; it refuses what it does not know.
        unsafe { libc::mallopt(parameter, value) };
    }
}
