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
