(function_definition name: (identifier) @name) @definition.function.method
(class_definition name: (identifier) @name) @definition.class
(type_alias_statement left: (type (identifier) @name)) @definition.type
(type_alias_statement left: (type (generic_type . (identifier) @name))) @definition.type

; What a module or a class assigns. Capitals mean a constant.
((assignment left: (identifier) @name) @definition.constant
  (#match? @name "^_*[A-Z][A-Z0-9_]*$"))
((assignment left: (pattern_list (identifier) @name)) @definition.constant
  (#match? @name "^_*[A-Z][A-Z0-9_]*$"))
(assignment left: (identifier) @name) @definition.variable.field
(assignment left: (pattern_list (identifier) @name)) @definition.variable.field
(assignment left: (tuple_pattern (identifier) @name)) @definition.variable.field
