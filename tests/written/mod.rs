//! What commands have written, compared byte by byte.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Files by name with their contents.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// All files below a folder with their contents, but the manifests.
pub(crate) fn files(folder: &Path) -> Files {
    fn add(root: &Path, folder: &Path, files: &mut Files) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                add(root, &path, files);
            } else if !path.ends_with("manifest.json") {
                let name = path.strip_prefix(root).unwrap().display().to_string();
                files.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    let mut all = Files::new();
    add(folder, folder, &mut all);
    all
}

/// Both hold the same files, byte by byte.
pub(crate) fn assert_same(left: &Files, right: &Files) {
    assert!(left.keys().eq(right.keys()), "{:?} {:?}", left.keys(), right.keys());
    for (name, content) in left {
        assert!(*content == right[name], "{name} differs");
    }
}
