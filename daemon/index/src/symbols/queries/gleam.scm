(constant name: (identifier) @name) @definition.constant
(function name: (identifier) @name) @definition.function
(type_definition (type_name name: (type_identifier) @name) (data_constructors) @body)
  @definition.enum
(type_definition (type_name name: (type_identifier) @name)) @definition.enum
(data_constructor name: (constructor_name) @name) @definition.enumerator
(data_constructor_argument label: (label) @name) @definition.field
(type_alias (type_name name: (type_identifier) @name)) @definition.type

;; References
(import) @within.import
(import module: (module) @reference.import)
(function_call function: [
  (identifier) @reference.call
  (field_access field: (label) @reference.call)
])
(binary_expression operator: "|>" right: (identifier) @reference.call)
(binary_expression operator: "|>" right: (field_access field: (label) @reference.call))
(attribute name: (identifier) @reference.call)
(attribute_value (identifier) @reference.nothing)
(type_identifier) @reference.type
[(identifier) (label) (constructor_name)] @reference.use
