(namespace_definition name: (namespace_name) @name body: (_)) @definition.module
; Without a body a namespace reaches to the next one.
(namespace_definition name: (namespace_name) @name !body) @reach.module.1

(class_declaration name: (name) @name) @definition.class
(interface_declaration name: (name) @name) @definition.interface
(trait_declaration name: (name) @name) @definition.trait
(enum_declaration name: (name) @name) @definition.enum
(enum_case name: (name) @name) @definition.enumerator

(function_definition name: (name) @name) @definition.function
((method_declaration name: (name) @name) @definition.constructor
  (#eq? @name "__construct"))
(method_declaration name: (name) @name) @definition.method

(property_declaration (property_element name: (variable_name (name) @name))) @definition.field
(property_promotion_parameter name: (variable_name (name) @name)) @definition.field

(const_declaration (const_element . (name) @name)) @definition.constant
(function_call_expression
  function: (name) @_call
  arguments: (arguments . (argument [
    (string (string_content) @name)
    (encapsed_string . (string_content) @name .)
  ]))
  (#eq? @_call "define")) @definition.constant

; Functions without a name keep their variables.
(program (expression_statement
  (assignment_expression left: (variable_name (name) @name)) @assignment.variable))

;; References
(namespace_use_declaration) @within.import
(require_expression [
  (string (string_content) @reference.import)
  (encapsed_string . (string_content) @reference.import .)
])
(require_once_expression [
  (string (string_content) @reference.import)
  (encapsed_string . (string_content) @reference.import .)
])
(include_expression [
  (string (string_content) @reference.import)
  (encapsed_string . (string_content) @reference.import .)
])
(include_once_expression [
  (string (string_content) @reference.import)
  (encapsed_string . (string_content) @reference.import .)
])
(require_expression (binary_expression right: (string (string_content) @reference.import)))
(require_once_expression (binary_expression right: (string (string_content) @reference.import)))
(include_expression (binary_expression right: (string (string_content) @reference.import)))
(include_once_expression (binary_expression right: (string (string_content) @reference.import)))
; Words of the language.
((name) @reference.nothing (#any-of? @reference.nothing "self" "static" "parent"))
((name) @reference.nothing (#match? @reference.nothing "^__[A-Z]+__$"))
((variable_name (name) @reference.nothing) (#eq? @reference.nothing "this"))
(named_label_statement (name) @reference.nothing)
(goto_statement (name) @reference.nothing)

(function_call_expression function: [
  (name) @reference.call
  (qualified_name (name) @reference.call .)
  (relative_name (name) @reference.call .)
])
(member_call_expression name: (name) @reference.call)
(nullsafe_member_call_expression name: (name) @reference.call)
(scoped_call_expression name: (name) @reference.call)
(object_creation_expression [
  (name) @reference.call
  (qualified_name (name) @reference.call .)
  (relative_name (name) @reference.call .)
])

; The namespace of a type is none.
(qualified_name prefix: (_) @within.use)
(named_type) @within.type
(base_clause) @within.type
(class_interface_clause) @within.type
(use_declaration) @within.type
(attribute [(name) (qualified_name)] @within.type)
(scoped_call_expression scope: [(name) (qualified_name)] @within.type)
(scoped_property_access_expression scope: [(name) (qualified_name)] @within.type)
(class_constant_access_expression . [(name) (qualified_name)] @within.type)
(binary_expression "instanceof" right: [(name) (qualified_name)] @within.type)

(name) @reference.use
