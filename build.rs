//! The digest of the engine: of all that can change a result, which is `src/`, `Cargo.lock` and the
//! feature that breaks the engine on purpose. A cell is named by it, so that results of two engines
//! never mix.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=src");
    println!("cargo:rerun-if-changed=Cargo.lock");
    println!("cargo:rustc-env=OVERCORD_ENGINE={}", digest(Path::new("."))?);
    Ok(())
}

/// Hashes every file by its path (with `/` on every system), length and bytes, sorted by path.
fn digest(root: &Path) -> io::Result<String> {
    let mut files = Vec::new();
    collect(&root.join("src"), "src", &mut files)?;
    files.push(("Cargo.lock".to_owned(), root.join("Cargo.lock")));
    files.sort();
    let mut hasher = blake3::Hasher::new();
    for (name, path) in files {
        let content = fs::read(&path)?;
        for part in [name.as_bytes(), &content] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
    }
    if std::env::var_os("CARGO_FEATURE_HASH_ORDER").is_some() {
        hasher.update(b"hash-order");
    }
    Ok(hasher.finalize().to_hex()[..32].to_owned())
}

fn collect(folder: &Path, name: &str, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let child = entry.file_name();
        let child = child.to_str().ok_or_else(|| {
            io::Error::other(format!("a source file has a name that is not UTF-8: {child:?}"))
        })?;
        let child = format!("{name}/{child}");
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &child, files)?;
        } else {
            files.push((child, entry.path()));
        }
    }
    Ok(())
}
