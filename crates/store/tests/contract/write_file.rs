//! Delivered files: replaced whole or not at all, and nothing beside them.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::Path;

use snowtoken_core::diagnosis::{Code, Diagnose as _};
use snowtoken_store::write_file::{WriteFileError, check, rename, replace};

fn only(folder: &Path, name: &str) {
    let names: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, [name]);
}

#[test]
fn a_passing_file_is_for_its_owner_and_goes() {
    use std::os::unix::fs::PermissionsExt as _;
    let file = snowtoken_store::write_file::Passing::new(b"secret").unwrap();
    let path = file.path().to_owned();
    assert_eq!(std::fs::read(&path).unwrap(), b"secret");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    drop(file);
    assert!(!path.exists());
}

#[test]
fn a_file_is_made_and_replaced_for_its_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.txt");
    for text in ["first", "second, longer", "3"] {
        replace(&path, text.as_bytes()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
        only(folder.path(), "c.txt");
    }
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
    replace(&path, b"tight again").unwrap();
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
}

#[test]
fn the_other_names_of_a_replaced_file_keep_the_old_text() {
    let folder = tempfile::tempdir().unwrap();
    let (path, other) = (folder.path().join("c.txt"), folder.path().join("other"));
    fs::write(&path, "old").unwrap();
    fs::hard_link(&path, &other).unwrap();
    replace(&path, b"new").unwrap();
    assert_eq!(
        (fs::read_to_string(&path).unwrap(), fs::read_to_string(&other).unwrap()),
        ("new".into(), "old".into())
    );
}

#[test]
fn links_folders_pipes_and_devices_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("victim"), "old").unwrap();
    symlink(path("victim"), path("link")).unwrap();
    symlink(path("nowhere"), path("dangling")).unwrap();
    fs::create_dir(path("folder")).unwrap();
    crate::support::make_pipe(&path("pipe"));
    let before = fs::read_dir(folder.path()).unwrap().count();
    for target in [path("link"), path("dangling"), path("folder"), path("pipe"), "/dev/null".into()]
    {
        let refused = replace(&target, b"new").unwrap_err();
        assert!(matches!(refused, WriteFileError::InTheWay { .. }), "{refused}");
        assert_eq!(refused.code(), Code::OutputUnwritable);
    }
    assert_eq!(fs::read_to_string(path("victim")).unwrap(), "old");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), before);
}

#[test]
fn a_missing_folder_is_an_error_that_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let refused = replace(&folder.path().join("a/b.txt"), b"x").unwrap_err();
    assert!(refused.to_string().contains("a/b.txt"), "{refused}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_failed_write_leaves_the_old_file_and_nothing_else() {
    // A file system that cannot take files at all, whoever we are.
    let refused = replace(Path::new("/proc/self/snowtoken.txt"), b"x").unwrap_err();
    assert!(matches!(refused, WriteFileError::Refused { .. }), "{refused}");
}

#[test]
fn a_file_that_was_written_gets_its_name_later() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for text in ["first", "second"] {
        replace(&path("c.txt.part"), text.as_bytes()).unwrap();
        rename(&path("c.txt.part"), &path("c.txt")).unwrap();
        assert_eq!(fs::read_to_string(path("c.txt")).unwrap(), text);
        only(folder.path(), "c.txt");
    }
    symlink(path("c.txt"), path("link")).unwrap();
    replace(&path("c.txt.part"), b"third").unwrap();
    for target in ["link", ".", "gone/c.txt"] {
        assert!(rename(&path("c.txt.part"), &path(target)).is_err(), "{target}");
    }
    assert_eq!(fs::read_to_string(path("c.txt")).unwrap(), "second");
}

#[cfg(target_os = "linux")]
#[test]
fn what_a_killed_process_left_is_removed_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let left = folder.path().join(".snowtoken-passing-0123456789abcdef");
    let held = folder.path().join(".snowtoken-passing-fedcba9876543210");
    fs::write(&left, "secret").unwrap();
    let living = fs::File::create(&held).unwrap();
    living.lock().unwrap();
    replace(&folder.path().join("c.txt"), b"new").unwrap();
    assert!(!left.exists() && held.exists());
    drop(living);
    replace(&folder.path().join("c.txt"), b"new").unwrap();
    only(folder.path(), "c.txt");
}

#[test]
fn a_check_finds_what_a_write_would_find_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.txt");
    check(&path).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    replace(&path, b"old").unwrap();
    check(&path).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    let link = folder.path().join("link");
    symlink(&path, &link).unwrap();
    for place in [&link, folder.path(), &folder.path().join("gone/c.txt"), Path::new("/proc/c.txt")]
    {
        assert!(check(place).is_err(), "{}", place.display());
    }
}
