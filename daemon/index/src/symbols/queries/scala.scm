(package_clause name: (package_identifier) @name) @definition.module
(package_object name: (_) @name) @definition.module

(class_definition name: (_) @name) @definition.class
(object_definition name: (_) @name) @definition.class
(trait_definition name: (_) @name) @definition.trait
(enum_definition name: (_) @name) @definition.enum
(simple_enum_case name: (_) @name) @definition.enumerator
(full_enum_case name: (_) @name) @definition.enumerator
(type_definition name: (type_identifier) @name) @definition.type
; One with members is an object.
(given_definition name: (_) @name body: (with_template_body)) @definition.class
(given_definition name: (_) @name body: (template_body)) @definition.class
(given_definition name: (_) @name) @definition.constant

((function_definition name: (identifier) @name) @definition.constructor (#eq? @name "this"))
(function_definition name: (_) @name) @definition.function.method
(function_declaration name: (_) @name) @definition.function.method

; What these declare is their own.
(block) @local
(indented_block) @local
(case_block) @local
(lambda_expression) @local

(val_definition pattern: (identifier) @name) @definition.constant.field
(val_definition pattern: (identifiers (identifier) @name)) @definition.constant.field
(val_definition pattern: (tuple_pattern (identifier) @name)) @definition.constant.field
(val_declaration name: (_) @name) @definition.constant.field
(var_definition pattern: (identifier) @name) @definition.variable.field
(var_definition pattern: (tuple_pattern (identifier) @name)) @definition.variable.field
(var_declaration name: (_) @name) @definition.variable.field
(class_parameter ["val" "var"] name: (_) @name) @definition.field
(class_definition "case"
  class_parameters: (class_parameters (class_parameter name: (_) @name) @definition.field))

;; References
(import_declaration) @within.import
(export_declaration) @within.import
(interpolated_string_expression interpolator: (identifier) @reference.nothing)
((identifier) @reference.nothing (#any-of? @reference.nothing "this" "super"))

(call_expression function: [
  (identifier) @reference.call
  (field_expression field: (identifier) @reference.call)
  (generic_function function: [
    (identifier) @reference.call
    (field_expression field: (identifier) @reference.call)
  ])
])
(infix_expression operator: (identifier) @reference.call)
(instance_expression [
  (type_identifier) @reference.call
  (stable_type_identifier (type_identifier) @reference.call)
  (generic_type type: (type_identifier) @reference.call)
  (generic_type type: (stable_type_identifier (type_identifier) @reference.call))
  (compound_type base: [
    (type_identifier) @reference.call
    (generic_type type: (type_identifier) @reference.call)
    (applied_constructor_type [
      (type_identifier) @reference.call
      (stable_type_identifier (type_identifier) @reference.call)
      (generic_type type: (type_identifier) @reference.call)
      (generic_type type: (stable_type_identifier (type_identifier) @reference.call))
    ])
  ])
])

(type_identifier) @reference.type
(type_parameters name: (identifier) @reference.type)
(covariant_type_parameter name: (identifier) @reference.type)
(contravariant_type_parameter name: (identifier) @reference.type)
(singleton_type (identifier) @reference.type)
; What begins with a capital and is asked for something is an object.
((field_expression value: (identifier) @reference.type)
  (#match? @reference.type "^[A-Z].*[a-z]"))
((stable_identifier . (identifier) @reference.type) (#match? @reference.type "^[A-Z].*[a-z]"))

(identifier) @reference.use
