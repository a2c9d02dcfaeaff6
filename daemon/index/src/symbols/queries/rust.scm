; `fn` in an `impl` or a trait is a method, its declaration in a trait as well.
(function_item name: (identifier) @name) @definition.function.method
(function_signature_item name: (identifier) @name) @definition.function.method

(struct_item name: (type_identifier) @name) @definition.struct
(union_item name: (type_identifier) @name) @definition.union
(enum_item name: (type_identifier) @name) @definition.enum
(enum_variant name: (identifier) @name) @definition.enumerator
(field_declaration name: (field_identifier) @name) @definition.field
(trait_item name: (type_identifier) @name) @definition.trait

; An `impl` has the name of its type, without parameters, references and path.
(impl_item type: [
  (type_identifier) @name
  (primitive_type) @name
  (generic_type type: (type_identifier) @name)
  (generic_type type: (scoped_type_identifier path: (_) @scope name: (type_identifier) @name))
  (scoped_type_identifier path: (_) @scope name: (type_identifier) @name)
  (reference_type type: (type_identifier) @name)
  (reference_type type: (generic_type type: (type_identifier) @name))
  (reference_type type: (primitive_type) @name)
  (pointer_type type: (type_identifier) @name)
  (dynamic_type trait: (type_identifier) @name)
  (array_type) @name
  (tuple_type) @name
  (unit_type) @name
  (function_type) @name
  (macro_invocation) @name
]) @definition.impl

(mod_item name: (identifier) @name) @definition.module
(type_item name: (type_identifier) @name) @definition.type
(associated_type name: (type_identifier) @name) @definition.type
(macro_definition name: (identifier) @name) @definition.macro
(const_item name: (identifier) @name) @definition.constant
(static_item name: (identifier) @name) @definition.variable

;; References
(use_declaration) @within.import
(extern_crate_declaration) @within.import
(lifetime) @within.nothing
(label) @within.nothing
((type_identifier) @reference.nothing (#eq? @reference.nothing "Self"))
((identifier) @reference.nothing (#eq? @reference.nothing "Self"))

(call_expression function: [
  (identifier) @reference.call
  (scoped_identifier name: (identifier) @reference.call)
  (field_expression field: (field_identifier) @reference.call)
  (generic_function function: [
    (identifier) @reference.call
    (scoped_identifier name: (identifier) @reference.call)
    (field_expression field: (field_identifier) @reference.call)
  ])
])
(macro_invocation macro: [
  (identifier) @reference.call
  (scoped_identifier name: (identifier) @reference.call)
])

; What `derive` is given are traits; any other attribute is called, if it is of a macro.
((attribute (identifier) @_derive arguments: (token_tree (identifier) @reference.type))
  (#eq? @_derive "derive"))
(attribute [
  (identifier) @reference.call
  (scoped_identifier name: (identifier) @reference.call)
])

; What a macro is given is read as tokens.
(token_tree (identifier) @reference.call . (token_tree "("))
(token_tree (identifier) @reference.call . "!" . (token_tree))
((token_tree (identifier) @reference.type . "::") (#match? @reference.type "^[A-Z]"))

(type_identifier) @reference.type
; `Vec` of `Vec::new` is a type; a module would not begin with a capital.
((scoped_identifier path: (identifier) @reference.type) (#match? @reference.type "^[A-Z]"))
((scoped_type_identifier path: (identifier) @reference.type) (#match? @reference.type "^[A-Z]"))

[(identifier) (field_identifier) (shorthand_field_identifier)] @reference.use
