//! Backups made, checked, damaged and restored.

use super::*;
use crate::storage::data_dir::DataDir;

fn maker(logs: bool) -> Maker {
    Maker {
        data_id: "the-installation".into(),
        at: Timestamp(1_700_000_000_000),
        logs,
    }
}

/// A data directory with a database, one log and its index.
fn data(root: &Path) -> PathBuf {
    let data = root.join("data");
    let dir = DataDir::open(&data).unwrap();
    drop(store::open(&data.join(DATABASE), 1).unwrap());
    fs::create_dir(data.join("logs/a")).unwrap();
    fs::write(data.join("logs/a/1.log"), "one\ntwo\n").unwrap();
    fs::write(data.join("logs/a/1.idx"), [7; 64]).unwrap();
    drop(dir);
    data
}

#[test]
fn what_is_restored_is_what_was_there() {
    let root = tempfile::tempdir().unwrap();
    let data = data(root.path());
    let (to, again) = (root.path().join("backup"), root.path().join("again"));
    let made = create(&data, &to, &maker(true)).unwrap();
    assert_eq!((made.files, made.facts.logs), (4, true));
    assert_eq!(verify(&to).unwrap(), made);
    assert_eq!(restore(&to, &again).unwrap(), made);
    for file in ["logs/a/1.log", "logs/a/1.idx"] {
        assert_eq!(
            fs::read(data.join(file)).unwrap(),
            fs::read(again.join(file)).unwrap()
        );
    }
    store::open(&again.join(DATABASE), 1).unwrap();
    assert!(again.join("VERSION").is_file());
    for left in ["restoring", "roundel.db.tmp"] {
        assert!(!again.join(left).exists(), "{left}");
    }
    assert!(DataDir::open(&again).unwrap().copy_id().unwrap().is_some());
}

#[test]
fn what_is_not_restored_to_the_end_is_no_installation() {
    let root = tempfile::tempdir().unwrap();
    let (to, again) = (root.path().join("backup"), root.path().join("again"));
    create(&data(root.path()), &to, &maker(true)).unwrap();
    // One more file, that is in the way of what every directory has: the restore fails in the middle.
    fs::write(to.join("VERSION"), "1\n").unwrap();
    let (sha256, _) = manifest::sum(&to.join("VERSION")).unwrap();
    let whole = fs::read_to_string(to.join(SUMS)).unwrap();
    fs::write(to.join(SUMS), format!("{sha256}  VERSION\n{whole}")).unwrap();
    restore(&to, &again).unwrap_err();
    assert!(!again.join(DATABASE).exists());
    assert!(again.join("copy").exists());
    assert!(matches!(
        DataDir::open(&again),
        Err(DataDirError::Unfinished { .. })
    ));
    fs::write(to.join(SUMS), whole).unwrap();
    let err = restore(&to, &again).unwrap_err();
    assert!(matches!(err, BackupError::Unfinished { .. }), "{err}");
    fs::remove_dir_all(&again).unwrap();
    restore(&to, &again).unwrap();
    DataDir::open(&again).unwrap();
}

#[test]
fn coreutils_agree_with_the_sums() {
    let root = tempfile::tempdir().unwrap();
    let to = root.path().join("backup");
    create(&data(root.path()), &to, &maker(true)).unwrap();
    let status = std::process::Command::new("sha256sum")
        .args(["--check", "--quiet", "--strict", SUMS])
        .current_dir(&to)
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
fn without_logs_they_stay_where_they_are() {
    let root = tempfile::tempdir().unwrap();
    let to = root.path().join("backup");
    let made = create(&data(root.path()), &to, &maker(false)).unwrap();
    assert_eq!((made.files, made.facts.logs), (2, false));
    assert!(!to.join("logs").exists());
}

#[test]
fn a_flipped_byte_is_found_in_every_file() {
    let root = tempfile::tempdir().unwrap();
    let to = root.path().join("backup");
    create(&data(root.path()), &to, &maker(true)).unwrap();
    for file in [DATABASE, FACTS, SUMS, "logs/a/1.log", "logs/a/1.idx"] {
        let path = to.join(file);
        let whole = fs::read(&path).unwrap();
        for at in [0, whole.len() / 2, whole.len() - 2] {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            fs::write(&path, &bytes).unwrap();
            assert!(verify(&to).is_err(), "byte {at} of {file}");
        }
        fs::write(&path, whole).unwrap();
    }
    verify(&to).unwrap();
    fs::remove_file(to.join("logs/a/1.log")).unwrap();
    let err = verify(&to).unwrap_err();
    assert!(err.to_string().contains("logs/a/1.log is missing"), "{err}");
}

#[test]
fn nothing_is_written_over() {
    let root = tempfile::tempdir().unwrap();
    let data = data(root.path());
    let to = root.path().join("backup");
    fs::create_dir(&to).unwrap();
    fs::write(to.join("mine"), "").unwrap();
    assert!(matches!(
        create(&data, &to, &maker(true)),
        Err(BackupError::Occupied { .. })
    ));
    fs::remove_file(to.join("mine")).unwrap();
    create(&data, &to, &maker(true)).unwrap();
    assert!(matches!(
        restore(&to, &data),
        Err(BackupError::Occupied { .. })
    ));
}

#[test]
fn what_is_no_backup_says_why() {
    let root = tempfile::tempdir().unwrap();
    let none = |path: &Path| match verify(path) {
        Err(BackupError::NoBackup { why, .. }) => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(none(root.path()), "it has no SHA256SUMS");
    fs::write(root.path().join(SUMS), "hello\n").unwrap();
    assert_eq!(none(root.path()), "SHA256SUMS is no list of sums");
    fs::write(root.path().join(SUMS), "").unwrap();
    assert_eq!(none(root.path()), "SHA256SUMS does not list roundel.db");
}

#[test]
fn a_failed_backup_leaves_nothing() {
    let root = tempfile::tempdir().unwrap();
    let to = root.path().join("backup");
    create(&root.path().join("no-data"), &to, &maker(true)).unwrap_err();
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
}
