(package_clause (package_identifier) @name) @definition.module

(function_declaration name: (identifier) @name) @definition.function
(method_declaration
  receiver: (parameter_list (parameter_declaration type: [
    (type_identifier) @scope
    (generic_type type: (type_identifier) @scope)
    (pointer_type (type_identifier) @scope)
    (pointer_type (generic_type type: (type_identifier) @scope))
    (parenthesized_type (pointer_type (type_identifier) @scope))
  ]))
  name: (field_identifier) @name) @definition.method
(method_declaration name: (field_identifier) @name) @definition.method
; What a literal of a function declares is its own.
(func_literal) @local

; In a group each has its line, alone the keyword too.
(type_declaration "(" (type_spec
  name: (_) @name type: (struct_type (field_declaration_list) @body)) @definition.struct)
(type_declaration "(" (type_spec
  name: (_) @name type: (interface_type "{" @body)) @definition.interface)
(type_declaration "(" [(type_spec name: (_) @name) (type_alias name: (_) @name)] @definition.type)
(type_declaration (type_spec
  name: (_) @name type: (struct_type (field_declaration_list) @body))) @definition.struct
(type_declaration (type_spec
  name: (_) @name type: (interface_type "{" @body))) @definition.interface
(type_declaration
  [(type_spec name: (_) @name) (type_alias name: (_) @name)]) @definition.type

(field_declaration name: (field_identifier) @name) @definition.field
; A type that is embedded is a field of its name.
(field_declaration !name type: [
  (type_identifier) @name
  (qualified_type name: (_) @name)
  (generic_type type: (type_identifier) @name)
  (generic_type type: (qualified_type name: (_) @name))
]) @definition.field
(method_elem name: (field_identifier) @name) @definition.method

(const_declaration "(" (const_spec (identifier) @name) @definition.constant)
(const_declaration (const_spec (identifier) @name)) @definition.constant
(var_spec_list (var_spec name: (identifier) @name) @definition.variable)
(var_declaration (var_spec name: (identifier) @name)) @definition.variable

;; References
(import_spec) @within.import
(import_spec path: (_) @reference.import)
; A type that is embedded is a field of its name, and mentioned all the same.
(field_declaration !name type: [
  (type_identifier) @also.type
  (qualified_type name: (_) @also.type)
  (generic_type type: (type_identifier) @also.type)
  (generic_type type: (qualified_type name: (_) @also.type))
])

(call_expression function: [
  (identifier) @reference.call
  (selector_expression field: (field_identifier) @reference.call)
  (index_expression operand: (identifier) @reference.call)
  (index_expression operand: (selector_expression field: (field_identifier) @reference.call))
  (type_instantiation_expression type: (type_identifier) @reference.call)
  (type_instantiation_expression type: (qualified_type name: (type_identifier) @reference.call))
])

; A function with its types looks like a conversion.
(type_conversion_expression type: (generic_type type: [
  (type_identifier) @reference.call
  (qualified_type name: (type_identifier) @reference.call)
]))

(type_identifier) @reference.type
[(identifier) (field_identifier) (package_identifier)] @reference.use
