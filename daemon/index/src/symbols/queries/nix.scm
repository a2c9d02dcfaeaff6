; The parameters of a function stand before its value.
(binding
  attrpath: (attrpath attr: (identifier) @name .)
  expression: (function_expression body: (_) @body)) @definition.function
(let_expression (binding_set (binding
  attrpath: (attrpath attr: (identifier) @name .)) @definition.variable))
(binding attrpath: (attrpath attr: (identifier) @name .)) @definition.property

;; References
((apply_expression
  function: (variable_expression name: (identifier) @_import)
  argument: [(path_expression) (spath_expression)] @reference.import)
  (#any-of? @_import "import" "callPackage"))
(spath_expression) @reference.import
(apply_expression function: [
  (variable_expression name: (identifier) @reference.call)
  (select_expression attrpath: (attrpath attr: (identifier) @reference.call .))
])
((variable_expression name: (identifier) @reference.nothing)
  (#any-of? @reference.nothing "true" "false" "null"))
(identifier) @reference.use
