(package_header (qualified_identifier) @name) @definition.module

(class_declaration name: (identifier) @name (enum_class_body) @body) @definition.enum
(class_declaration "interface" name: (identifier) @name (class_body) @body) @definition.interface
(class_declaration "interface" name: (identifier) @name) @definition.interface
(class_declaration name: (identifier) @name (class_body) @body) @definition.class
(class_declaration name: (identifier) @name) @definition.class
(object_declaration name: (identifier) @name (class_body) @body) @definition.class
(object_declaration name: (identifier) @name) @definition.class
(companion_object name: (identifier) @name (class_body) @body) @definition.class
(enum_entry . (modifiers)? . (identifier) @name) @definition.enumerator
(type_alias type: (identifier) @name) @definition.type

(secondary_constructor "constructor" @name (block) @body) @definition.constructor
(secondary_constructor "constructor" @name) @definition.constructor
; An extension names the type that it is a method of.
(function_declaration
  (user_type . (identifier) @scope) . name: (identifier) @name
  (function_body) @body) @definition.function.method
(function_declaration
  name: (identifier) @name (function_body) @body) @definition.function.method
(function_declaration name: (identifier) @name) @definition.function.method

; What these declare is their own.
(anonymous_initializer) @local
(lambda_literal) @local
(anonymous_function) @local
(getter) @local
(setter) @local

((property_declaration
  (modifiers (property_modifier) @_const) (variable_declaration . (identifier) @name))
  @definition.constant
  (#eq? @_const "const"))
(property_declaration
  (user_type . (identifier) @scope) . (variable_declaration . (identifier) @name))
  @definition.property
(property_declaration (variable_declaration . (identifier) @name)) @definition.variable.property
(property_declaration
  (multi_variable_declaration (variable_declaration . (identifier) @name)))
  @definition.variable.property
(class_parameter ["val" "var"] . (identifier) @name) @definition.property

;; References
(import) @within.import
; Words of the language where others may stand.
((identifier) @reference.nothing (#any-of? @reference.nothing "null" "true" "false" "class"))
(return_expression label: (identifier) @reference.nothing)
(this_expression (identifier) @reference.nothing)

(call_expression . [
  (identifier) @reference.call
  (navigation_expression (identifier) @reference.call .)
])
(infix_expression _ . (identifier) @reference.call . _)

; A package, or what a type is in, stands before it.
((user_type (identifier) @reference.use . (identifier)) (#match? @reference.use "^[a-z]"))
(user_type (identifier) @reference.type)
(type_parameter (identifier) @reference.type)
(type_constraint . (identifier) @reference.type)
; `Colour` of `Colour.RED` is a type; constants have no small letter.
((navigation_expression . (identifier) @reference.type)
  (#match? @reference.type "^[A-Z].*[a-z]"))

(identifier) @reference.use
; `$name` within a string.
((string_content) @_dollar . (string_content) @reference.use (#eq? @_dollar "$"))
