(namespace_declaration name: (_) @name) @definition.module
(file_scoped_namespace_declaration name: (_) @name) @reach.module.1

(class_declaration name: (identifier) @name) @definition.class
(struct_declaration name: (identifier) @name) @definition.struct
(record_declaration name: (identifier) @name) @definition.struct
(record_declaration (parameter_list (parameter name: (identifier) @name) @definition.property))
(interface_declaration name: (identifier) @name) @definition.interface
(enum_declaration name: (identifier) @name) @definition.enum
(enum_member_declaration name: (identifier) @name) @definition.enumerator
(delegate_declaration name: (identifier) @name) @definition.type

(method_declaration name: (identifier) @name) @definition.method
(local_function_statement name: (identifier) @name) @definition.function
(constructor_declaration name: (identifier) @name) @definition.constructor
(destructor_declaration "~" @name name: (identifier) @name) @definition.method
(operator_declaration "operator" @name operator: _ @name) @definition.method
(conversion_operator_declaration "operator" @name type: (_) @name) @definition.method

(property_declaration
  name: (identifier) @name accessors: (_) @body) @definition.property
(property_declaration name: (identifier) @name value: (_) @body) @definition.property
(property_declaration name: (identifier) @name) @definition.property
(indexer_declaration "this" @name accessors: (_) @body) @definition.property
(indexer_declaration "this" @name value: (_) @body) @definition.property
(event_declaration name: (identifier) @name accessors: (_) @body) @definition.property
(event_field_declaration (variable_declaration
  (variable_declarator name: (identifier) @name))) @definition.property
(field_declaration (modifier "const") (variable_declaration
  (variable_declarator name: (identifier) @name))) @definition.constant
(field_declaration (modifier "static") (modifier "readonly") (variable_declaration
  (variable_declarator name: (identifier) @name))) @definition.constant
(field_declaration (variable_declaration
  (variable_declarator name: (identifier) @name))) @definition.field

;; References
(using_directive) @within.import
(extern_alias_directive) @within.import
(labeled_statement . (identifier) @reference.nothing)
(goto_statement "goto" . (identifier) @reference.nothing)
; A word of the compiler's where others may stand.
((identifier) @reference.nothing (#any-of? @reference.nothing "var" "nameof" "_"))

(invocation_expression function: [
  (identifier) @reference.call
  (generic_name . (identifier) @reference.call)
  (member_access_expression name: (identifier) @reference.call)
  (member_access_expression name: (generic_name . (identifier) @reference.call))
  (conditional_access_expression (member_binding_expression name: (identifier) @reference.call))
  (conditional_access_expression
    (member_binding_expression name: (generic_name . (identifier) @reference.call)))
])
(object_creation_expression type: [
  (identifier) @reference.call
  (generic_name . (identifier) @reference.call)
  (qualified_name name: (identifier) @reference.call)
  (qualified_name name: (generic_name . (identifier) @reference.call))
])

; A type is whatever stands in its place, but for the values that may stand in it.
(array_rank_specifier) @within.use
(primary_constructor_base_type (argument_list) @within.use)
(base_list (argument_list) @within.use)
(qualified_name qualifier: (identifier) @reference.use)
(_ type: (_) @within.type)
(_ returns: (_) @within.type)
(base_list) @within.type
(type_argument_list) @within.type
(type_parameter) @within.type
(type_parameter_constraints_clause) @within.type
(as_expression right: (_) @within.type)
(is_expression right: (_) @within.type)
(explicit_interface_specifier) @within.type
(attribute name: (_) @within.type)

(identifier) @reference.use
