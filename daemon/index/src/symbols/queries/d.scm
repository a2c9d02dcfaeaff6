(module_declaration (module_fqn) @name) @definition.module

(class_declaration (identifier) @name (aggregate_body) @body) @definition.class
(struct_declaration (identifier) @name (aggregate_body) @body) @definition.struct
(union_declaration (identifier) @name (aggregate_body) @body) @definition.union
(interface_declaration (identifier) @name (aggregate_body) @body) @definition.interface
(enum_declaration (identifier) @name) @definition.enum
(enum_member . (identifier) @name) @definition.enumerator
(template_declaration (identifier) @name) @definition.trait
(alias_initializer . (identifier) @name) @definition.type

(constructor (this) @name (function_body) @body) @definition.constructor
(function_declaration (identifier) @name (function_body) @body) @definition.function.method
(function_declaration (identifier) @name) @definition.function.method

; What these declare is their own.
(unittest_declaration) @local
(function_literal) @local
(manifest_declarator . (identifier) @name) @definition.constant
(variable_declaration (declarator . (identifier) @name)) @definition.variable.field
(auto_declaration variable: (identifier) @name) @definition.variable.field

;; References
(import_declaration) @within.import
(new_expression (type (identifier) @reference.call .))
(new_expression (type (template_instance . (identifier) @reference.call)))
(call_expression . [
  (identifier) @reference.call
  (type (identifier) @reference.call .)
  (property_expression (identifier) @reference.call .)
  (template_instance . (identifier) @reference.call)
  (property_expression (template_instance . (identifier) @reference.call))
])
; What is asked for something looks like a part of a type.
(call_expression . (type (identifier) @reference.use))
(at_attribute (identifier) @reference.call)
(property_expression (template_instance . (identifier) @reference.call) .)

(base_class (identifier) @reference.type)
(type (identifier) @reference.type)
(type (template_instance . (identifier) @reference.type))
(identifier) @reference.use
