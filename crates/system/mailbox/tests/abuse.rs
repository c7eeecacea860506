//! Mailbox trees that somebody prepared: nothing outside the base is written, nothing hangs, nothing bounces.
//!
//! A program of its own: a process that is just being started holds the locks of the tests beside it.
#![allow(clippy::unwrap_used)]

#[allow(dead_code)] // what other programs use
#[path = "deliver/world.rs"]
mod world;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::Command;

use mailbox::disk::RealDisk;

use world::{World, deliver};

/// A path no delivery may reach.
fn outside(world: &World, path: &str) -> PathBuf {
    world.at("").parent().unwrap().join("outside").join(path)
}

/// The delivery is refused with these words and a status that lets mail wait.
fn refused(world: &World, path: &str, words: &str) {
    let error = world.deliver(path).unwrap_err();
    assert!(error.to_string().contains(words), "{path}: {error}");
    assert_eq!(error.status().0, 4, "{path}: {error}");
    assert_eq!(
        fs::read_dir(outside(world, ""))
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().path().is_file())
            .count(),
        0
    );
}

#[test]
fn links_are_not_followed() {
    let world = World::new();
    for directory in ["md/new", "md/tmp", "md/cur"] {
        fs::create_dir_all(outside(&world, directory)).unwrap();
    }
    fs::write(outside(&world, "md/file"), "orig\n").unwrap();
    symlink(outside(&world, "md/file"), world.at("box")).unwrap();
    refused(&world, "box", "file is a symbolic link");
    symlink(outside(&world, "md"), world.at("dir")).unwrap();
    refused(&world, "dir/", "leads through a symbolic link");
    refused(&world, "dir/file", "leads through a symbolic link");
    symlink(outside(&world, "nowhere"), world.at("dangling")).unwrap();
    refused(&world, "dangling", "file is a symbolic link");
    refused(&world, "dangling/", "leads through a symbolic link");
    for directory in ["u/cur", "u/tmp"] {
        fs::create_dir_all(world.at(directory)).unwrap();
    }
    symlink(outside(&world, "md/new"), world.at("u/new")).unwrap();
    refused(&world, "u/", "leads through a symbolic link");
    assert_eq!(fs::read_to_string(outside(&world, "md/file")).unwrap(), "orig\n");
    assert_eq!(fs::read_dir(outside(&world, "md/new")).unwrap().count(), 0);
}

#[test]
fn a_maildir_that_becomes_a_link_while_it_is_open_is_noticed() {
    let world = World::new();
    let mut mailboxes = world.mailboxes(RealDisk);
    deliver(&mut mailboxes, "u/", 0).unwrap();
    for directory in ["new", "tmp", "cur"] {
        fs::create_dir(outside(&world, directory)).unwrap();
    }
    fs::rename(world.at("u"), world.at("old")).unwrap();
    symlink(outside(&world, ""), world.at("u")).unwrap();
    assert!(deliver(&mut mailboxes, "u/", 0).is_err());
    assert_eq!(fs::read_dir(outside(&world, "new")).unwrap().count(), 0);
}

#[test]
fn a_file_with_a_second_name_is_refused() {
    let world = World::new();
    fs::write(world.at("victim"), "orig\n").unwrap();
    fs::hard_link(world.at("victim"), world.at("box")).unwrap();
    refused(&world, "box", "file has 2 hard links");
    assert_eq!(fs::read_to_string(world.at("victim")).unwrap(), "orig\n");
}

#[test]
fn what_is_no_file_is_refused_and_nobody_waits_for_it() {
    let world = World::new();
    assert!(Command::new("mkfifo").arg(world.at("fifo")).status().unwrap().success());
    refused(&world, "fifo", "file is not a regular file");
    fs::create_dir(world.at("dir")).unwrap();
    refused(&world, "dir", "cannot open file: Is a directory");
    let _socket = std::os::unix::net::UnixListener::bind(world.at("socket")).unwrap();
    refused(&world, "socket", "cannot open file");
    fs::write(world.at("file"), "").unwrap();
    refused(&world, "file/", "Not a directory");
    refused(&world, "file/md/", "Not a directory");
    if sys::ids::is_root() {
        assert!(
            Command::new("mknod").arg(world.at("null")).args(["c", "1", "3"]).status().unwrap().success()
        );
        refused(&world, "null", "file is not a regular file");
    } else {
        testkit::left_out("only root can make a device");
    }
}

#[test]
fn what_somebody_else_owns_is_refused() {
    if !sys::ids::is_root() {
        return testkit::left_out("only root can give files away");
    }
    let world = World::new();
    let give_away = |path: &str| std::os::unix::fs::chown(world.at(path), Some(6000), Some(6000)).unwrap();
    fs::write(world.at("box"), "orig\n").unwrap();
    fs::set_permissions(world.at("box"), fs::Permissions::from_mode(0o666)).unwrap();
    give_away("box");
    refused(&world, "box", "is not owned by recipient");
    assert_eq!(fs::read_to_string(world.at("box")).unwrap(), "orig\n");
    for directory in ["u/cur", "u/tmp", "u/new"] {
        fs::create_dir_all(world.at(directory)).unwrap();
        fs::set_permissions(world.at(directory), fs::Permissions::from_mode(0o777)).unwrap();
    }
    give_away("u/new");
    refused(&world, "u/", "is not owned by recipient");
}
