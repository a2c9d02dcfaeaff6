(function_declaration name: (identifier) @name) @definition.function
(function_declaration
  name: (dot_index_expression table: (_) @scope field: (identifier) @name)) @definition.function
(function_declaration
  name: (method_index_expression table: (_) @scope method: (identifier) @name))
  @definition.method

; What a function without a name declares is its own.
(function_definition) @local
(variable_declaration (assignment_statement
  (variable_list . name: (identifier) @name .)
  (expression_list . value: (function_definition body: (_) @body) .))) @definition.function
(assignment_statement
  (variable_list . name: (identifier) @name .)
  (expression_list . value: (function_definition body: (_) @body) .)) @definition.function
(assignment_statement
  (variable_list . name: (dot_index_expression table: (_) @scope field: (identifier) @name) .)
  (expression_list . value: (function_definition) .)) @definition.function
(field name: (identifier) @name value: (function_definition)) @definition.function
(field name: (string content: (string_content) @name) value: (function_definition))
  @definition.function

; What a file says at its outermost, where it does so first.
(chunk (variable_declaration (assignment_statement
  (variable_list name: (identifier) @name))) @assignment.variable)
(chunk (variable_declaration (variable_list name: (identifier) @name)) @assignment.variable)
(chunk (assignment_statement (variable_list name: (identifier) @name)) @assignment.variable)
(chunk (assignment_statement (variable_list
  name: (dot_index_expression table: (identifier) @scope field: (identifier) @name)))
  @definition.field)
(chunk (variable_declaration (assignment_statement (expression_list
  value: (table_constructor (field name: (identifier) @name) @definition.field)))))
(chunk (assignment_statement (expression_list
  value: (table_constructor (field name: (identifier) @name) @definition.field))))
(chunk (return_statement (expression_list
  (table_constructor (field name: (identifier) @name) @definition.field))))

;; References
((function_call
  name: (identifier) @_require
  arguments: (arguments . (string content: (string_content) @reference.import)))
  (#any-of? @_require "require" "dofile" "loadfile"))
(goto_statement (identifier) @reference.nothing)
(label_statement (identifier) @reference.nothing)
(attribute (identifier) @reference.nothing)

(function_call name: [
  (identifier) @reference.call
  (dot_index_expression field: (identifier) @reference.call)
  (method_index_expression method: (identifier) @reference.call)
])
(identifier) @reference.use
