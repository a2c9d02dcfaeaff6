; Read together with c.scm, whose patterns come after these.

; A constructor has no type of its own. Its signature ends before the initialisers.
(field_declaration_list (function_definition !type
  declarator: (function_declarator declarator: (identifier) @name)
  (field_initializer_list) @body) @definition.constructor)
(field_declaration_list (function_definition !type
  declarator: (function_declarator declarator: (identifier) @name)) @definition.constructor)
(field_declaration_list (template_declaration (function_definition !type
  declarator: (function_declarator declarator: (identifier) @name)) @definition.constructor))
(field_declaration_list (declaration !type
  declarator: (function_declarator declarator: (identifier) @name)) @definition.constructor)
(field_declaration_list (template_declaration (declaration !type
  declarator: (function_declarator declarator: (identifier) @name)) @definition.constructor))
(function_definition !type
  declarator: (function_declarator declarator: [
    (qualified_identifier name: (destructor_name))
    (qualified_identifier name: (qualified_identifier name: (destructor_name)))
  ] @declarator)) @definition.method
(function_definition !type
  declarator: (function_declarator declarator: (qualified_identifier) @declarator)
  (field_initializer_list) @body) @definition.constructor
(function_definition !type
  declarator: (function_declarator declarator: (qualified_identifier) @declarator))
  @definition.constructor

; In a class a function is a method, and so is one that is defined as `A::f`.
(function_definition declarator: (_) @declarator) @definition.function.method
(field_declaration_list (declaration declarator: (_) @declarator) @definition.variable.field)
(template_declaration (declaration declarator: (_) @declarator) @definition.variable.field)

(class_specifier name: (_) @declarator body: (_)) @definition.class
(struct_specifier name: (_) @declarator body: (_)) @definition.struct
(union_specifier name: (_) @declarator body: (_)) @definition.union
(enum_specifier name: (_) @declarator body: (_)) @definition.enum

(namespace_definition name: (_) @declarator) @definition.module
(namespace_alias_definition name: (_) @name) @definition.module
(alias_declaration name: (type_identifier) @name) @definition.type
(concept_definition name: (identifier) @name) @definition.type

;; References
(using_declaration) @within.import
; To the grammar these are functions.
((identifier) @reference.nothing (#any-of? @reference.nothing
  "static_cast" "dynamic_cast" "const_cast" "reinterpret_cast"))

(call_expression function: [
  (template_function name: (identifier) @reference.call)
  (field_expression field: (template_method name: (field_identifier) @reference.call))
  (field_expression field: (dependent_name
    (template_method name: (field_identifier) @reference.call)))
  (field_expression field: (qualified_identifier name: (identifier) @reference.call))
])
; `a::b::c` has the rest of it as its name.
(call_expression function: (qualified_identifier name: [
  (identifier) @reference.call
  (template_function name: (identifier) @reference.call)
  (qualified_identifier name: [
    (identifier) @reference.call
    (template_function name: (identifier) @reference.call)
    (qualified_identifier name: [
      (identifier) @reference.call
      (template_function name: (identifier) @reference.call)
      (qualified_identifier name: [
        (identifier) @reference.call
        (template_function name: (identifier) @reference.call)
      ])
    ])
  ])
]))
(new_expression type: [
  (type_identifier) @reference.call
  (template_type name: (type_identifier) @reference.call)
  (qualified_identifier name: [
    (type_identifier) @reference.call
    (template_type name: (type_identifier) @reference.call)
    (qualified_identifier name: [
      (type_identifier) @reference.call
      (template_type name: (type_identifier) @reference.call)
    ])
  ])
])
; `Tree` of `Tree::insert` is a type; few namespaces begin with a capital.
((namespace_identifier) @reference.type (#match? @reference.type "^[A-Z]"))
(namespace_identifier) @reference.use
