//! A tree with everything that has ever made two searchers differ.

use super::fifo;
use hob_tests::{Hob, Programs};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;

const TEXTS: &str = "\
//- src/main.rs
use std::io;
fn main() {
    let foo = mutex_lock(&bar);
    println!(\"foo {}\", foo);
}

// TODO: foo bar baz; FooBar foo_bar foo-bar foo.bar
fn mutex_lock(x: &u32) -> u32 { *x + 42 }
//- src/lib.rs
pub mod a;
pub fn parse(input: &str) -> Option<Foo> { None }
pub struct Foo { bar: u8, baz: u16 }
impl Foo { fn bar(&self) {} }
//- src/a/mod.rs
fn foo() {}
    fn bar() { foo(); foo() }
\tlet tab = \"tab\";
//- src/a/deep/er/file.txt
deep foo
//- src/test.py
def foo(): return 'bar'
class Foo: pass
//- README.md
# foo

A readme about foo and Bar.
Bar foo Bar. fooo, foooo, fo
//- docs/guide.md
guide to foo
aaa aaaa aaaaa
abab ababab
x
//- Makefile
all: foo
\tcc -o foo foo.c
//- c/foo.c
#include <stdio.h>
int main(void) { return mutex_lock(0); } /* foo */
static int foo_lock;
//- c/foo.h
int mutex_lock(int);
//- space dir/file with space.txt
foo in space
//- odd/co:lon.txt
foo: colon
//- odd/-dash.txt
foo dash
//- odd/[brack]{et}.txt
foo bracket
//- odd/star*.txt
foo star
//- odd/!bang.txt
foo bang
//- .hidden
hidden foo
//- .config/settings.toml
foo = 'hidden dir'
//- .config/deep/x.rs
foo hidden deep
//- target/debug/foo.rs
ignored dir foo
//- build/out.txt
ignored foo build
//- build/keep.txt
kept foo build
//- logs/a.log
foo log
//- logs/important.log
foo important log
//- nested/.gitignore
*.tmp
!keep.tmp
/only-here
sub/skip
//- nested/a.tmp
foo tmp
//- nested/keep.tmp
foo kept tmp
//- nested/only-here
foo only here
//- nested/sub/only-here
foo below only here
//- nested/sub/skip/x.txt
foo skipped
//- nested/.ignore
*.gen
!special.gen
//- nested/x.gen
foo gen
//- nested/special.gen
foo special gen
//- nested/.rgignore
!x.gen
secret*
//- nested/secret.txt
foo secret
//- nested/global.bak
foo bak
//- vendor/.ignore
*
!.ignore
//- vendor/lib.rs
foo vendored
//- inner/.git/HEAD
ref: refs/heads/main
//- inner/.gitignore
inner-ignored
//- inner/a.rs
foo inner repo
//- inner/inner-ignored
foo inner ignored
//- empty/.keep
//- types/a.json
{\"foo\": [1, 2]}
//- types/a.yaml
foo: bar
//- types/a.js
const foo = /bar/;
//- types/a.cpp
int foo = 0;
//- types/a.sh
echo foo
//- .gitignore
target/
build/*
!build/keep.txt
*.log
!important.log
/rooted
**/any/where
# a comment
\\#hash
trailing\\ 
//- rooted
foo rooted
//- sub/rooted
foo not rooted
//- sub/any/where/x.txt
foo anywhere
//- #hash
foo hash
//- .ignore
dotignored.txt
//- dotignored.txt
foo dot ignored
//- .rgignore
rgignored.txt
//- rgignored.txt
foo rg ignored
";

/// Files that strings cannot be.
fn bytes(hob: &Hob) {
    let put = |path: &str, content: &[u8]| hob.write(path, content);
    put("ends/crlf.txt", b"foo one\r\nbar two\r\n\r\nfoo three\r\nlast foo\r\n");
    put("ends/mixed.txt", b"foo\r\nbar\nfoo\r\r\nbaz\rfoo\n");
    put("ends/none.txt", b"foo\nbar\nlast foo");
    put("ends/blank.txt", b"\n\n\n");
    put("ends/one-blank.txt", b"\n");
    put("ends/blank-crlf.txt", b"\r\n");
    put("ends/spaces.txt", b"  foo  \n   \n\tfoo\t\n");
    put("ends/empty.txt", b"");
    put("ends/single.txt", b"f");
    put("coded/utf8-bom.txt", b"\xef\xbb\xbffoo with a mark\nbar\n");
    put(
        "coded/utf16le.txt",
        &utf16("foo sixteen\nstra\u{df}e bar\r\n\u{1f600} foo\n", u16::to_le_bytes),
    );
    put("coded/utf16be.txt", &utf16("foo sixteen\nbar big\nK\u{212a}\n", u16::to_be_bytes));
    put("coded/utf16odd.txt", &[&utf16("foo odd\n", u16::to_le_bytes)[..], b"\x41"].concat());
    put("coded/bom-only.txt", b"\xef\xbb\xbf");
    put("coded/latin1.txt", b"caf\xe9 foo\n\xff\xfe foo\nna\xefve\n\xc3\xa9t\xc3\xa9 foo\n");
    put("coded/broken.txt", b"foo \xe2\x82\nfoo \xf0\x9f bar\n\x80\x80foo\n\xed\xa0\x80foo\n");
    let letters = "K k \u{212a}elvin\n\u{17f}oo \u{17f}traSSe stra\u{df}e STRASSE \u{1e9e}\n\
        \u{3a3}\u{3af}\u{3c3}\u{3c5}\u{3c6}\u{3bf}\u{3c2} \u{3a3}\u{399}\u{3a3}\u{3a5}\u{3a6}\u{39f}\u{3a3}\n\
        \u{c9}t\u{e9} e\u{301}t\u{e9}\n\u{43f}\u{440}\u{438}\u{432}\u{435}\u{442} \u{41f}\u{420}\u{418}\u{412}\u{415}\u{422}\n\
        \u{65e5}\u{672c}\u{8a9e} foo\n\u{661}\u{662}\u{663} 123\n\u{1f600}foo\u{1f600}\nfoo\u{a0}bar foo\u{2003}bar\n\
        I \u{130} \u{131} i\n\u{1c4} \u{1c5} \u{1c6}\n\u{3f4} \u{3b8} \u{398}\n\u{b5} \u{3bc} \u{39c}\n";
    put("coded/letters.txt", letters.as_bytes());
    let lines = |count: usize| "a line of filler text, number nine\n".repeat(count).into_bytes();
    put("nul/early.bin", b"foo before\nbi\0nary\nfoo after\n");
    put("nul/first.bin", b"\0foo\n");
    put("nul/one-line.bin", b"foo\0bar foo\n");
    put("nul/late.bin", &[b"foo before\n", &lines(2100)[..], b"foo mid\n\0\nfoo after\n"].concat());
    put(
        "nul/later.bin",
        &[b"foo before\n", &lines(6000)[..], b"foo mid\nx\0y\nfoo after\n"].concat(),
    );
    put("nul/later-only.bin", &[&lines(6000)[..], b"x\0y\nfoo after\n"].concat());
    put("nul/last.bin", &[b"foo before\n", &lines(2000)[..], b"foo\0"].concat());
    // A line longer than ripgrep's buffer makes that larger for all files that follow, and then it sees
    // NULs in them sooner: so these come after all that have one.
    let long = "x".repeat(50_000) + "foo" + &"y".repeat(50_000);
    put("wide/100k.txt", format!("{long}\nfoo short\n{long}").as_bytes());
    put("wide/many.txt", "foo bar ".repeat(15_000).as_bytes());
    put("wide/edge.txt", &[&b"z".repeat(65_533)[..], b"foo\nfoo\n"].concat());
    let numbered: String = (0..400).map(|line| format!("line {line} {}\n", line % 7)).collect();
    put("wide/lines.txt", numbered.replace("line 77 ", "foo 77 ").as_bytes());
}

fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(bytes).collect()
}

/// Names that no string can be, and things that are no files.
fn things(hob: &Hob) {
    hob.write(OsStr::from_bytes(b"odd/na\xefve \xff.txt"), "foo in a name of bytes\n");
    hob.write(OsStr::from_bytes(b"odd/d\xfe/x.txt"), "foo below bytes\n");
    hob.write("odd/new\nline.txt", "foo in a name of two lines\n");
    hob.write("odd/tab\t.txt", "foo tab\n");
    hob.write("odd/\u{e9}t\u{e9}.txt", "foo \u{e9}t\u{e9}\n");
    hob.write("odd/back\\slash.txt", "foo backslash\n");
    hob.write("unreadable.txt", "foo unreadable\n");
    hob.chmod("unreadable.txt", 0);
    hob.write("locked/x.txt", "foo locked\n");
    hob.chmod("locked", 0);
    symlink("src/main.rs", hob.path("link.rs")).unwrap();
    symlink("src", hob.path("linkdir")).unwrap();
    symlink("nowhere", hob.path("dangling")).unwrap();
    symlink("..", hob.path("docs/up")).unwrap();
    symlink("../../target", hob.path("src/a/to-ignored")).unwrap();
    symlink("loop2", hob.path("loop1")).unwrap();
    symlink("loop1", hob.path("loop2")).unwrap();
    fs::create_dir(hob.path("void")).unwrap();
    fifo(hob, "pipe");
    fifo(hob, "src/pipe.rs");
}

/// The tree, in a repository, with rules outside of it too.
pub(super) fn plant(programs: Programs) -> Hob {
    let hob = Hob::start(programs, TEXTS);
    bytes(&hob);
    things(&hob);
    let outside = |path: &str, content: &str| {
        let path = hob.outside(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    };
    outside("config/git/ignore", "*.bak\n");
    outside("tree/.git/info/exclude", "excluded.txt\n");
    outside("tree/excluded.txt", "foo excluded\n");
    outside(".ignore", "parent-ignored.txt\n");
    outside("tree/parent-ignored.txt", "foo ignored from above\n");
    outside("beside/file.txt", "foo beside\nbar\n");
    outside("beside/.gitignore", "not-a-repository.txt\n");
    outside("beside/not-a-repository.txt", "foo no repository\n");
    hob
}

/// Files whose content a disturbance changes, or only touches.
const DISTURBED: [&str; 9] = [
    "src/main.rs",
    "src/a/mod.rs",
    "docs/guide.md",
    "nested/keep.tmp",
    "ends/none.txt",
    "coded/letters.txt",
    "c/foo.c",
    "types/a.json",
    "wide/lines.txt",
];

/// Changes a few files, of which some come and go.
pub(super) fn disturb(hob: &Hob, round: usize) {
    for offset in 0..3 {
        let path = DISTURBED[(round + offset * 3) % DISTURBED.len()];
        let mut content = fs::read(hob.path(path)).unwrap();
        if offset == 0 {
            content.extend_from_slice(format!("\nfoo round {round}\n").as_bytes());
        }
        hob.write(path, content);
    }
    let passing = format!("src/passing{}.rs", round % 5);
    match hob.path(&passing).exists() {
        true => fs::remove_file(hob.path(&passing)).unwrap(),
        false => hob.write(&passing, format!("foo passing {round}\n")),
    }
    if round % 11 == 3 {
        hob.write("logs/.ignore", if round.is_multiple_of(2) { "!a.log\n" } else { "" });
    }
}
