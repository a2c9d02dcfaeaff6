(interface_declaration name: (_) @name) @definition.interface
(type_alias_declaration name: (_) @name value: (object_type "{" @body)) @definition.type
(type_alias_declaration name: (_) @name) @definition.type
(enum_declaration name: (_) @name) @definition.enum
(enum_body name: [(property_identifier) (string)] @name @definition.enumerator)
(enum_assignment name: [(property_identifier) (string)] @name) @definition.enumerator
(abstract_class_declaration name: (_) @name) @definition.class
(internal_module name: (_) @name) @definition.module
(module name: (_) @name) @definition.module

; What is only declared, or overloaded, is defined as far as TypeScript is concerned.
(function_signature name: (_) @name) @definition.function
(abstract_method_signature name: [
  (property_identifier) (private_property_identifier) (string)] @name) @definition.method
(method_signature name: [
  (property_identifier) (private_property_identifier) (string)] @name) @definition.method
(property_signature name: [
  (property_identifier) (private_property_identifier) (string)] @name) @definition.field

(public_field_definition
  name: [(property_identifier) (private_property_identifier) (string)] @name
  value: [
    (arrow_function body: (_) @body)
    (function_expression body: (_) @body)
  ]) @definition.method
(public_field_definition
  name: [(property_identifier) (private_property_identifier) (string)] @name) @definition.field
; A parameter of a constructor with a modifier is a field of the class.
(required_parameter [(accessibility_modifier) "readonly"]
  pattern: (identifier) @name) @definition.field
(optional_parameter [(accessibility_modifier) "readonly"]
  pattern: (identifier) @name) @definition.field

(ambient_declaration (lexical_declaration "const"
  (variable_declarator name: (identifier) @name)) @definition.constant)
(ambient_declaration (lexical_declaration
  (variable_declarator name: (identifier) @name)) @definition.variable)
(ambient_declaration (variable_declaration
  (variable_declarator name: (identifier) @name)) @definition.variable)

; What stands in a namespace without being exported.
(internal_module (statement_block (lexical_declaration "const"
  (variable_declarator name: (identifier) @name)) @definition.constant))
(internal_module (statement_block (lexical_declaration
  (variable_declarator name: (identifier) @name)) @definition.variable))
(module (statement_block (lexical_declaration "const"
  (variable_declarator name: (identifier) @name)) @definition.constant))
(module (statement_block (lexical_declaration
  (variable_declarator name: (identifier) @name)) @definition.variable))

; Objects with `as const` or `satisfies`.
(program (lexical_declaration (variable_declarator value: [
  (as_expression (object (pair key: [(property_identifier) (string)] @name) @definition.property))
  (satisfies_expression (object
    (pair key: [(property_identifier) (string)] @name) @definition.property))
])))
(export_statement declaration: (lexical_declaration (variable_declarator value: [
  (as_expression (object (pair key: [(property_identifier) (string)] @name) @definition.property))
  (satisfies_expression (object
    (pair key: [(property_identifier) (string)] @name) @definition.property))
])))

;; References
(extends_clause value: [
  (identifier) @reference.type
  (member_expression property: (property_identifier) @reference.type)
])
(import_require_clause) @within.import
(import_require_clause source: (string) @reference.import)
(import_alias) @within.import
(type_identifier) @reference.type
