//! The files that an import means: told by paths, as nothing is compiled.

use super::Parsed;
use hob_index::symbols::languages::{self, Language};
use hob_index::symbols::references::{Reference, Role};
use hob_index::tree::{Dir, Docs};

/// Whether what is mentioned is a path in quotes that is imported.
pub(crate) fn is_quoted(parsed: &Parsed, reference: &Reference) -> bool {
    let before = (reference.name.start as usize).checked_sub(1).and_then(|at| parsed.text.get(at));
    let is_quote = matches!(before, Some(b'"' | b'\'' | b'`' | b'<'));
    reference.role == Role::Import && (is_quote || parsed.name(reference).contains(&b'/'))
}

/// The files that a path which is imported may mean, the likeliest first: the one that it leads to from the
/// file, by the very path or without its extension; else all whose paths end so.
pub(crate) fn included(tree: &Dir, parsed: &Parsed, reference: &Reference) -> Vec<Vec<u8>> {
    let path = parsed.name(reference);
    let beside = beside(&parsed.path, path);
    let parts = path.split(|byte| *byte == b'/');
    let end: Vec<&[u8]> = parts.filter(|part| ![&b"."[..], b".."].contains(part)).collect();
    let end = end.join(&b'/');
    let is_relative = path.starts_with(b".");
    let mut there: Vec<(bool, Vec<u8>)> = Vec::new();
    let mut elsewhere = Vec::new();
    tree.for_each_file(&Docs::All, &mut |path, _| {
        if path == beside || is_stem_of(&beside, path) {
            there.push((path != beside, path.to_vec()));
        } else if !is_relative {
            let before = path.strip_suffix(end.as_slice());
            let is_so = before.is_some_and(|before| before.ends_with(b"/"));
            if path == end || is_so || is_end_of(&end, path) {
                elsewhere.push((!is_so, path.to_vec()));
            }
        }
    });
    let mut found = if there.is_empty() { elsewhere } else { there };
    found.sort_by_key(|(is_stem, path)| (*is_stem, path.len()));
    found.into_iter().map(|(_, path)| path).collect()
}

/// The file of a module that is imported by its name, if it is where that says: in the directory of the file, or
/// in one whose name the file imports as well, as `pkg` of `from pkg import name`.
pub(crate) fn modules(tree: &Dir, parsed: &Parsed, reference: &Reference) -> Vec<Vec<u8>> {
    let name = parsed.name(reference);
    let own = directory(&parsed.path);
    let imported: Vec<&[u8]> = parsed
        .mentioned
        .references
        .iter()
        .filter(|one| one.role == Role::Import)
        .map(|one| parsed.name(one))
        .collect();
    let mut found: Vec<(bool, Vec<u8>)> = Vec::new();
    tree.for_each_file(&Docs::All, &mut |path, _| {
        let family = languages::named(path).map(Language::family);
        if family != Some(parsed.language.family()) || path == parsed.path || !is_end_of(name, path)
        {
            return;
        }
        let stem = directory(path);
        // Of `name/mod.rs`, the directory that `name` is in.
        let is_index = base(stem) == name && !base(path).starts_with(name);
        let within = if is_index { directory(stem) } else { stem };
        let is_own = within == own;
        if is_own || (base(within) != name && imported.contains(&base(within))) {
            found.push((!is_own, path.to_vec()));
        }
    });
    found.sort();
    // The nearest is meant.
    found.truncate(1);
    found.into_iter().map(|(_, path)| path).collect()
}

/// A path from the directory of a file, without `.` and `..`.
fn beside(file: &[u8], path: &[u8]) -> Vec<u8> {
    let mut parts: Vec<&[u8]> = directory(file).split(|byte| *byte == b'/').collect();
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.retain(|part| !part.is_empty());
    parts.join(&b'/')
}

/// Whether a path is another one with an extension, or the file that stands for a directory of that name.
/// TypeScript names what it will have been made into: `lib.js` for `lib.ts`.
fn is_stem_of(stem: &[u8], path: &[u8]) -> bool {
    const INDEX: [&[u8]; 4] = [b"/index", b"/__init__", b"/mod", b"/init"];
    let plain = [&b".js"[..], b".mjs", b".cjs", b".jsx"];
    let made = plain.iter().find_map(|end| stem.strip_suffix(*end)).unwrap_or(stem);
    let Some(rest) = path.strip_prefix(stem).or_else(|| path.strip_prefix(made)) else {
        return false;
    };
    let rest = INDEX.iter().find_map(|index| rest.strip_prefix(*index)).unwrap_or(rest);
    rest.first() == Some(&b'.') && !rest.contains(&b'/') && rest.len() <= 8
}

/// The same of the end of a path.
fn is_end_of(stem: &[u8], path: &[u8]) -> bool {
    let starts = memchr::memchr_iter(b'/', path).map(|slash| slash + 1);
    [0].into_iter().chain(starts).any(|start| is_stem_of(stem, &path[start..]))
}

fn directory(path: &[u8]) -> &[u8] {
    &path[..memchr::memrchr(b'/', path).unwrap_or(0)]
}

fn base(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_followed_from_its_file() {
        assert_eq!(beside(b"web/server/index.ts", b"../config"), b"web/config");
        assert_eq!(beside(b"main.c", b"dict.h"), b"dict.h");
        assert_eq!(beside(b"a/b.c", b"../../../x.h"), b"x.h");
    }

    #[test]
    fn an_extension_may_be_left_out_or_be_another() {
        for (stem, path) in [
            ("web/config", "web/config.ts"),
            ("lib", "lib/index.tsx"),
            ("lib.js", "lib.ts"),
            ("pkg/sub", "pkg/sub/__init__.py"),
        ] {
            assert!(is_stem_of(stem.as_bytes(), path.as_bytes()), "{stem} {path}");
        }
        for (stem, path) in [("lib", "library.ts"), ("lib", "lib/other.ts"), ("lib", "lib")] {
            assert!(!is_stem_of(stem.as_bytes(), path.as_bytes()), "{stem} {path}");
        }
        assert!(is_end_of(b"models", b"a/models.py") && !is_end_of(b"models", b"a/submodels.py"));
    }
}
