(module_definition name: (identifier) @name) @definition.module

(struct_definition (type_head [
  (identifier) @name
  (parametrized_type_expression . (identifier) @name)
  (binary_expression . (identifier) @name)
  (binary_expression . (parametrized_type_expression . (identifier) @name))
])) @definition.struct
(abstract_definition (type_head [
  (identifier) @name
  (parametrized_type_expression . (identifier) @name)
  (binary_expression . (identifier) @name)
  (binary_expression . (parametrized_type_expression . (identifier) @name))
])) @definition.type
(primitive_definition (type_head [
  (identifier) @name
  (binary_expression . (identifier) @name)
])) @definition.type
(struct_definition (identifier) @name @definition.field)
(struct_definition (typed_expression . (identifier) @name) @definition.field)
(struct_definition (assignment . [
  (identifier) @name
  (typed_expression . (identifier) @name)
]) @definition.field)

((macrocall_expression
  (macro_identifier (identifier) @_macro)
  (macro_argument_list . [
    (identifier) @name
    (typed_expression . (identifier) @name)
  ])) @definition.enum
  (#eq? @_macro "enum"))
((macrocall_expression
  (macro_identifier (identifier) @_macro)
  (macro_argument_list . (_) (identifier) @name @definition.enumerator))
  (#eq? @_macro "enum"))

; A function has its signature before it, in one form or the other, with the type of its result and with
; conditions.
(function_definition (signature [
  (identifier) @name
  (call_expression . [
    (identifier) @name
    (operator) @name
    (parametrized_type_expression . (identifier) @name)
    (field_expression value: (_) @scope [
      (identifier) @name
      (quote_expression (operator) @name)
    ] .)
  ])
  (typed_expression . (call_expression . [
    (identifier) @name
    (operator) @name
    (field_expression value: (_) @scope (identifier) @name .)
  ]))
  (where_expression . [
    (call_expression . [
      (identifier) @name
      (operator) @name
      (parametrized_type_expression . (identifier) @name)
      (field_expression value: (_) @scope (identifier) @name .)
    ])
    (typed_expression . (call_expression . [
      (identifier) @name
      (operator) @name
      (field_expression value: (_) @scope (identifier) @name .)
    ]))
  ])
]) . (_)? @body) @definition.function.method
(assignment . [
  (call_expression . [
    (identifier) @name
    (operator) @name
    (parametrized_type_expression . (identifier) @name)
    (field_expression value: (_) @scope [
      (identifier) @name
      (quote_expression (operator) @name)
    ] .)
  ])
  (typed_expression . (call_expression . (identifier) @name))
  (where_expression . [
    (call_expression . [
      (identifier) @name
      (operator) @name
      (parametrized_type_expression . (identifier) @name)
      (field_expression value: (_) @scope (identifier) @name .)
    ])
    (typed_expression . (call_expression . (identifier) @name))
  ])
] . (operator) @body) @definition.function.method
(macro_definition (signature (call_expression . [(identifier) (operator)] @name)) . (_)? @body)
  @definition.macro
(arrow_function_expression) @local
(do_clause) @local
(let_statement) @local

(const_statement (assignment . [
  (identifier) @name
  (typed_expression . (identifier) @name)
])) @definition.constant
(global_statement (assignment . [
  (identifier) @name
  (typed_expression . (identifier) @name)
])) @definition.variable
(source_file (assignment . (identifier) @name) @assignment.variable)
(module_definition (assignment . (identifier) @name) @assignment.variable)

;; References
(using_statement) @within.import
(import_statement) @within.import
((call_expression
  . (identifier) @_include (argument_list . (string_literal (content) @reference.import)))
  (#eq? @_include "include"))
(call_expression . (identifier) @reference.call)
(call_expression . (field_expression (identifier) @reference.call .))
(call_expression . (parametrized_type_expression . (identifier) @reference.call))
(broadcast_call_expression . (identifier) @reference.call)
(broadcast_call_expression . (field_expression (identifier) @reference.call .))
(macro_identifier (identifier) @reference.call)
((binary_expression (operator) @_pipe . (identifier) @reference.call .)
  (#any-of? @_pipe "|>" ".|>"))
(typed_expression (_) (identifier) @reference.type .)
(unary_typed_expression (identifier) @reference.type)
(parametrized_type_expression . (identifier) @reference.type)
(curly_expression (identifier) @reference.type)
((binary_expression (operator) @_operator . (identifier) @reference.type .)
  (#any-of? @_operator "isa" "<:" ">:"))
(identifier) @reference.use
