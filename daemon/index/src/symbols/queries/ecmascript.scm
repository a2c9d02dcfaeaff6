; What JavaScript and TypeScript share. Read together with the query of either, which comes first.

(function_declaration name: (_) @name) @definition.function
(generator_function_declaration name: (_) @name) @definition.function
(class_declaration name: (_) @name) @definition.class

((method_definition name: (property_identifier) @name) @definition.constructor
  (#eq? @name "constructor"))
(method_definition ["get" "set"] name: [
  (property_identifier) (private_property_identifier) (string)] @name) @definition.property
(method_definition name: [
  (property_identifier) (private_property_identifier) (string)] @name) @definition.method

; What a function without a name declares is its own.
(arrow_function) @local
(function_expression) @local
(generator_function) @local

; A variable that holds a function is one; alone, its range has the keyword.
([(lexical_declaration . (variable_declarator name: (identifier) @name value: [
    (arrow_function body: (_) @body)
    (function_expression body: (_) @body)
    (generator_function body: (_) @body)]) .)
  (variable_declaration . (variable_declarator name: (identifier) @name value: [
    (arrow_function body: (_) @body)
    (function_expression body: (_) @body)
    (generator_function body: (_) @body)]) .)]) @definition.function
(variable_declarator name: (identifier) @name value: [
  (arrow_function body: (_) @body)
  (function_expression body: (_) @body)
  (generator_function body: (_) @body)]) @definition.function
(variable_declarator name: (identifier) @name value: (class body: (_) @body)) @definition.class

(program (lexical_declaration "const"
  (variable_declarator name: (identifier) @name)) @definition.constant)
(program (lexical_declaration
  (variable_declarator name: (identifier) @name)) @definition.variable)
(program (variable_declaration
  (variable_declarator name: (identifier) @name)) @definition.variable)
(export_statement declaration: (lexical_declaration "const"
  (variable_declarator name: (identifier) @name)) @definition.constant)
(export_statement declaration: (lexical_declaration
  (variable_declarator name: (identifier) @name)) @definition.variable)
(export_statement declaration: (variable_declaration
  (variable_declarator name: (identifier) @name)) @definition.variable)

; What is put into an object: `A.prototype.f = function`, `exports.f = …`, `this.f = …`.
(assignment_expression
  left: (member_expression
    object: (member_expression object: (_) @scope property: (property_identifier) @_prototype)
    property: [(property_identifier) (private_property_identifier)] @name)
  right: [
    (arrow_function body: (_) @body)
    (function_expression body: (_) @body)
    (generator_function body: (_) @body)
  ]
  (#eq? @_prototype "prototype")) @definition.method
(assignment_expression
  left: (member_expression
    object: [
      (identifier) @_exports
      (member_expression object: (identifier) @_module property: (property_identifier) @_exports)
    ]
    property: (property_identifier) @name)
  right: [
    (arrow_function body: (_) @body)
    (function_expression body: (_) @body)
    (generator_function body: (_) @body)
  ]
  (#eq? @_exports "exports")) @definition.function
(assignment_expression
  left: (member_expression
    object: [(identifier) (member_expression)] @scope
    property: [(property_identifier) (private_property_identifier)] @name)
  right: [
    (arrow_function body: (_) @body)
    (function_expression body: (_) @body)
    (generator_function body: (_) @body)
  ]) @definition.method
(assignment_expression
  left: (member_expression
    object: (this)
    property: [(property_identifier) (private_property_identifier)] @name)
  right: [
    (arrow_function body: (_) @body)
    (function_expression body: (_) @body)
    (generator_function body: (_) @body)
  ]) @definition.method
(program (expression_statement (assignment_expression
  left: (member_expression
    object: [
      (identifier) @_exports
      (member_expression object: (identifier) @_module property: (property_identifier) @_exports)
    ]
    property: (property_identifier) @name)) @assignment.constant)
  (#eq? @_exports "exports"))
(program (expression_statement (assignment_expression
  left: (identifier) @name
  right: [
    (arrow_function body: (_) @body)
    (function_expression body: (_) @body)
    (generator_function body: (_) @body)
  ]) @assignment.function))

; The functions in any object, and all that stands in one which a module names or exports.
(pair
  key: [(property_identifier) (private_property_identifier) (string)] @name
  value: [
    (arrow_function body: (_) @body)
    (function_expression body: (_) @body)
    (generator_function body: (_) @body)
  ]) @definition.method
(program (lexical_declaration (variable_declarator value: (object
  (pair key: [(property_identifier) (string)] @name) @definition.property))))
(program (variable_declaration (variable_declarator value: (object
  (pair key: [(property_identifier) (string)] @name) @definition.property))))
(export_statement declaration: (lexical_declaration (variable_declarator value: (object
  (pair key: [(property_identifier) (string)] @name) @definition.property))))
(export_statement value: (object
  (pair key: [(property_identifier) (string)] @name) @definition.property))
(program (expression_statement (assignment_expression
  left: (member_expression object: (identifier) @_module property: (property_identifier) @_exports)
  right: (object (pair key: [(property_identifier) (string)] @name) @definition.property))
  (#eq? @_module "module") (#eq? @_exports "exports")))

;; References
(import_statement) @within.import
(import_statement source: (string) @reference.import)
(export_statement source: (string) @reference.import)
(export_statement (export_clause) @within.import source: (string))
(export_statement (namespace_export) @within.import source: (string))
(call_expression
  function: (import) arguments: (arguments . (string) @reference.import))
((call_expression
  function: (identifier) @_require arguments: (arguments . (string) @reference.import))
  (#eq? @_require "require"))

(call_expression function: [
  (identifier) @reference.call
  (member_expression property: [
    (property_identifier) (private_property_identifier)] @reference.call)
])
(new_expression constructor: [
  (identifier) @reference.call
  (member_expression property: (property_identifier) @reference.call)
])
(decorator [
  (identifier) @reference.call
  (member_expression property: (property_identifier) @reference.call)
])

[
  (identifier)
  (property_identifier)
  (private_property_identifier)
  (shorthand_property_identifier)
  (shorthand_property_identifier_pattern)
] @reference.use
