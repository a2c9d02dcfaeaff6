//! Finds the name in a declarator of C or C++, which nests it: `*(*name[2])(int)`.

use std::ops::Range;

use tree_sitter::Node;

/// What a declarator declares.
pub(super) struct Declared {
    /// Its name.
    pub(super) name: Range<u32>,
    /// What stands before the name's last `::`.
    pub(super) scope: Option<Range<u32>>,
    /// Whether it is a function, and no pointer to one.
    pub(super) is_function: bool,
}

/// Follows a declarator inward to its name.
pub(super) fn declared(declarator: Node<'_>) -> Option<Declared> {
    let mut node = declarator;
    let mut scope: Option<Range<u32>> = None;
    let mut is_function = false;
    loop {
        node = match node.kind() {
            "parenthesized_declarator" => {
                is_function = false;
                node.named_child(u32::try_from(node.named_child_count()).ok()?.checked_sub(1)?)?
            }
            "reference_declarator" | "attributed_declarator" => node.named_child(0)?,
            "function_declarator" => {
                is_function = true;
                node.child_by_field_name("declarator")?
            }
            "qualified_identifier" => {
                let name = node.child_by_field_name("name")?;
                let start = scope.map_or(node.start_byte() as u32, |outer| outer.start);
                scope = Some(start..qualifier_end(node, name));
                name
            }
            "operator_cast" => {
                let end = node.child_by_field_name("type")?.end_byte() as u32;
                let name = node.start_byte() as u32..end;
                return Some(Declared { name, scope, is_function: true });
            }
            "nested_namespace_specifier" => {
                let last = u32::try_from(node.named_child_count()).ok()?.checked_sub(1)?;
                let start = scope.map_or(node.start_byte() as u32, |outer| outer.start);
                let before = node.named_child(last.checked_sub(1)?)?;
                scope = Some(start..before.end_byte() as u32);
                node.named_child(last)?
            }
            "template_function" | "template_method" | "template_type" => {
                node.child_by_field_name("name")?
            }
            _ => match node.child_by_field_name("declarator") {
                Some(inner) => inner,
                None => break,
            },
        };
    }
    let name = node.start_byte() as u32..node.end_byte() as u32;
    let scope = scope.filter(|scope| !scope.is_empty());
    Some(Declared { name, scope, is_function })
}

/// Where the text before the `::` before the name ends.
fn qualifier_end(qualified: Node<'_>, name: Node<'_>) -> u32 {
    let scope = qualified.child_by_field_name("scope");
    scope.map_or(name.start_byte(), |scope| scope.end_byte()) as u32
}
