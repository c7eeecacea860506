//! Looking through an LMDB file before the library does: it follows what stands there without looking.
//!
//! Both trees are walked from the newest of the two head pages, the one of the data and that of the free pages. Every page
//! is the one it says it is, every entry lies within its page, no page is used twice. The numbers are those of lmdb.h
//! and mdb.c for 64 bits.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

const MAGIC: u32 = 0xBEEF_C0DE;
const VERSION: u32 = 1;
const HEADER_BYTES: usize = 16;
const NODE_BYTES: usize = 8;
const BRANCH: u16 = 1;
const LEAF: u16 = 2;
const OVERFLOW: u16 = 4;
const META: u16 = 8;
/// A leaf's entry whose value has pages of its own.
const BIG: u16 = 1;
/// Flags of the tree of free pages; the first is that of the environment which made the file.
const NO_SUBDIRECTORY: u16 = 0x4000;
const INTEGER_KEYS: u16 = 8;
/// The root of an empty tree.
const NO_PAGE: u64 = u64::MAX;
/// No tree is higher.
const DEPTH_LIMIT: usize = 32;
/// No file is larger, in pages.
const PAGES_LIMIT: u64 = 1 << 22;

/// The file is not what LMDB would have written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("page {page} of the index makes no sense")]
pub(super) struct Damage {
    page: u64,
}

/// A head page.
#[derive(Debug, Clone, Copy)]
struct Meta {
    page_bytes: usize,
    roots: [u64; 2],
    last_page: u64,
    transaction: u64,
}

struct Walk<'a> {
    bytes: &'a [u8],
    meta: Meta,
    used: Vec<bool>,
}

/// Looks through the whole file. An empty one is good.
pub(super) fn check(file: &File) -> Result<(), Damage> {
    let bytes = read(file).map_err(|_| Damage { page: 0 })?;
    if bytes.is_empty() { Ok(()) } else { check_bytes(&bytes) }
}

fn read(file: &File) -> io::Result<Vec<u8>> {
    let length = file.metadata()?.len();
    if length > PAGES_LIMIT * 4096 {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}

fn check_bytes(bytes: &[u8]) -> Result<(), Damage> {
    let first = meta(bytes, 0, 0).ok_or(Damage { page: 0 })?;
    let second = meta(bytes, first.page_bytes, 1).ok_or(Damage { page: 1 })?;
    let newest = if second.transaction > first.transaction { second } else { first };
    let pages =
        newest.last_page.checked_add(1).filter(|pages| *pages <= PAGES_LIMIT).ok_or(Damage { page: 0 })?;
    if second.page_bytes != first.page_bytes || (bytes.len() as u64) < pages * first.page_bytes as u64 {
        return Err(Damage { page: pages });
    }
    let mut used = vec![false; pages as usize];
    used[..2].fill(true);
    let mut walk = Walk { bytes, meta: newest, used };
    let [free, data] = newest.roots;
    walk.tree(data, 0, &mut |_, _| true)?;
    let mut freed = Vec::new();
    walk.tree(free, 0, &mut |key, value| {
        let list = free_list(value);
        let good = key.len() == 8 && list.is_some();
        freed.extend(list.unwrap_or_default());
        good
    })?;
    // A page that is free is in no tree, and is free once.
    freed.into_iter().try_for_each(|page| walk.take(page))
}

fn meta(bytes: &[u8], at: usize, number: u64) -> Option<Meta> {
    let page = bytes.get(at..)?;
    let body = page.get(HEADER_BYTES..)?;
    let page_bytes = u32_at(body, 24)? as usize;
    let good = u64_at(page, 0)? == number
        && u16_at(page, 10)? & META != 0
        && u32_at(body, 0)? == MAGIC
        && u32_at(body, 4)? == VERSION
        && matches!(page_bytes, 512 | 1024 | 2048 | 4096 | 8192 | 16384 | 32768 | 65536)
        && u16_at(body, 28)? & !NO_SUBDIRECTORY == INTEGER_KEYS;
    let roots = [u64_at(body, 24 + 40)?, u64_at(body, 72 + 40)?];
    let meta = Meta { page_bytes, roots, last_page: u64_at(body, 120)?, transaction: u64_at(body, 128)? };
    // The data is one plain tree, without duplicates or integer keys.
    (good && u16_at(body, 72 + 4)? == 0).then_some(meta)
}

impl<'a> Walk<'a> {
    /// Walks a tree; `value` looks at each entry.
    fn tree(
        &mut self,
        root: u64,
        depth: usize,
        value: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), Damage> {
        if root == NO_PAGE && depth == 0 {
            return Ok(());
        }
        let damage = Damage { page: root };
        self.take(root)?;
        let page = self.page(root).ok_or(damage)?;
        let (flags, lower, upper) = header(page).ok_or(damage)?;
        let entries = lower.checked_sub(HEADER_BYTES).ok_or(damage)? / 2;
        if depth >= DEPTH_LIMIT || lower > upper || upper > page.len() || !matches!(flags, BRANCH | LEAF) {
            return Err(damage);
        }
        let mut extents = Vec::with_capacity(entries);
        for entry in 0..entries {
            let at = usize::from(u16_at(page, HEADER_BYTES + entry * 2).ok_or(damage)?);
            let node = page.get(at..).filter(|_| at >= upper).ok_or(damage)?;
            extents.push((at, at + node_bytes(flags, node).ok_or(damage)?));
            if flags == BRANCH {
                self.tree(child(node).ok_or(damage)?, depth + 1, value)?;
            } else {
                self.leaf(node, value).ok_or(damage)??;
            }
        }
        // Entries fill the page from `upper` to its end: the library moves them by their lengths.
        extents.sort_unstable();
        let end = extents.iter().try_fold(upper, |end, (from, to)| (*from == end).then_some(*to));
        if end != Some(page.len()) {
            return Err(damage);
        }
        // A branch leads somewhere.
        if flags == BRANCH && entries == 0 { Err(damage) } else { Ok(()) }
    }

    fn leaf(
        &mut self,
        node: &[u8],
        look: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Option<Result<(), Damage>> {
        let length = usize::from(u16_at(node, 0)?) | usize::from(u16_at(node, 2)?) << 16;
        let (flags, key_bytes) = (u16_at(node, 4)?, usize::from(u16_at(node, 6)?));
        let key = node.get(NODE_BYTES..NODE_BYTES + key_bytes)?;
        let rest = node.get(NODE_BYTES + key_bytes..)?;
        match flags {
            0 => look(key, rest.get(..length)?).then_some(Ok(())),
            BIG => {
                let first = u64_at(rest, 0)?;
                let page = self.page(first)?;
                let count = u64::from(u32_at(page, 12)?);
                let room = (count as usize).checked_mul(self.meta.page_bytes)?.checked_sub(HEADER_BYTES)?;
                if u16_at(page, 10)? != OVERFLOW || room < length || u64_at(page, 0)? != first {
                    return None;
                }
                if let Err(damage) = (first..first.checked_add(count)?).try_for_each(|page| self.take(page)) {
                    return Some(Err(damage));
                }
                let start = first as usize * self.meta.page_bytes + HEADER_BYTES;
                look(key, self.bytes.get(start..start + length)?).then_some(Ok(()))
            }
            _ => None,
        }
    }

    /// Marks a page as used; an error if it is already, or is not there.
    fn take(&mut self, page: u64) -> Result<(), Damage> {
        match usize::try_from(page).ok().and_then(|at| self.used.get_mut(at)) {
            Some(used) if !*used => {
                *used = true;
                Ok(())
            }
            _ => Err(Damage { page }),
        }
    }

    /// The bytes of a page that says it is this one.
    fn page(&self, number: u64) -> Option<&'a [u8]> {
        let start = usize::try_from(number).ok()?.checked_mul(self.meta.page_bytes)?;
        let page = self.bytes.get(start..start.checked_add(self.meta.page_bytes)?)?;
        (u64_at(page, 0)? == number).then_some(page)
    }
}

fn header(page: &[u8]) -> Option<(u16, usize, usize)> {
    Some((u16_at(page, 10)?, u16_at(page, 12)?.into(), u16_at(page, 14)?.into()))
}

/// How much of its page an entry takes.
fn node_bytes(page_flags: u16, node: &[u8]) -> Option<usize> {
    let value = match (page_flags, u16_at(node, 4)?) {
        (BRANCH, _) => 0,
        (_, BIG) => size_of::<u64>(),
        _ => usize::from(u16_at(node, 0)?) | usize::from(u16_at(node, 2)?) << 16,
    };
    Some((NODE_BYTES + usize::from(u16_at(node, 6)?) + value).next_multiple_of(2))
}

fn child(node: &[u8]) -> Option<u64> {
    let key_bytes = usize::from(u16_at(node, 6)?);
    node.get(NODE_BYTES..NODE_BYTES + key_bytes)?;
    Some(u64::from(u16_at(node, 0)?) | u64::from(u16_at(node, 2)?) << 16 | u64::from(u16_at(node, 4)?) << 32)
}

/// The pages of an entry in the tree of free pages: their number, then they.
fn free_list(value: &[u8]) -> Option<Vec<u64>> {
    let count = usize::try_from(u64_at(value, 0)?).ok()?;
    if value.len() < count.checked_mul(8)?.checked_add(8)? {
        return None;
    }
    (1..=count).map(|at| u64_at(value, at * 8)).collect()
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_ne_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}
