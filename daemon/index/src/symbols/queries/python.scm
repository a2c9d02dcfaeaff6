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
