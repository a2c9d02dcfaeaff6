(contract_declaration name: (identifier) @name) @definition.class
(interface_declaration name: (identifier) @name) @definition.interface
(library_declaration name: (identifier) @name) @definition.class
(struct_declaration name: (identifier) @name) @definition.struct
(struct_member name: (identifier) @name) @definition.field
(enum_declaration name: (identifier) @name) @definition.enum
(enum_value) @name @definition.enumerator
(event_definition name: (identifier) @name) @definition.type
(error_declaration name: (identifier) @name) @definition.type
(user_defined_type_definition name: (identifier) @name) @definition.type

(function_definition name: (identifier) @name) @definition.function.method
(modifier_definition name: (identifier) @name) @definition.function.method
(constructor_definition "constructor" @name) @definition.constructor
(fallback_receive_definition ["fallback" "receive"] @name) @definition.method
(state_variable_declaration "constant" name: (identifier) @name) @definition.constant
(state_variable_declaration name: (identifier) @name) @definition.field
(constant_variable_declaration name: (identifier) @name) @definition.constant

;; References
(import_directive) @within.import
(import_directive source: (string) @reference.import)
(new_expression name: (type_name (user_defined_type (identifier) @reference.call .)))
(call_expression function: (expression [
  (identifier) @reference.call
  (member_expression property: (identifier) @reference.call)
  (struct_expression type: (expression [
    (identifier) @reference.call
    (member_expression property: (identifier) @reference.call)
  ]))
]))
(emit_statement name: (expression (identifier) @reference.call))
(revert_statement error: (expression (identifier) @reference.call))
(modifier_invocation (identifier) @reference.call)

(user_defined_type (identifier) @reference.type)
(type_alias (identifier) @reference.type)
((member_expression object: (identifier) @reference.type)
  (#match? @reference.type "^[A-Z].*[a-z]"))
(identifier) @reference.use
