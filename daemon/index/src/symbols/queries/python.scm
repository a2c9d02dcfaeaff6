(function_definition name: (identifier) @name ":" @body) @definition.function.method
(class_definition name: (identifier) @name ":" @body) @definition.class
(type_alias_statement left: (type (identifier) @name)) @definition.type
(type_alias_statement left: (type (generic_type . (identifier) @name))) @definition.type

; What a module or a class assigns, where it does so first. Capitals mean a constant.
((assignment left: (identifier) @name) @assignment.constant
  (#match? @name "^_*[A-Z][A-Z0-9_]*$"))
((assignment left: (pattern_list (identifier) @name)) @assignment.constant
  (#match? @name "^_*[A-Z][A-Z0-9_]*$"))
(assignment left: (identifier) @name) @assignment.variable.field
(assignment left: (pattern_list (identifier) @name)) @assignment.variable.field
(assignment left: (tuple_pattern (identifier) @name)) @assignment.variable.field

;; References
(import_statement) @within.import
(import_from_statement) @within.import

(call function: [
  (identifier) @reference.call
  (attribute attribute: (identifier) @reference.call)
])
(decorator [
  (identifier) @reference.call
  (attribute attribute: (identifier) @reference.call)
])

; Before a type a module may stand.
(attribute object: (identifier) @reference.use)
; The value of a keyword of a class is one like any other: `metaclass=M`.
(class_definition superclasses: (argument_list (keyword_argument name: (identifier) @reference.use)))
(class_definition superclasses: (argument_list) @within.type)
(type) @within.type
(except_clause value: [
  (identifier) @reference.type
  (attribute attribute: (identifier) @reference.type)
  (tuple (identifier) @reference.type)
  (tuple (attribute attribute: (identifier) @reference.type))
  (as_pattern . (identifier) @reference.type)
  (as_pattern . (attribute attribute: (identifier) @reference.type))
  (as_pattern . (tuple (identifier) @reference.type))
  (as_pattern . (tuple (attribute attribute: (identifier) @reference.type)))
])
(class_pattern (dotted_name (identifier) @reference.type .))

(identifier) @reference.use
