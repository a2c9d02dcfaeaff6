(package_declaration [(identifier) (scoped_identifier)] @name) @definition.module
(module_declaration name: (_) @name) @definition.module

(class_declaration name: (identifier) @name) @definition.class
(interface_declaration name: (identifier) @name) @definition.interface
(annotation_type_declaration name: (identifier) @name) @definition.interface
(record_declaration name: (identifier) @name parameters: (_) ) @definition.struct
(record_declaration parameters: (formal_parameters
  (formal_parameter name: (identifier) @name) @definition.field))
(enum_declaration name: (identifier) @name) @definition.enum
(enum_constant name: (identifier) @name) @definition.enumerator

(method_declaration name: (identifier) @name) @definition.method
(annotation_type_element_declaration name: (identifier) @name) @definition.method
(constructor_declaration name: (identifier) @name) @definition.constructor
(compact_constructor_declaration name: (identifier) @name) @definition.constructor

(field_declaration (modifiers "static" "final")
  declarator: (variable_declarator name: (identifier) @name)) @definition.constant
(field_declaration (modifiers "final" "static")
  declarator: (variable_declarator name: (identifier) @name)) @definition.constant
(field_declaration
  declarator: (variable_declarator name: (identifier) @name)) @definition.field
(constant_declaration
  declarator: (variable_declarator name: (identifier) @name)) @definition.constant

;; References
(import_declaration) @within.import
(requires_module_directive) @within.import
(labeled_statement . (identifier) @reference.nothing)
(break_statement (identifier) @reference.nothing)
(continue_statement (identifier) @reference.nothing)

(method_invocation name: (identifier) @reference.call)
(object_creation_expression type: [
  (type_identifier) @reference.call
  (scoped_type_identifier (type_identifier) @reference.call .)
  (generic_type (type_identifier) @reference.call)
  (generic_type (scoped_type_identifier (type_identifier) @reference.call .))
])

(marker_annotation name: [
  (identifier) @reference.type
  (scoped_identifier name: (identifier) @reference.type)
])
(annotation name: [
  (identifier) @reference.type
  (scoped_identifier name: (identifier) @reference.type)
])
(record_pattern (identifier) @reference.type)
; A package before a type.
((scoped_type_identifier . (type_identifier) @reference.use) (#match? @reference.use "^[a-z]"))
((scoped_type_identifier (scoped_type_identifier) . (type_identifier) @reference.use)
  (#match? @reference.use "^[a-z]"))
(type_identifier) @reference.type
; `List` of `List.of` is a type; constants have no small letter.
((method_invocation object: (identifier) @reference.type)
  (#match? @reference.type "^[A-Z].*[a-z]"))
((field_access object: (identifier) @reference.type)
  (#match? @reference.type "^[A-Z].*[a-z]"))
((method_reference . (identifier) @reference.type) (#match? @reference.type "^[A-Z].*[a-z]"))

(identifier) @reference.use
