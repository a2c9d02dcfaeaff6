(binary_operator
  lhs: (identifier) @name operator: ["<-" "<<-" "="]
  rhs: (function_definition body: (_) @body)) @definition.function
(binary_operator
  lhs: (string (string_content) @name) operator: ["<-" "<<-" "="]
  rhs: (function_definition body: (_) @body)) @definition.function
; What a function without a name assigns is its own.
(function_definition) @local

((binary_operator
  lhs: (identifier) @name operator: ["<-" "<<-" "="]
  rhs: (call function: (identifier) @_class arguments: (_) @body)) @definition.class
  (#any-of? @_class "R6Class" "setRefClass"))
((call function: (identifier) @_class arguments: (arguments
  (argument value: (call arguments: (arguments
    (argument name: (identifier) @name value: (function_definition)) @definition.method)))))
  (#any-of? @_class "R6Class" "setRefClass"))
((call function: (identifier) @_class arguments: (arguments
  . (argument value: (string (string_content) @name)))) @definition.class
  (#eq? @_class "setClass"))
((call function: (identifier) @_generic arguments: (arguments
  . (argument value: (string (string_content) @name))
  (argument value: (function_definition body: (_) @body)))) @definition.method
  (#any-of? @_generic "setGeneric" "setMethod"))
((call function: (identifier) @_generic arguments: (arguments
  . (argument value: (string (string_content) @name)))) @definition.method
  (#any-of? @_generic "setGeneric" "setMethod"))

; What a file says at its outermost, where it does so first.
(program (binary_operator
  lhs: (identifier) @name operator: ["<-" "<<-" "="]) @assignment.variable)
(program (binary_operator
  lhs: (string (string_content) @name) operator: ["<-" "<<-" "="]) @assignment.variable)
(program (binary_operator operator: ["->" "->>"] rhs: (identifier) @name) @assignment.variable)

;; References
((call function: (identifier) @_library arguments: (arguments
  . (argument value: [
    (identifier) @reference.import
    (string (string_content) @reference.import)
  ])))
  (#any-of? @_library "library" "require" "requireNamespace" "loadNamespace" "source"))
(namespace_operator lhs: (identifier) @reference.import)

(call function: [
  (identifier) @reference.call
  (namespace_operator rhs: (identifier) @reference.call)
  (extract_operator rhs: (identifier) @reference.call)
])
(identifier) @reference.use
