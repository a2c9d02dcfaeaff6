(create_schema (identifier) @name) @definition.module
(create_table
  (object_reference schema: (identifier)? @scope name: (identifier) @name)
  (column_definitions) @body) @definition.struct
(create_table
  (object_reference schema: (identifier)? @scope name: (identifier) @name)) @definition.struct
(create_table (column_definitions
  (column_definition name: (identifier) @name) @definition.field))
(create_view . (_)* (object_reference name: (identifier) @name) . (keyword_as)) @definition.struct
(create_materialized_view
  (object_reference name: (identifier) @name) . (keyword_as)) @definition.struct
(create_type (object_reference name: (identifier) @name) (keyword_enum)) @definition.enum
(create_type (object_reference name: (identifier) @name)) @definition.type
(create_function (keyword_function) . (object_reference name: (identifier) @name)
  (function_body) @body) @definition.function
(create_function (keyword_function) . (object_reference name: (identifier) @name))
  @definition.function
(create_index column: (identifier) @name . (keyword_on)) @definition.key
(create_sequence (object_reference name: (identifier) @name)) @definition.variable
(create_trigger (keyword_trigger) . (object_reference name: (identifier) @name))
  @definition.function

;; References
(invocation (object_reference name: (identifier) @reference.call))
(create_trigger (keyword_execute) (object_reference name: (identifier) @reference.call) .)
(column_definition type: (_ (object_reference name: (identifier) @reference.type)))
(column_definition custom_type: (object_reference name: (identifier) @reference.type))
(function_language) @within.nothing
(identifier) @reference.use
