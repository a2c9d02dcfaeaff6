(class_declaration declaration_kind: ["class" "actor"] name: (type_identifier) @name)
  @definition.class
(class_declaration declaration_kind: "struct" name: (type_identifier) @name) @definition.struct
(class_declaration declaration_kind: "enum" name: (type_identifier) @name) @definition.enum
; An extension has the name of its type.
(class_declaration declaration_kind: "extension"
  name: (user_type (type_identifier) @name .)) @definition.impl
(class_declaration declaration_kind: "extension"
  name: (user_type (type_identifier) @name . (type_arguments))) @definition.impl
(protocol_declaration name: (type_identifier) @name) @definition.interface
(typealias_declaration name: (type_identifier) @name) @definition.type
(associatedtype_declaration name: (type_identifier) @name) @definition.type
(enum_entry name: (simple_identifier) @name) @definition.enumerator

(function_declaration "func" . name: _ @name) @definition.function.method
(protocol_function_declaration "func" . name: _ @name) @definition.method
(init_declaration name: "init" @name) @definition.constructor
(deinit_declaration "deinit" @name) @definition.method
(subscript_declaration "subscript" @name (computed_property) @body) @definition.property
(macro_declaration "macro" . (simple_identifier) @name) @definition.macro

; What these declare is their own.
(lambda_literal) @local
(computed_property) @local
(willset_didset_block) @local

(protocol_property_declaration
  name: (pattern bound_identifier: (simple_identifier) @name)) @definition.property
(property_declaration
  name: (pattern bound_identifier: (simple_identifier) @name) computed_value: (_) @body)
  @definition.variable.property
(property_declaration (value_binding_pattern mutability: "let")
  name: (pattern bound_identifier: (simple_identifier) @name)) @definition.constant.property
(property_declaration
  name: (pattern bound_identifier: (simple_identifier) @name)) @definition.variable.property

;; References
(attribute (user_type (type_identifier) @reference.type))
(import_declaration) @within.import
; The first parameter of a closure.
((simple_identifier) @reference.nothing (#match? @reference.nothing "^[$][0-9]"))

(call_expression . [
  (simple_identifier) @reference.call
  (navigation_expression suffix: (navigation_suffix suffix: (simple_identifier) @reference.call))
  (prefix_expression operation: "." target: (simple_identifier) @reference.call)
])
(constructor_expression constructed_type: (user_type (type_identifier) @reference.call .))
(constructor_expression
  constructed_type: (user_type (type_identifier) @reference.call . (type_arguments)))
(macro_invocation (simple_identifier) @reference.call)

(type_identifier) @reference.type
(inheritance_constraint constrained_type: (identifier) @within.type)
(equality_constraint constrained_type: (identifier) @within.type)
; What begins with a capital is a type.
((navigation_expression target: (simple_identifier) @reference.type)
  (#match? @reference.type "^[A-Z]"))
((array_literal . element: (simple_identifier) @reference.type .)
  (#match? @reference.type "^[A-Z]"))

(simple_identifier) @reference.use
