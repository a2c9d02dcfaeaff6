use super::*;
use proptest::prelude::*;

/// What the grammar sees of a text, without what is only space, and the names that are found.
fn seen(text: &str) -> (String, Vec<&str>) {
    let skim = c(text.as_bytes());
    let words = String::from_utf8(skim.text.clone()).unwrap();
    let names = skim.found.iter().map(|found| part(text, &found.name));
    (words.split_whitespace().collect::<Vec<_>>().join(" "), names.collect())
}

fn part<'t>(text: &'t str, range: &std::ops::Range<u32>) -> &'t str {
    &text[range.start as usize..range.end as usize]
}

/// A text, what is left of it for the grammar, and the functions in it.
#[track_caller]
fn check_with(text: &str, left: &str, functions: &[&str]) {
    assert_eq!(seen(text), (left.to_owned(), functions.to_vec()), "of {text}");
}

#[track_caller]
fn check(text: &str, left: &str) {
    check_with(text, left, &[]);
}

#[test]
fn a_function_is_its_name() {
    check_with(
        "static int __init f(int a, char *b)\n{\n\tif (a) { b; }\n}\nint g;",
        "int g;",
        &["f"],
    );
    check_with("struct x *\nmake(struct y *y) { return \"}\"; }", "", &["make"]);
    check_with("__printf(1, 2) void say(const char *f, ...) { '{'; }", "", &["say"]);
    check_with("MODULE_ALIAS(\"x\")\nstatic int later(void) { /* } */ }", "", &["later"]);
    check_with("int held(void) __acquires(lock) { }", "", &["held"]);
    check_with("CJSON_PUBLIC(cJSON *) cJSON_Parse(const char *value) { }", "", &["cJSON_Parse"]);
    check_with("static NTLM_INLINE(bool) write_buf(int a) { }", "", &["write_buf"]);
    check_with("LUA_API int (lua_gettop) (lua_State *L) { }", "", &["lua_gettop"]);
    check_with("int __init_sem(struct sem *sem) {}", "", &["__init_sem"]);
}

#[test]
fn what_defines_nothing_is_left_out() {
    check("int f(int a);\nextern int x;\nEXPORT_SYMBOL(f);\nint y; // y\n", "int y;");
    check("extern const char name[];\nextern int set = 1;", "extern int set = 1;");
    check("#include <a.h>\n/* int a; */ int b; ", "int b;");
}

#[test]
fn members_and_initialisers() {
    check(
        "struct s { int a; /* b */ union { int c; }; } __packed;",
        "struct s { int a; union { int c; }; } ;",
    );
    check("static const struct ops o = { .open = f, };", "static const struct ops o = {};");
    check("struct { int a; } x[] = { { 1 }, { 2 } }, *y;", "struct { int a; } x[] = {}, *y;");
    check("struct ops { int (*open)(struct inode *, int); };", "struct ops { int (*open)(); };");
    check("typedef struct { int a; } __attribute__((packed)) t;", "typedef struct { int a; } t;");
    check("typedef int (*callback)(int a, void *b);", "typedef int (*callback)();");
    check("int (*handler)(int);", "int (*handler)();");
    check("typedef int (WINAPI *callback)(int);", "typedef int (*callback)();");
    check("enum e { A = 1, B = (2), };", "enum e { A = 1, B = (2), };");
}

#[test]
fn of_branches_with_a_part_of_a_definition_the_first_counts() {
    check_with(
        "#ifdef A\nint f(int a)\n#else\nint f(long a)\n#endif\n{ }\nint g;",
        "int g;",
        &["f"],
    );
    check("#if A\nint a;\n#else\nint b;\n#endif", "int a; int b;");
    check(
        "struct s {\n#if A\nint a;\n#elif B\nint b;\n#endif\nint c; };",
        "struct s { int a; int b; int c; };",
    );
    check_with(
        "int f(void) {\n#if A\nif (a) {\n#else\nif (b) {\n#endif\n} }\nint g;",
        "int g;",
        &["f"],
    );
    check_with("int f(void) {\n#if A\n}\n#else\n}\n#endif\nint g;", "int g;", &["f"]);
    check("#if 0\nint it's;\n#else\nint b;\n#endif\nint c;", "int b; int c;");
    check("#if 0\n#if 1\nint a;\n#endif\n#endif\nint c;", "int c;");
}

#[test]
fn macros_are_found_wherever_they_stand() {
    let (left, macros) = seen(
        "#define A 1\n# define B(x) \\\n  { x }\nint f(void) {\n#define C /* a\n*/ 1\n}\n#ifdef A\nint g(\n#else\n#define D\n#endif\n);int h;",
    );
    assert_eq!(left, "int h;");
    assert_eq!(macros, ["A", "B", "C", "f", "D"]);
    let text = b"#define B(x) \\\r\n  { x }\r\nint a;";
    let found = &c(text).found[0];
    assert_eq!((found.range.clone(), found.head), (0..23, Some(12)));
}

#[test]
fn places_are_those_of_the_whole_text() {
    let text = "int a; /* c */\nstatic long __init  g(int x)\n{ y; }\nint b;";
    let skim = c(text.as_bytes());
    let left = std::str::from_utf8(&skim.text).unwrap();
    let place = |word: &str| {
        let at = left.find(word).unwrap() as u32;
        &text[skim.place(at) as usize..skim.end(at + word.len() as u32) as usize]
    };
    assert_eq!(place("int a;"), "int a;");
    assert_eq!(place("int b;"), "int b;");
    let [function] = &skim.found[..] else { panic!("{:?}", skim.found) };
    assert_eq!(part(text, &function.name), "g");
    assert_eq!(part(text, &function.range), "static long __init  g(int x)\n{ y; }");
    assert_eq!(function.head, text.find('{').map(|at| at as u32));
}

#[test]
fn what_is_no_function_is_none() {
    check("if (a) { b; }\nwhile (c) { }\nint d;", "int d;");
    check("(a) { b; }\nint c;", "int c;");
}

#[test]
fn the_grammar_takes_each_statement_on_its_own() {
    let skim = c(b"struct s { BAD(int a:1, BAD(int b:2;)) };\nint f(void) {}\nint c;\n;;\nint d");
    let mut start = 0;
    let parts = skim.ends.iter().map(|&end| {
        let part = std::str::from_utf8(&skim.text[start..end]).unwrap();
        start = end;
        part.trim()
    });
    assert_eq!(
        parts.collect::<Vec<_>>(),
        ["struct s { BAD(int a:1, BAD(int b:2;)) };", "int c;", "int d"]
    );
}

#[test]
fn what_is_never_closed_is_an_error_and_a_macro_is_none() {
    let is_error = |text: &str| c(text.as_bytes()).has_error == Some(true);
    assert!(is_error("int f(void) {\n if (a) {\n}\nint b;"));
    assert!(is_error("DECLARE(a, (b)\nint b;"));
    assert!(!is_error("DECLARE(a, b)\nint b;\nint f(void) SOME_MACRO { }"));
}

#[test]
fn what_is_never_closed_takes_no_time_by_its_square() {
    let text = "f(){ {\n}\n".repeat(20) + &"f(){".repeat(1_000_000);
    assert_eq!(c(text.as_bytes()).has_error, Some(true));
}

#[test]
fn old_functions_declare_their_parameters_before_the_body() {
    check_with("int f(a, b) int a; char *b; { a; }\nint g;", "int g;", &["f"]);
    check("int f(a) int a;\nint g;", "int g;");
}

#[test]
fn what_is_never_closed_does_not_hide_the_rest() {
    check_with("int f(void) {\n if (a) {\n}\nint b;", "int b;", &["f"]);
    check("DECLARE(a, (b)\nint b;\nint c;", "int b; int c;");
    check("extern \"C\" {\nint a;\n}\n} int b;", "int a; int b;");
}

proptest! {
    /// Any text is skimmed, and every place is one of it.
    #[test]
    fn every_place_is_in_the_text(tokens in prop::collection::vec(prop::sample::select(vec![
        "{", "}", "(", ")", ";", ",", "=", "\n", "\n#if 1\n", "\n#else\n", "\n#endif\n", "\n#define X(a) 1", "\n#if 0\n", "\\\n",
        "/*", "*/", "//", "\"", "'", "int ", "struct ", "typedef ", "extern ", "f", "__packed ", "__attribute__", "*", "\r\n", "é",
    ]), 0..80)) {
        let text = tokens.concat();
        let skim = c(text.as_bytes());
        for at in 0..skim.text.len() as u32 {
            prop_assert!(skim.place(at) as usize <= text.len());
            prop_assert!(skim.end(at + 1) as usize <= text.len() + 1);
        }
        for found in &skim.found {
            prop_assert!(found.range.start <= found.name.start && found.name.end <= found.range.end);
            prop_assert!(found.head.is_none_or(|head| head <= found.range.end));
            prop_assert!(found.range.end as usize <= text.len());
        }
    }
}
