(library_name (dotted_identifier_list) @name) @definition.module

(class_declaration name: (identifier) @name) @definition.class
(mixin_declaration name: (identifier) @name) @definition.trait
(extension_declaration name: (identifier) @name) @definition.class
(extension_type_declaration name: (identifier) @name) @definition.class
(extension_type_declaration name: (extension_type_name (identifier) @name)) @definition.class
(enum_declaration name: (identifier) @name) @definition.enum
(enum_entry name: (identifier) @name) @definition.enumerator
(type_alias (type_identifier) @name) @definition.type

(function_declaration
  signature: (function_signature name: (identifier) @name)) @definition.function
(external_function_declaration
  signature: (function_signature name: (identifier) @name)) @definition.function
(local_function_declaration
  (function_signature name: (identifier) @name) (function_body) @body) @definition.function
(getter_declaration
  signature: (getter_signature name: (identifier) @name) body: (_) @body) @definition.property
(setter_declaration
  signature: (setter_signature name: (identifier) @name) body: (_) @body) @definition.property

; A constructor with a name of its own says that of its class, too.
(_ (_ (constructor_signature name: (identifier) @name . parameters: (_))))
  @definition.constructor
(_ (declaration (constant_constructor_signature name: (identifier) @name . parameters: (_))))
  @definition.constructor
(method_declaration signature: (method_signature
  (factory_constructor_signature name: (identifier) @name . parameters: (_))))
  @definition.constructor
(declaration (factory_constructor_signature name: (identifier) @name . parameters: (_)))
  @definition.constructor
(declaration (redirecting_factory_constructor_signature
  name: (identifier) @name . parameters: (_))) @definition.constructor

(method_declaration
  signature: (method_signature (function_signature name: (identifier) @name)))
  @definition.method
(method_declaration
  signature: (method_signature (operator_signature operator: (_) @name))) @definition.method
(method_declaration
  signature: (method_signature (getter_signature name: (identifier) @name)) body: (_) @body)
  @definition.property
(method_declaration
  signature: (method_signature (setter_signature name: (identifier) @name)) body: (_) @body)
  @definition.property
(declaration (function_signature name: (identifier) @name)) @definition.method
(declaration (operator_signature operator: (_) @name)) @definition.method
(declaration (getter_signature name: (identifier) @name)) @definition.property
(declaration (setter_signature name: (identifier) @name)) @definition.property

; What a function without a name declares is its own.
(function_expression) @local
(declaration "const" (static_final_declaration_list
  (static_final_declaration name: (identifier) @name))) @definition.constant
(declaration (static_final_declaration_list
  (static_final_declaration name: (identifier) @name))) @definition.field
(declaration (initialized_identifier_list
  (initialized_identifier name: (identifier) @name))) @definition.field
(top_level_variable_declaration "const" (static_final_declaration_list
  (static_final_declaration name: (identifier) @name))) @definition.constant
(top_level_variable_declaration (static_final_declaration_list
  (static_final_declaration name: (identifier) @name))) @definition.variable
(top_level_variable_declaration (initialized_identifier_list
  (initialized_identifier name: (identifier) @name))) @definition.variable

;; References
(import_specification) @within.import
(library_export) @within.import
(part_directive) @within.import
(part_of_directive) @within.import
(uri (string_literal) @reference.import)
(break_statement (identifier) @reference.nothing)
(continue_statement (identifier) @reference.nothing)
(labeled_statement . (identifier) @reference.nothing)

(call_expression function: [
  (identifier) @reference.call
  (member_expression property: (identifier) @reference.call)
  (null_aware_member_expression property: (identifier) @reference.call)
  (instantiation_expression . (identifier) @reference.call)
])
(cascade_call_expression property: (identifier) @reference.call)
(new_expression type: (type (type_identifier) @reference.call))
(new_expression constructor: (identifier) @reference.call)
(const_object_expression type: (type (type_identifier) @reference.call))
(const_object_expression constructor: (identifier) @reference.call)
(constructor_invocation type: (type_identifier) @reference.call)
(constructor_invocation constructor: (identifier) @reference.call)
(annotation name: [
  (identifier) @reference.call
  (qualified_name (identifier) @reference.call .)
])

(type_identifier) @reference.type
; What begins with a capital and is asked for something is a type.
((member_expression object: (identifier) @reference.type) (#match? @reference.type "^[A-Z]"))

[(identifier) (identifier_dollar_escaped)] @reference.use
