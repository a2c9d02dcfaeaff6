; What has no body ends before its `end`.
(module name: (constant) @name !body "end" @body) @definition.module
(module name: (constant) @name) @definition.module
(module name: (scope_resolution scope: (_) @scope name: (constant) @name)) @definition.module
(class name: (constant) @name !body "end" @body) @definition.class
(class name: (constant) @name) @definition.class
(class name: (scope_resolution scope: (_) @scope name: (constant) @name)) @definition.class

; `def self.f` belongs to what is around it, `def A.f` to A.
(method name: (_) @name !body "end" @body) @definition.method
(method name: (_) @name) @definition.method
(singleton_method object: (self) name: (_) @name !body "end" @body) @definition.method
(singleton_method object: (self) name: (_) @name) @definition.method
(singleton_method object: (_) @scope name: (_) @name) @definition.method
(alias name: (_) @name) @definition.method

; What Ruby's own methods define by the symbols that they are given.
(call method: (identifier) @_call arguments: (argument_list (simple_symbol) @name)
  (#any-of? @_call "attr_accessor" "attr_reader" "attr_writer" "attr")) @definition.property
(call method: (identifier) @_call arguments: (argument_list . (simple_symbol) @name)
  (#any-of? @_call "define_method" "alias_method" "define_singleton_method")) @definition.method

(assignment left: (constant) @name) @definition.constant
(assignment left: (scope_resolution scope: (_) @scope name: (constant) @name)) @definition.constant
(assignment left: (left_assignment_list (constant) @name)) @definition.constant
(operator_assignment left: (constant) @name) @assignment.constant
(program (assignment left: (global_variable) @name) @assignment.variable)

;; References
((call
  method: (identifier) @_require
  arguments: (argument_list . (string (string_content) @reference.import)))
  (#any-of? @_require "require" "require_relative" "load"))
((call
  method: (identifier) @_autoload
  arguments: (argument_list (constant)? (simple_symbol)? (string (string_content) @reference.import)))
  (#eq? @_autoload "autoload"))

((call receiver: [
    (constant) @reference.call
    (scope_resolution name: (constant) @reference.call)
  ]
  method: (identifier) @_new)
  (#eq? @_new "new"))
(call method: [(identifier) (constant)] @reference.call)

; A constant with small letters is a class or a module.
((constant) @reference.type (#match? @reference.type "[a-z]"))
(superclass (constant) @reference.type)

[
  (identifier)
  (constant)
  (instance_variable)
  (class_variable)
  (global_variable)
] @reference.use
