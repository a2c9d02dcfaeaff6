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
